"""Concurrency limits of flows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.support.live import LiveServer, live_server
from tests.support.waiting import PATIENCE


def limited(behavior: str | None = None, limit: int = 2, tasks: str = "") -> str:
    line = f"  behavior: {behavior}\n" if behavior else ""
    return f"""
id: limited
namespace: team
concurrency:
  limit: {limit}
{line}tasks:
{tasks or "  - {id: wait, type: io.kestra.plugin.core.flow.Pause}"}
"""


async def state(live: LiveServer, execution: dict[str, Any]) -> str:
    body = (await live.client.get(f"/api/v1/main/executions/{execution['id']}")).json()
    current: str = body["state"]["current"]
    return current


async def started(live: LiveServer, count: int) -> list[dict[str, Any]]:
    return [await live.start("limited") for _ in range(count)]


async def test_execution_beyond_the_limit_waits_and_begins_when_another_has_ended(live: LiveServer) -> None:
    """ENG-251, ENG-252, example 18 of the language."""
    await live.flow(limited())
    first, second, third = await started(live, 3)
    await live.until(second["id"], "PAUSED")
    assert await state(live, third) == "QUEUED"
    await live.client.post(f"/api/v1/main/executions/{first['id']}/resume")
    await live.until(first["id"], "SUCCESS")
    await live.until(third["id"], "PAUSED")
    history = (await live.client.get(f"/api/v1/main/executions/{third['id']}")).json()["state"]["histories"]
    assert [one["state"] for one in history] == ["CREATED", "QUEUED", "RUNNING", "PAUSED"]


async def test_execution_beyond_the_limit_fails_or_is_cancelled_at_once(live: LiveServer) -> None:
    """ENG-252."""
    for behavior, end in (("FAIL", "FAILED"), ("CANCEL", "CANCELLED")):
        source = limited(behavior, 1).replace("id: limited", f"id: limited_{end.lower()}")
        await live.flow(source)
        flow_id = f"limited_{end.lower()}"
        first = await live.start(flow_id)
        await live.until(first["id"], "PAUSED")
        second = await live.run(flow_id)
        assert (second["state"]["current"], second.get("taskRunList") or []) == (end, [])


async def test_kill_of_a_queued_execution_gives_its_place_up(live: LiveServer) -> None:
    """ENG-256."""
    await live.flow(limited(limit=1))
    first, second, third = await started(live, 3)
    await live.client.delete(f"/api/v1/main/executions/{second['id']}/kill")
    await live.until(second["id"], "KILLED")
    await live.client.delete(f"/api/v1/main/executions/{first['id']}/kill")
    await live.until(third["id"], "PAUSED")


async def test_raised_limit_releases_queued_executions(live: LiveServer) -> None:
    """ENG-253."""
    await live.flow(limited(limit=1))
    executions = await started(live, 3)
    assert await state(live, executions[2]) == "QUEUED"
    answer = await live.client.put("/api/v1/main/flows/team/limited", content=limited(limit=3))
    assert answer.status_code == 200
    for execution in executions:
        await live.until(execution["id"], "PAUSED")


async def test_limit_holds_under_load_and_nobody_is_forgotten(live: LiveServer) -> None:
    """ENG-254, BEY-003."""
    await live.flow(
        limited(limit=3, tasks="  - {id: sleep, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.02S}")
    )
    await asyncio.gather(*(live.start("limited") for _ in range(40)))
    most = 0
    async with asyncio.timeout(PATIENCE):
        while True:
            found = (await live.client.get("/api/v1/main/executions/search", params={"size": 100})).json()["results"]
            states = [one["state"]["current"] for one in found]
            most = max(most, states.count("RUNNING"))
            if states.count("SUCCESS") == 40:
                break
            await asyncio.sleep(0.01)
    assert 1 <= most <= 3


async def test_queued_executions_go_on_after_a_restart_of_the_server(tmp_path: Path) -> None:
    """ENG-252, BEY-003."""
    async with live_server(tmp_path) as live:
        await live.flow(limited(limit=1))
        first, second = await started(live, 2)
        await live.until(first["id"], "PAUSED")
    async with live_server(tmp_path) as live:
        await live.client.post(f"/api/v1/main/executions/{first['id']}/resume")
        await live.until(second["id"], "PAUSED")
