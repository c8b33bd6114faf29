"""Purges of executions and logs, run by a worker on a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.builtin.purge_records import PurgeExecutions
from penstock.builtin.purging import Batches, PurgeStopped
from penstock.ports.queries import PageRequest
from penstock.testing.run_context import RunContextFactory, messages_of
from tests.support.flows import CORE, Ended, run_tasks
from tests.support.live import LiveServer

PURGE, LOGS = {"type": f"{CORE}execution.PurgeExecutions"}, {"type": f"{CORE}log.PurgeLogs"}
LOG = {"id": "say", "type": f"{CORE}log.Log", "message": "hello"}
WRITE = {"id": "write", "type": f"{CORE}storage.Write", "content": "kept"}
RETURN = {"id": "give", "type": f"{CORE}debug.Return", "format": "x"}  # gives two metrics
FUTURE, PAST = "{{ now() | dateAdd(1, 'HOURS') }}", "{{ now() | dateAdd(-1, 'HOURS') }}"


async def old(server: LiveServer, flow_id: str = "old", namespace: str = "team", *, fails: bool = False) -> Ended:
    """Run a flow with a line, a file and metrics."""
    last = [{"id": "fail", "type": f"{CORE}execution.Fail"}] if fails else []
    return await run_tasks(server, LOG, WRITE, RETURN, *last, id=flow_id, namespace=namespace)


async def executions(server: LiveServer) -> list[str]:
    found = await server.services.reader.search("main", [], PageRequest(size=100, sort=(("id", True),)))
    return [f"{one.flow_id}:{one.state.current}" for one in found.results]


async def purge(server: LiveServer, **properties: Any) -> Ended:
    return await run_tasks(server, {**PURGE, **properties}, id="purge")


def stored_files(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "storage").rglob("*") if path.is_file()]


async def test_purge_removes_ended_executions_with_all_that_is_theirs(server: LiveServer, tmp_path: Path) -> None:
    """OPS-166, OPS-169, USE-B098."""
    before = await old(server)
    await old(server, fails=True)
    ended = await purge(server, endDate=FUTURE, batchSize=1)
    assert ended.state == "SUCCESS", ended.messages
    outputs = ended.outputs["t1"]
    assert (outputs["executionsCount"], outputs["metricsCount"], outputs["storagesCount"]) == (2, 4, 2)
    assert outputs["logsCount"] >= 2
    assert "2 executions removed" in ended.messages
    assert await executions(server) == ["purge:SUCCESS"]
    assert (await server.client.get(f"/api/v1/main/logs/{before.id}")).status_code == 404
    assert "content" not in stored_files(tmp_path)


@pytest.mark.parametrize(
    ("properties", "left"),
    [
        ({"endDate": PAST}, ["old:SUCCESS", "old:FAILED", "deep:SUCCESS"]),
        ({"endDate": FUTURE, "startDate": FUTURE}, ["old:SUCCESS", "old:FAILED", "deep:SUCCESS"]),
        ({"endDate": FUTURE, "states": ["SUCCESS"]}, ["old:FAILED"]),
        ({"endDate": FUTURE, "namespace": "team"}, []),
        ({"endDate": FUTURE, "namespace": "team", "flowId": "old"}, ["deep:SUCCESS"]),
        ({"endDate": FUTURE, "namespace": "tea"}, ["old:SUCCESS", "old:FAILED", "deep:SUCCESS"]),
        ({"endDate": FUTURE, "purgeExecution": False}, ["old:SUCCESS", "old:FAILED", "deep:SUCCESS"]),
    ],
)
async def test_purge_removes_what_its_properties_say(
    server: LiveServer, properties: dict[str, Any], left: list[str]
) -> None:
    """OPS-166."""
    await old(server)
    await old(server, fails=True)
    await server.services.flows.put("main", json.dumps({"id": "deep", "namespace": "team.below", "tasks": [LOG]}))
    answer = await server.client.post("/api/v1/main/executions/team.below/deep", params={"wait": "true"})
    assert answer.status_code == 200
    assert (await purge(server, **properties)).state == "SUCCESS"
    assert await executions(server) == [*left, "purge:SUCCESS"]


async def test_purge_of_parts_leaves_the_others(server: LiveServer, tmp_path: Path) -> None:
    """OPS-166."""
    before = await old(server)
    ended = await purge(server, endDate=FUTURE, purgeExecution=False, purgeLog=False, purgeMetric=False)
    assert ended.outputs["t1"]["storagesCount"] == 1
    assert len((await server.client.get(f"/api/v1/main/logs/{before.id}")).json()) == len(before.messages)
    assert "content" not in stored_files(tmp_path)


async def test_purge_by_its_older_name_without_a_date_warns(server: LiveServer) -> None:
    """OPS-170, ENG-336, USE-B145."""
    await old(server)
    ended = await run_tasks(server, {"type": f"{CORE}storage.Purge"}, id="purge")
    assert ended.outputs["t1"]["executionsCount"] == 1
    assert any("there is no `endDate`" in message for message in ended.messages)
    source = json.dumps({"id": "f", "namespace": "team", "tasks": [{"id": "t", "type": f"{CORE}storage.Purge"}]})
    checked = await server.client.post("/api/v1/main/flows/validate", content=source)
    assert "execution.PurgeExecutions" in json.dumps(checked.json())


async def test_purge_with_a_date_that_is_none_fails(server: LiveServer) -> None:
    """OPS-166."""
    ended = await purge(server, endDate="soon")
    assert ended.state == "FAILED"
    assert any("`endDate` is `soon`, which is no date" in message for message in ended.messages)


async def test_purge_leaves_executions_that_have_not_ended(server: LiveServer) -> None:
    """OPS-166."""
    source = {"id": "waits", "namespace": "team", "tasks": [{"id": "p", "type": f"{CORE}flow.Pause"}]}
    await server.services.flows.put("main", json.dumps(source))
    await server.until((await server.start("waits"))["id"], "PAUSED")
    await purge(server, endDate=FUTURE, states=["PAUSED", "SUCCESS"])
    assert "waits:PAUSED" in await executions(server)


async def test_purge_logs_removes_lines_by_level(server: LiveServer) -> None:
    """OPS-166, USE-084."""
    before = await old(server, fails=True)
    assert "hello" in before.messages
    ended = await run_tasks(
        server, {**LOGS, "endDate": FUTURE, "namespace": "team", "flowId": "old", "logLevels": ["INFO"]}, id="purge"
    )
    left = [
        (line["level"], line["message"]) for line in (await server.client.get(f"/api/v1/main/logs/{before.id}")).json()
    ]
    assert ended.outputs["t1"]["count"] == len(before.messages) - len(left)
    assert "hello" not in [message for _, message in left]
    assert "ERROR" in [level for level, _ in left]


async def test_purge_logs_by_date_leaves_newer_lines(server: LiveServer) -> None:
    """OPS-166."""
    before = await old(server)
    ended = await run_tasks(server, {**LOGS, "endDate": PAST, "executionId": before.id}, id="purge")
    assert ended.outputs["t1"]["count"] == 0


def test_purge_that_is_killed_stops_after_a_batch() -> None:
    """OPS-166."""
    batches: list[Any] = []

    def one(after: Any = None, **_: Any) -> dict[str, Any]:
        batches.append(after)
        context.interrupt()
        return {"executions": 100, "logs": 0, "metrics": 0, "files": 0, "position": [1, "x"]}

    with RunContextFactory({"purgeExecutions": one}) as contexts:
        context = contexts.of()
        with pytest.raises(PurgeStopped, match="stopped after 100 executions"):
            PurgeExecutions(id="t", type=PurgeExecutions.type_name).run(context)
    assert batches == [None]


def test_purge_tells_now_and_then_how_far_it_is(contexts: RunContextFactory) -> None:
    """OPS-166."""
    context = contexts.of()
    batches = Batches(context, "things")
    for _ in range(25):
        batches.add(1_000)
    assert batches.end() == 25_000
    assert [message for _, message in messages_of(context)] == [
        "10000 things removed so far",
        "20000 things removed so far",
        "25000 things removed",
    ]
