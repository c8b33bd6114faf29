"""Limits that several flows share: pools and namespaces; and what may never block itself."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from penstock.services.executor import Limits
from tests.support.live import LiveServer, live_server

EXECUTIONS = "/api/v1/main/executions"
PAUSE = "io.kestra.plugin.core.flow.Pause"


def waiting_flow(flow_id: str, concurrency: str = "", namespace: str = "team") -> str:
    line = f"concurrency: {concurrency}\n" if concurrency else ""
    return f"id: {flow_id}\nnamespace: {namespace}\n{line}tasks:\n  - {{id: wait, type: {PAUSE}}}\n"


async def state(live: LiveServer, execution: dict[str, Any]) -> str:
    body = (await live.client.get(f"{EXECUTIONS}/{execution['id']}")).json()
    current: str = body["state"]["current"]
    return current


async def finish(live: LiveServer, execution: dict[str, Any]) -> None:
    await live.client.post(f"{EXECUTIONS}/{execution['id']}/resume")
    await live.until(execution["id"], "SUCCESS")


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_pool_limits_the_executions_of_all_its_flows_first_come_first_served(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """BEY-012: `concurrency.pool`."""
    database = request.getfixturevalue("postgres_url") if kind == "postgres" else None
    async with live_server(tmp_path, database=database, limits=Limits(pools={"gpu": 2})) as live:
        for flow_id in ("one", "two", "three"):
            await live.flow(waiting_flow(flow_id, "{pool: gpu}"))
        await live.flow(waiting_flow("free"))
        started = [await live.start(flow_id) for flow_id in ("one", "two", "three", "one", "free")]
        for index in (0, 1, 4):
            await live.until(started[index]["id"], "PAUSED")
        assert [await state(live, started[index]) for index in (2, 3)] == ["QUEUED", "QUEUED"]
        await finish(live, started[1])
        await live.until(started[2]["id"], "PAUSED")
        assert await state(live, started[3]) == "QUEUED"
        await finish(live, started[0])
        await live.until(started[3]["id"], "PAUSED")


async def test_pool_that_is_not_configured_has_room_for_one(live: LiveServer) -> None:
    """BEY-012."""
    for flow_id, behavior in (("one", "QUEUE"), ("two", "FAIL")):
        await live.flow(waiting_flow(flow_id, f"{{pool: mutex, behavior: {behavior}}}"))
    first = await live.start("one")
    await live.until(first["id"], "PAUSED")
    second = await live.start("two")
    await live.until(second["id"], "FAILED")


async def test_flow_in_a_pool_keeps_its_own_limit_too(tmp_path: Path) -> None:
    """BEY-012."""
    async with live_server(tmp_path, limits=Limits(pools={"gpu": 3})) as live:
        await live.flow(waiting_flow("one", "{limit: 1, pool: gpu}"))
        await live.flow(waiting_flow("two", "{pool: gpu}"))
        first, second = await live.start("one"), await live.start("one")
        other = await live.start("two")
        await live.until(first["id"], "PAUSED")
        await live.until(other["id"], "PAUSED")
        assert await state(live, second) == "QUEUED"


async def test_namespace_limit_holds_for_the_namespaces_below_it(tmp_path: Path) -> None:
    """BEY-012."""
    async with live_server(tmp_path, limits=Limits(namespaces={"team": 1})) as live:
        await live.flow(waiting_flow("one"))
        await live.flow(waiting_flow("two", namespace="team.sub"))
        await live.flow(waiting_flow("two", namespace="teams"))
        first = await live.start("one")
        await live.until(first["id"], "PAUSED")
        below = (await live.client.post(f"{EXECUTIONS}/team.sub/two")).json()
        beside = (await live.client.post(f"{EXECUTIONS}/teams/two")).json()
        await live.until(below["id"], "QUEUED")
        await live.until(beside["id"], "PAUSED")
        await finish(live, first)
        await live.until(below["id"], "PAUSED")


async def labelled(live: LiveServer, flow_id: str, **labels: str) -> dict[str, Any]:
    """Start an execution with labels."""
    given = [f"{key}:{value}" for key, value in labels.items()]
    answer = await live.client.post(f"{EXECUTIONS}/team/{flow_id}", params={"labels": given})
    body: dict[str, Any] = answer.json()
    return body


async def test_label_limit_holds_for_each_value_of_a_label_and_for_those_named(tmp_path: Path) -> None:
    """BEY-012: executions of any flow that have the label."""
    async with live_server(tmp_path, limits=Limits(labels={"customer": 1, "customer:big": 2})) as live:
        await live.flow(waiting_flow("one"))
        await live.flow(waiting_flow("two") + "labels: {customer: small}\n")
        running = [await labelled(live, "one", customer=name) for name in ("small", "big", "big")]
        running.append(await live.start("one"))
        for execution in running:
            await live.until(execution["id"], "PAUSED")
        by_flow = await live.start("two")
        third = await labelled(live, "one", customer="big")
        await live.until(by_flow["id"], "QUEUED")
        await live.until(third["id"], "QUEUED")
        why = (await live.client.get(f"/api/v1/main/why/execution/{third['id']}")).json()
        assert "label customer: big lets 2 run at a time" in why["sentence"]
        await finish(live, running[2])
        await live.until(third["id"], "PAUSED")
        assert await state(live, by_flow) == "QUEUED"
        await finish(live, running[0])
        await live.until(by_flow["id"], "PAUSED")


RELABELLING = """
id: relabelling
namespace: team
labels: {stage: load}
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Pause}
  - {id: label, type: io.kestra.plugin.core.execution.Labels, labels: {stage: "{{ 'check' }}"}}
  - {id: again, type: io.kestra.plugin.core.flow.Pause}
