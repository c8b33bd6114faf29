"""Launches that are repeated: one execution for one key."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from penstock.wiring.plan import Plan
from tests.api.flows import GREETING, HOOKED
from tests.support.live import LiveServer, live_server

EXECUTIONS = "/api/v1/main/executions"
KEY = {"Idempotency-Key": "order-17"}
RULED = GREETING.replace("tasks:", 'idempotency: {key: "{{ inputs.name }}", window: %s}\ntasks:', 1)


async def total(server: LiveServer) -> int:
    count: int = (await server.client.get(f"{EXECUTIONS}/search")).json()["total"]
    return count


async def test_launch_repeated_with_its_key_answers_the_first_execution(server: LiveServer) -> None:
    """BEY-044."""
    await server.flow(GREETING)
    first = await server.start("greeting", data={"name": "Ada"}, headers=KEY)
    again = await server.start("greeting", data={"name": "Ada"}, headers=KEY)
    waited = await server.run("greeting", data={"name": "Ada"}, headers=KEY)
    assert first["id"] == again["id"] == waited["id"]
    assert waited["outputs"] == {"greeting": "Hello Ada"}
    assert await total(server) == 1


async def test_launch_with_a_used_key_and_another_body_is_a_conflict(server: LiveServer) -> None:
    """BEY-044."""
    await server.flow(GREETING)
    first = await server.start("greeting", data={"name": "Ada"}, headers=KEY)
    answer = await server.client.post(f"{EXECUTIONS}/team/greeting", data={"name": "Bob"}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert first["id"] in answer.json()["message"]
    assert await total(server) == 1


async def test_key_belongs_to_one_flow_and_lives_as_long_as_its_execution(server: LiveServer) -> None:
    """BEY-044."""
    await server.flow(GREETING)
    await server.flow(GREETING.replace("id: greeting\nn", "id: other\nn"))
    first = await server.run("greeting", headers=KEY)
    assert (await server.run("other", headers=KEY))["id"] != first["id"]
    await server.client.delete(f"{EXECUTIONS}/{first['id']}")
    assert (await server.run("greeting", headers=KEY))["id"] != first["id"]


async def test_key_that_is_empty_or_too_long_is_refused(server: LiveServer) -> None:
    await server.flow(GREETING)
    for key in (" ", "x" * 256):
        answer = await server.client.post(f"{EXECUTIONS}/team/greeting", headers={"Idempotency-Key": key})
        assert answer.status_code == 422
    assert await total(server) == 0


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_launches_with_one_key_at_the_same_moment_make_one_execution(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """BEY-044: a unique index decides who was first."""
    database = request.getfixturevalue("postgres_url") if kind == "postgres" else None
    async with live_server(tmp_path, database=database) as server:
        await server.flow(GREETING)
        started = await asyncio.gather(*(server.start("greeting", headers=KEY) for _ in range(20)))
        assert len({one["id"] for one in started}) == 1
        assert await total(server) == 1


async def test_webhook_repeated_with_its_key_answers_the_first_execution(server: LiveServer) -> None:
    """BEY-044."""
    await server.flow(HOOKED)
    path = f"{EXECUTIONS}/webhook/team/hooked/abc123"
    first = (await server.client.post(path, json={"who": "Ada"}, headers=KEY)).json()
    assert (await server.client.post(path, json={"who": "Ada"}, headers=KEY)).json()["id"] == first["id"]
    assert (await server.client.post(path, json={"who": "Bob"}, headers=KEY)).status_code == 409
    assert (await server.client.post(path, json={"who": "Bob"})).json()["id"] != first["id"]


async def test_flow_with_a_rule_makes_one_execution_for_each_key_within_the_window(server: LiveServer) -> None:
    """BEY-044: `idempotency` of a flow."""
    await server.flow(RULED % "PT1H")
    first = await server.start("greeting", data={"name": "Ada", "times": "1"})
    assert (await server.start("greeting", data={"name": "Ada", "times": "2"}))["id"] == first["id"]
    assert (await server.start("greeting", data={"name": "Bob"}))["id"] != first["id"]
    await server.client.put("/api/v1/main/flows/team/greeting", content=RULED % "PT0.001S")
    fresh = await server.start("greeting", data={"name": "Ada"})
    assert fresh["id"] != first["id"]
    assert (await server.client.get(f"{EXECUTIONS}/{first['id']}")).status_code == 200


async def test_launch_for_which_a_rule_finds_no_key_is_refused(server: LiveServer) -> None:
    """BEY-044: it is no fault of the server, and nothing is started."""
    await server.flow((RULED % "PT1H").replace("inputs.name", "inputs.nobody", 1))
    answer = await server.client.post(f"{EXECUTIONS}/team/greeting", data={"name": "Ada"})
    assert (answer.status_code, await total(server)) == (422, 0)
    assert "`inputs.nobody` is not defined" in answer.json()["message"]


async def test_flow_with_a_rule_keeps_no_files_of_a_repeated_launch(server: LiveServer) -> None:
    """BEY-044."""
    source = (RULED % "PT1H").replace("inputs:", "inputs:\n  - {id: table, type: FILE}")
    await server.flow(source)
    files = {"table": ("a.csv", b"a,b", "text/csv")}
    first = await server.start("greeting", files=files)
    assert (await server.start("greeting", files=files))["id"] == first["id"]
    plan: Plan = server.core.plan
    assert len(list(plan.storage.rglob("a.csv"))) == 1
