"""The account and what surrounds it: ways to log in, own password, permissions, licence, usage."""

from __future__ import annotations

import csv
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import httpx

from penstock.api import schemas
from tests.api.flows import HELLO
from tests.api.test_shapes import check
from tests.support.live import USER, LiveServer, live_server


async def test_login_methods_are_told_to_a_visitor(server: LiveServer) -> None:
    """API-004, API-115."""
    async with server.visitor() as visitor:
        answer = await visitor.get("/api/v1/auths")
        check(schemas.LoginMethods, answer.json())
        assert answer.json()["loginPassword"] is True
        for path in ("license-info", "main-tenant-flows", "main/acls/actions", "main/usages/all"):
            assert (await visitor.get(f"/api/v1/{path}")).status_code == 401, path


async def test_licence_bounds_nothing(client: httpx.AsyncClient) -> None:
    """API-114."""
    found = (await client.get("/api/v1/license-info")).json()
    check(schemas.License, found)
    assert (found["expired"], found["workerGroups"], "maxServers" in found) == (False, True, False)


async def test_permissions_are_listed_by_action_and_resource(client: httpx.AsyncClient) -> None:
    """API-114."""
    assert (await client.get("/api/v1/main/acls/actions")).json() == ["READ", "CREATE", "UPDATE", "DELETE"]
    assert {"FLOW", "EXECUTION"} <= set((await client.get("/api/v1/main/acls/permissions")).json())


async def test_usage_counts_flows_and_what_they_are_made_of(server: LiveServer) -> None:
    """API-114."""
    assert (await server.client.get("/api/v1/main-tenant-flows")).json() is False
    await server.flow(HELLO)
    assert (await server.client.get("/api/v1/main-tenant-flows")).json() is True
    usage = (await server.client.get("/api/v1/main/usages/all")).json()
    check(schemas.Usage, usage)
    assert (usage["flows"]["count"], usage["flows"]["namespacesCount"]) == (1, 1)
    assert sum(usage["flows"]["taskTypeCount"].values()) == HELLO.count("type: io.kestra.plugin")
    assert usage["executions"] == {"dailyExecutionsCount": []}


async def test_usage_counts_executions_by_day_and_state(server: LiveServer) -> None:
    """API-114."""
    await server.flow(HELLO)
    for _ in range(2):
        await server.run("hello")
    usage = (await server.client.get("/api/v1/main/usages/all")).json()
    check(schemas.Usage, usage)
    days = usage["executions"]["dailyExecutionsCount"]
    assert sum(day["executionCounts"]["SUCCESS"] for day in days) == 2
    reports = "/api/v1/main/stats/generate-reports"
    archive = ZipFile(BytesIO((await server.client.get(reports, params={"from": days[0]["startDate"]})).content))
    rows = list(csv.DictReader(archive.read("executions.csv").decode().splitlines()))
    assert sum(int(row["executions"]) for row in rows) == 2
    assert {(row["namespace"], row["flowId"], row["state"]) for row in rows} == {("team", "hello", "SUCCESS")}
    assert "io.kestra.plugin.core.log.Log" in archive.read("types.csv").decode()
    empty = ZipFile(BytesIO((await server.client.get(reports, params={"from": "2999-01-01"})).content))
    assert len(empty.read("executions.csv").splitlines()) == 1
    assert (await server.client.get(reports, params={"from": "soon"})).status_code == 422


async def test_own_password_is_refused_where_the_configuration_has_it(client: httpx.AsyncClient) -> None:
    """GOV-033."""
    body = {"oldPassword": USER.password, "newPassword": "Another1234"}
    answer = await client.put("/api/v1/me/password", json=body)
    assert answer.status_code == 409
    assert "configuration" in answer.json()["message"]


async def test_own_password_is_replaced_when_the_old_one_is_right(tmp_path: Path) -> None:
    """API-115, GOV-033."""
    path, wanted = "/api/v1/me/password", "Another1234"
    async with live_server(tmp_path, credentials=None) as server, server.visitor() as client:
        account = {"username": USER.username, "password": USER.password}
        assert (await client.post("/api/v1/main/basicAuth", json=account)).status_code == 204
        old, new = (USER.username, USER.password), (USER.username, wanted)
        wrong = await client.put(path, auth=old, json={"oldPassword": "Wrong1234", "newPassword": wanted})
        assert wrong.status_code == 401
        weak = await client.put(path, auth=old, json={"oldPassword": USER.password, "newPassword": "weak"})
        assert weak.status_code == 422
        done = await client.put(path, auth=old, json={"oldPassword": USER.password, "newPassword": wanted})
        assert done.status_code == 204
        assert (await client.get("/api/v1/me", auth=old)).status_code == 401
        assert (await client.get("/api/v1/me", auth=new)).status_code == 200