"""


async def test_label_that_changes_gives_its_place_to_who_waits_for_it(tmp_path: Path) -> None:
    """BEY-012, BEY-003: what counts is the labels that executions have, here and for the next server."""
    async with live_server(tmp_path, limits=Limits(labels={"stage": 1})) as live:
        await live.flow(RELABELLING)
        first, second = await live.start("relabelling"), await live.start("relabelling")
        await live.until(first["id"], "PAUSED")
        await live.until(second["id"], "QUEUED")
        await live.client.post(f"{EXECUTIONS}/{first['id']}/resume")
        await live.until(second["id"], "PAUSED")
    async with live_server(tmp_path, limits=Limits(labels={"stage": 1})) as live:
        check, load = [await labelled(live, "relabelling", stage=name) for name in ("check", "load")]
        await live.until(check["id"], "QUEUED")
        await live.until(load["id"], "QUEUED")
        await finish(live, first)
        await live.until(check["id"], "PAUSED")
        assert await state(live, load) == "QUEUED"


async def test_pool_is_counted_anew_by_the_next_server(tmp_path: Path) -> None:
    """BEY-003, BEY-012: what is counted is derived from live executions."""
    async with live_server(tmp_path) as live:
        await live.flow(waiting_flow("one", "{pool: mutex}"))
        await live.flow(waiting_flow("two", "{pool: mutex}"))
        first = await live.start("one")
        await live.until(first["id"], "PAUSED")
    async with live_server(tmp_path) as live:
        second = await live.start("two")
        await live.until(second["id"], "QUEUED")
        await finish(live, first)
        await live.until(second["id"], "PAUSED")


CALLER = """
id: caller
namespace: team
concurrency: {pool: mutex}
tasks:
  - id: both
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - {id: left, type: io.kestra.plugin.core.flow.Subflow, namespace: team, flowId: called, wait: true}
      - {id: right, type: io.kestra.plugin.core.flow.Subflow, namespace: team, flowId: called, wait: true}
"""
CALLED = """
id: called
namespace: team
concurrency: {pool: mutex}
tasks:
  - {id: nap, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.02S}
"""


async def test_execution_that_waits_for_its_children_does_not_keep_them_from_running(live: LiveServer) -> None:
    """BEY-003: a pool with room for one, and parents that hold it while their children need it."""
    await live.flow(CALLED)
    await live.flow(CALLER)
    started = await asyncio.gather(*(live.start("caller") for _ in range(4)))
    for execution in started:
        await live.until(execution["id"], "SUCCESS")
    found = await live.client.get(f"{EXECUTIONS}/search", params={"flowId": "called", "size": 50})
    children = found.json()["results"]
    spans = sorted((one["state"]["histories"][-2]["date"], one["state"]["endDate"]) for one in children)
    assert len(spans) == 8
    overlaps = [later for (_, end), (later, _) in itertools.pairwise(spans) if later < end]
    assert overlaps == [], "children of a full pool run one after another"


async def test_limits_are_listed_with_what_runs_and_waits(live: LiveServer) -> None:
    """ENG-255, API-100 (concurrency-limit)."""
    await live.flow(waiting_flow("one", "{limit: 1, behavior: QUEUE}"))
    await live.flow(waiting_flow("free") + "description: no concurrency\n")
    first, second = await live.start("one"), await live.start("one")
    await live.until(first["id"], "PAUSED")
    await live.until(second["id"], "QUEUED")
    path = "/api/v1/main/concurrency-limit"
    expected = {
        "tenantId": "main",
        "namespace": "team",
        "flowId": "one",
        "running": 1,
        "queued": 1,
        "limit": 1,
        "behavior": "QUEUE",
    }
    assert (await live.client.get(f"{path}/search")).json() == {"results": [expected], "total": 1}
    assert (await live.client.put(f"{path}/team/one", json=expected)).json() == expected
    wrong = await live.client.put(f"{path}/team/one", json={**expected, "running": 0})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "CONFLICT")
    assert (await live.client.put(f"{path}/team/free", json={"running": 0})).status_code == 404
