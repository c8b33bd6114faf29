"""What becomes of tasks for which there is no worker (`workerGroup.fallback`)."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.live import LiveServer

RETURN = "io.kestra.plugin.core.debug.Return"


def flow(fallback: str) -> str:
    return f"""
id: grouped
namespace: team
tasks:
  - {{id: first, type: {RETURN}, format: x, workerGroup: {{key: gpu{fallback}}}}}
  - {{id: second, type: {RETURN}, format: y}}
"""


@pytest.mark.parametrize(("fallback", "state"), [("FAIL", "FAILED"), ("CANCEL", "KILLED")])
async def test_task_of_a_group_without_workers_ends_as_its_fallback_says(
    live: LiveServer, fallback: str, state: str
) -> None:
    """ENG-047, MIG-052, GOV-358."""
    await live.flow(flow(f", fallback: {fallback}"))
    execution = await live.run("grouped")
    assert execution["state"]["current"] == state
    assert [(run["taskId"], run["state"]["current"]) for run in execution["taskRunList"]] == [("first", state)]
    lines = (await live.client.get(f"/api/v1/main/logs/{execution['id']}")).json()
    (line,) = [line for line in lines if "No worker of group `gpu`" in line["message"]]
    assert line["level"] == ("ERROR" if fallback == "FAIL" else "WARN")


@pytest.mark.parametrize("fallback", ["", ", fallback: WAIT"])
async def test_task_of_a_group_without_workers_waits_by_default(live: LiveServer, fallback: str) -> None:
    """ENG-047."""
    await live.flow(flow(fallback))
    execution = await live.start("grouped")
    await asyncio.sleep(0.3)
    assert await live.core.store.jobs.strand("nobody") == []
    assert (await live.until(execution["id"], "RUNNING"))["state"]["current"] == "RUNNING"


async def test_task_of_a_group_with_a_worker_waits_for_it_whatever_its_fallback(live: LiveServer) -> None:
    """ENG-047."""
    await live.core.store.jobs.register("busy", "gpu", "host", live.core.clock.now())
    await live.flow(flow(", fallback: FAIL"))
    execution = await live.start("grouped")
    await asyncio.sleep(0.3)
    assert (await live.until(execution["id"], "RUNNING"))["taskRunList"][0]["state"]["current"] == "SUBMITTED"
