"""Tasks that look at executions and triggers, run by a worker on a real server."""

from __future__ import annotations

import json

from penstock.sdk import ion_values
from tests.support.flows import CORE, run_tasks
from tests.support.live import LiveServer

LOG = {"id": "say", "type": f"{CORE}log.Log", "message": ["one", "two"], "level": "WARN"}
COUNT = {"type": f"{CORE}execution.Count"}


async def stored(server: LiveServer, execution_id: str, uri: str) -> list[dict[str, object]]:
    answer = await server.client.get(f"/api/v1/main/executions/{execution_id}/file", params={"path": uri})
    assert answer.status_code == 200
    return ion_values(answer.text)


async def test_fetch_stores_the_lines_of_some_tasks(server: LiveServer) -> None:
    """MIG-020."""
    other = {"id": "other", "type": f"{CORE}log.Log", "message": "three"}
    wait = {"id": "wait", "type": f"{CORE}flow.Sleep", "duration": "PT1.5S"}  # until the lines are stored
    fetch = {"id": "fetch", "type": "io.kestra.core.tasks.log.Fetch", "tasksId": ["say"], "level": "INFO"}
    ended = await run_tasks(server, LOG, other, wait, fetch)
    assert ended.state == "SUCCESS", ended.messages
    lines = await stored(server, ended.id, ended.outputs["fetch"]["uri"])
    assert [(line["level"], line["taskId"], line["message"]) for line in lines] == [
        ("WARN", "say", "one"),
        ("WARN", "say", "two"),
    ]
    assert ended.outputs["fetch"]["size"] == 2


async def test_fetch_of_another_execution_by_level(server: LiveServer) -> None:
    """MIG-020."""
    before = await run_tasks(server, LOG, {"id": "info", "type": f"{CORE}log.Log", "message": "less"})
    fetch = {"id": "fetch", "type": f"{CORE}log.Fetch", "executionId": before.id, "level": "WARN"}
    ended = await run_tasks(server, fetch, id="second")
    assert [line["message"] for line in await stored(server, ended.id, ended.outputs["fetch"]["uri"])] == ["one", "two"]
    unknown = await run_tasks(server, {**fetch, "executionId": "never"}, id="third")
    assert unknown.state == "FAILED"
    assert any("never" in message for message in unknown.messages)


async def test_count_counts_flows_and_namespaces(server: LiveServer) -> None:
    """MIG-020."""
    for flow_id in ("a", "a", "b"):
        await run_tasks(server, LOG, id=flow_id)
    flows = [{"namespace": "team", "flowId": one} for one in ("a", "b", "never")]
    ended = await run_tasks(
        server,
        {**COUNT, "flows": flows, "states": ["SUCCESS"], "startDate": "{{ now() | dateAdd(-1, 'DAYS') }}"},
        {"type": "io.kestra.core.tasks.executions.Counts", "flows": flows, "expression": "{{ count == 0 }}"},
        {**COUNT, "namespaces": ["team"], "states": ["SUCCESS"]},
        {**COUNT, "flows": flows, "endDate": "{{ now() | dateAdd(-1, 'DAYS') }}"},
        id="count",
    )
    assert ended.state == "SUCCESS", ended.messages
    assert [one["count"] for one in ended.outputs["t1"]["results"]] == [2, 1, 0]
    assert ended.outputs["t1"]["total"] == 3
    assert ended.outputs["t2"]["results"] == [{"namespace": "team", "flowId": "never", "count": 0}]
    assert ended.outputs["t3"]["results"] == [{"namespace": "team", "count": 3}]
    assert ended.outputs["t4"]["total"] == 0


async def test_count_of_nothing_fails(server: LiveServer) -> None:
    """MIG-020."""
    ended = await run_tasks(server, COUNT)
    assert ended.state == "FAILED"
    assert any("nothing to count" in message for message in ended.messages)


async def test_toggle_of_a_trigger_that_is_not_there_fails(server: LiveServer) -> None:
    """MIG-020."""
    ended = await run_tasks(server, {"type": "io.kestra.core.tasks.trigger.Toggle", "trigger": "never"})
    assert ended.state == "FAILED"
    assert any("no trigger team.flow.never" in message for message in ended.messages)


async def test_state_keeps_fields_between_tasks(server: LiveServer) -> None:
    """MIG-034, MIG-020."""
    state, old = f"{CORE}state.", "io.kestra.core.tasks.states."
    ended = await run_tasks(
        server,
        {"type": f"{state}Set", "data": {"a": 1, "b": ["x"]}},
        {"type": f"{old}Set", "data": {"a": "{{ 1 + 1 }}"}},
        {"type": f"{state}Get"},
        {"type": f"{state}Get", "name": "other"},
        {"type": f"{state}Set", "name": "shared", "namespace": True, "data": {"n": 1}},
        {"type": f"{state}Delete"},
        {"type": f"{old}Delete", "errorOnMissing": False},
        {"type": f"{old}Get", "errorOnMissing": True},
    )
    assert ended.state == "FAILED"
    assert any("there is no state `default`" in message for message in ended.messages)
    outputs = ended.outputs
    assert outputs["t1"] == {"count": 2, "key": "flow_states_default"}
    assert outputs["t3"] == {"count": 2, "data": {"a": "2", "b": ["x"]}}
    assert outputs["t4"] == {"count": 0, "data": {}}
    assert outputs["t5"]["key"] == "states_shared"
    assert (outputs["t6"]["deleted"], outputs["t7"]["deleted"]) == (True, False)


async def test_state_in_a_loop_is_one_for_each_iteration(server: LiveServer) -> None:
    """MIG-034."""
    inner = [
        {"id": "set", "type": f"{CORE}state.Set", "data": {"v": "{{ taskrun.value }}"}},
        {"id": "all", "type": f"{CORE}state.Set", "taskrunValue": False, "data": {"{{ taskrun.value }}": "x"}},
    ]
    ended = await run_tasks(server, {"type": f"{CORE}flow.ForEach", "values": ["a", "b"], "tasks": inner})
    assert ended.state == "SUCCESS", ended.messages
    pairs = (await server.client.get("/api/v1/main/namespaces/team/kv")).json()
    assert len(pairs) == 3
    value = (await server.client.get("/api/v1/main/namespaces/team/kv/flow_states_default")).json()["value"]
    assert json.loads(json.dumps(value)) == {"a": "x", "b": "x"}
