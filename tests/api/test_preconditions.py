"""What a trigger waits for, over HTTP, with a scheduler that serves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from penstock.wiring.application import build_scheduler
from tests.support.live import LiveServer
from tests.support.waiting import PATIENCE

UPSTREAM = """
id: {flow_id}
namespace: company.team
tasks:
  - {{id: log, type: io.kestra.plugin.core.log.Log, message: hello}}
"""
LISTENING = """
id: after
namespace: company.team
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Pause}
triggers:
  - id: both
    type: io.kestra.plugin.core.trigger.Flow
    preconditions:
      id: both
      timeWindow: {type: SLIDING_WINDOW, window: PT1H}
      flows:
        - {namespace: company.team, flowId: a, states: [SUCCESS]}
        - {namespace: company.team, flowId: b}
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: abc
"""
BOTH = "/api/v1/main/triggers/company.team/after/both/preconditions"


@pytest.fixture
async def client(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a server that has a scheduler and the flows."""
    for source in (UPSTREAM.format(flow_id="a"), UPSTREAM.format(flow_id="b"), LISTENING):
        answer = await server.client.post(
            "/api/v1/main/flows", content=source, headers={"content-type": "application/x-yaml"}
        )
        assert answer.status_code == 200, answer.text
    scheduler = build_scheduler(server.core)
    running = asyncio.create_task(scheduler.run())
    async with asyncio.timeout(PATIENCE):
        while await server.core.store.triggers.get("main", "company.team", "after", "both") is None:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.02)
    yield server.client
    scheduler.stop()
    await running


async def run(client: httpx.AsyncClient, flow_id: str) -> str:
    answer = await client.post(f"/api/v1/main/executions/company.team/{flow_id}?wait=true")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def shown(client: httpx.AsyncClient, condition: Callable[[Any], object]) -> Any:
    """Return the answer as soon as a condition holds of it."""
    async with asyncio.timeout(PATIENCE):
        while not condition(answer := (await client.get(BOTH)).json()):  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.02)
    return answer


async def test_preconditions_show_what_is_met_by_which_execution_until_when(client: httpx.AsyncClient) -> None:
    """BEY-006."""
    answer = (await client.get(BOTH)).json()
    assert [one["met"] for one in answer["preconditions"]] == [False, False]
    assert answer["preconditions"][0]["wanted"] == {"namespace": "company.team", "flowId": "a", "states": ["SUCCESS"]}
    execution_id = await run(client, "a")
    first, second = (await shown(client, lambda answer: answer["preconditions"][0]["met"]))["preconditions"]
    assert (first["id"], first["executionId"]) == ("company.team.a", execution_id)
    assert first["date"][:10] <= first["until"][:10]
    assert first["date"] < first["until"]
    assert second["met"] is False
    assert "executionId" not in second


async def test_preconditions_of_a_trigger_that_started_its_flow_are_open_and_starts_wait(
    client: httpx.AsyncClient,
) -> None:
    """BEY-006, ENG-261: what is met anew while the execution runs waits for its end."""
    await run(client, "a")
    await run(client, "b")
    answer = await shown(client, lambda answer: "executionId" in answer)
    assert [one["met"] for one in answer["preconditions"]] == [False, False]
    assert answer["waiting"] == []
    await run(client, "a")
    completing = await run(client, "b")
    [start] = (await shown(client, lambda answer: answer["waiting"]))["waiting"]
    assert (start["executionId"], start["state"]) == (completing, "SUCCESS")


async def test_preconditions_of_a_trigger_that_has_none_are_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get(BOTH.replace("both", "hook"))).status_code == 422
    assert (await client.get(BOTH.replace("both", "nothing"))).status_code == 404
    assert (await client.get(BOTH.replace("after", "nothing"))).status_code == 404
