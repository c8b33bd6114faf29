"""Accounts of programs over HTTP: made, used by their tokens, disabled, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.api import schemas
from tests.api.flows import HELLO
from tests.api.test_shapes import check
from tests.api.test_tokens import bearer
from tests.support.live import LiveServer

ACCOUNTS = "/api/v1/service-accounts"
OF_TENANT = "/api/v1/main/service-accounts"


async def made(server: LiveServer, name: str = "ci", **more: Any) -> dict[str, Any]:
    answer = await server.client.post(ACCOUNTS, json={"name": name, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    check(schemas.ServiceAccount, body)
    return body


async def token(server: LiveServer, name: str = "ci", place: str = ACCOUNTS) -> dict[str, Any]:
    answer = await server.client.post(f"{place}/{name}/api-tokens", json={"name": "deploys", "maxAge": "P30D"})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_service_account_works_by_its_token_under_its_name(server: LiveServer) -> None:
    """API-043, API-116, ENG-286, GOV-071, GOV-073, GOV-078."""
    assert (await made(server, description="Deploys"))["description"] == "Deploys"
    await server.flow(HELLO)
    value = (await token(server))["fullToken"]
    async with bearer(server, value) as program:
        answer = await program.post(
            "/api/v1/main/executions/team/hello", params={"wait": "true"}, headers={"X-Kestra-Tenant": "main"}
        )
        assert answer.status_code == 200, answer.text
        assert {"key": "system.username", "value": "ci"} in answer.json()["labels"]
        assert (await program.get("/api/v1/me")).json()["id"] == "ci"
        for method, path in (
            ("POST", ACCOUNTS), ("POST", f"{ACCOUNTS}/ci/api-tokens"), ("GET", f"{ACCOUNTS}/ci/api-tokens"),
            ("POST", "/api/v1/me/api-tokens"), ("DELETE", f"{ACCOUNTS}/ci"),
        ):  # fmt: skip
            answer = await program.request(method, path, json={"name": "more"} if method == "POST" else None)
            assert answer.status_code == 403, (method, path)
    listed = (await server.client.get(f"{ACCOUNTS}/ci/api-tokens")).json()
    assert [one["name"] for one in listed["results"]] == ["deploys"]
    assert value not in str(listed)
    assert (await server.client.get("/api/v1/me/api-tokens")).json()["total"] == 0


async def test_service_account_is_disabled_enabled_and_deleted_with_its_tokens(server: LiveServer) -> None:
    """ENG-286, API-116."""
    await made(server)
    value = await token(server)
    search = "/api/v1/main/flows/search"
    async with bearer(server, value["fullToken"]) as program:
        assert (await program.get(search)).status_code == 200
        answer = await server.client.patch(f"{ACCOUNTS}/ci", json={"disabled": True})
        assert answer.json()["disabled"] is True
        assert (await program.get(search)).status_code == 401
        assert (await server.client.patch(f"{ACCOUNTS}/ci", json={"disabled": False})).status_code == 200
        assert (await program.get(search)).status_code == 200
        assert (await server.client.delete(f"{ACCOUNTS}/ci/api-tokens/{value['id']}")).status_code == 204
        assert (await program.get(search)).status_code == 401
        again = (await token(server))["fullToken"]
        assert (await server.client.delete(f"{ACCOUNTS}/ci")).status_code == 204
        await made(server)  # one of the same name is another one
        program.headers["Authorization"] = f"Bearer {again}"
        assert (await program.get(search)).status_code == 401
    assert (await server.client.get(f"{ACCOUNTS}/ci/api-tokens")).json()["results"] == []


async def test_service_accounts_are_found_and_told_of(server: LiveServer) -> None:
    """API-043, API-116."""
    for name in ("ci", "robot-2", "robot-1"):
        await made(server, name, description=f"For {name}")
    page = (await server.client.get(ACCOUNTS, params={"q": "ROBOT", "size": "1", "page": "2"})).json()
    check(schemas.PagedServiceAccounts, page)
    assert ([one["name"] for one in page["results"]], page["total"]) == (["robot-2"], 2)
    body = {"name": "ci", "description": "Otherwise", "superAdmin": True}
    assert (await server.client.put(f"{OF_TENANT}/ci", json=body)).json()["description"] == "Otherwise"
    assert (await server.client.patch(f"{ACCOUNTS}/ci", json={"description": None})).status_code == 200
    assert "description" not in (await server.client.get(f"{OF_TENANT}/ci")).json()
    assert (await token(server, place=OF_TENANT))["name"] == "deploys"
    assert (await server.client.delete(f"{OF_TENANT}/ci")).status_code == 204
    for method, path in (("GET", "ci"), ("DELETE", "ci"), ("GET", "ci/api-tokens")):
        assert (await server.client.request(method, f"{ACCOUNTS}/{path}")).status_code == 404


@pytest.mark.parametrize(
    "wanted",
    [{"name": "MY_ACCOUNT"}, {"name": "my-account-"}, {"name": "x" * 64}, {"name": "a", "superAdmin": False},
     {"name": "a", "groups": [{"id": "g"}]}, {"name": "a", "tenants": ["other"]}],
)  # fmt: skip
async def test_service_account_that_cannot_be_is_refused(server: LiveServer, wanted: dict[str, Any]) -> None:
    """GOV-072."""
    assert (await server.client.post(OF_TENANT, json=wanted)).status_code == 422


async def test_service_account_keeps_its_name_alone(server: LiveServer) -> None:
    await made(server)
    assert (await server.client.post(ACCOUNTS, json={"name": "ci"})).status_code == 409
    assert (await server.client.patch(f"{ACCOUNTS}/ci", json={"name": "other"})).status_code == 422
