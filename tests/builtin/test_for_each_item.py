"""`ForEachItem` on a whole server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.live import LiveServer

CHILD = """
id: my_subflow
namespace: team
inputs:
  - {id: value, type: FILE}
  - {id: number, type: INT}
tasks:
  - {id: inspect, type: io.kestra.plugin.core.log.Log, message: "{{ read(inputs.value) }}"}
outputs:
  - {id: summary, type: STRING, value: "{{ inputs.number }}: {{ read(inputs.value) }}"}
"""
FAILS_ON_TWO = """
id: my_subflow
namespace: team
inputs:
  - {id: value, type: FILE}
  - {id: number, type: INT}
tasks:
  - {id: check, type: io.kestra.plugin.core.execution.Assert, conditions: ["{{ inputs.number != 1 }}"]}
"""


def parent(batch: str = "rows: 4", more: str = "", items: str = "{{ outputs.generate.uri }}", rows: int = 10) -> str:
    lines = "\\n".join(str(number) for number in range(1, rows + 1)) + ("\\n" if rows else "")
    return f"""
id: parent
namespace: team
tasks:
  - {{id: generate, type: io.kestra.plugin.core.storage.Write, content: "{lines}"}}
  - id: each
    type: io.kestra.plugin.core.flow.ForEachItem
    items: "{items}"
    batch: {{{batch}}}
    namespace: team
    flowId: my_subflow
    inputs:
      value: "{{{{ taskrun.items }}}}"
      number: "{{{{ taskrun.iteration }}}}"
    labels:
      batch: "{{{{ taskrun.iteration }}}}"
{more}
  - {{id: after, type: io.kestra.plugin.core.debug.Return, format: done}}
"""


def runs_of(execution: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {run["taskId"]: run for run in execution["taskRunList"]}


def states_of(execution: dict[str, Any]) -> list[tuple[str, str]]:
    return [(run["taskId"], run["state"]["current"]) for run in execution["taskRunList"]]


async def children(live: LiveServer) -> list[dict[str, Any]]:
    """Return the executions of the subflow in the order of their batches."""
    params = {"filters[flowId][EQUALS]": "my_subflow", "size": "100"}
    answer = await live.client.get("/api/v1/main/executions/search", params=params)
    return sorted(answer.json()["results"], key=lambda one: int(label(one, "batch")))


def label(execution: dict[str, Any], key: str) -> str:
    return {str(one["key"]): str(one["value"]) for one in execution["labels"]}[key]


async def content_of(live: LiveServer, execution: dict[str, Any], uri: str) -> str:
    answer = await live.client.get(f"/api/v1/main/executions/{execution['id']}/file", params={"path": uri})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_flow_runs_once_for_each_batch_and_the_outputs_are_merged(server: LiveServer) -> None:
    """ENG-086 to ENG-089, ENG-414, worked example 7."""
    await server.flow(CHILD)
    await server.flow(parent())
    execution = await server.run("parent")
    names = ("generate", "each", "each_split", "each_merge", "after")
    assert states_of(execution) == [(name, "SUCCESS") for name in names]
    runs = runs_of(execution)
    assert runs["each"]["outputs"] == {"numberOfBatches": 3, "iterations": {"SUCCESS": 3}}
    splits = (await content_of(server, execution, runs["each_split"]["outputs"]["splits"])).splitlines()
    batches = [await content_of(server, execution, uri) for uri in splits]
    assert batches == ["1\n2\n3\n4\n", "5\n6\n7\n8\n", "9\n10\n"]
    merged = await content_of(server, execution, runs["each_merge"]["outputs"]["subflowOutputs"])
    summaries = [json.loads(line)["summary"] for line in merged.splitlines()]
    assert summaries == [f"{number}: {batch}" for number, batch in enumerate(batches)]
    found = await children(server)
    assert [one["state"]["current"] for one in found] == ["SUCCESS"] * 3
    assert {label(one, "system.correlationId") for one in found} == {execution["id"]}


@pytest.mark.parametrize(
    ("batch", "count"),
    [("", 10), ("rows: 5", 2), ("partitions: 3", 3), ("partitions: 3, rows: 1", 3), ('bytes: "6", partitions: 9', 4)],
)
async def test_size_of_a_batch_is_bytes_before_partitions_before_rows(
    server: LiveServer, batch: str, count: int
) -> None:
    """ENG-087, ENG-416."""
    await server.flow(CHILD)
    await server.flow(parent(batch))
    execution = await server.run("parent")
    assert runs_of(execution)["each"]["outputs"]["numberOfBatches"] == count


async def test_empty_file_starts_nothing(server: LiveServer) -> None:
    await server.flow(CHILD)
    await server.flow(parent(rows=0))
    execution = await server.run("parent")
    assert execution["state"]["current"] == "SUCCESS"
    assert runs_of(execution)["each"]["outputs"] == {"numberOfBatches": 0, "iterations": {}}
    assert await children(server) == []


@pytest.mark.parametrize(("more", "state"), [("", "FAILED"), ("    transmitFailed: false", "SUCCESS")])
async def test_failed_execution_fails_the_task_unless_told_otherwise(server: LiveServer, more: str, state: str) -> None:
    """ENG-088: the others run to their end all the same."""
    await server.flow(FAILS_ON_TWO)
    await server.flow(parent(more=more))
    execution = await server.run("parent")
    assert execution["state"]["current"] == state
    runs = runs_of(execution)
    assert runs["each"]["state"]["current"] == state
    assert runs["each"]["outputs"]["iterations"] == {"FAILED": 1, "SUCCESS": 2}
    assert ("after" in runs) is (state == "SUCCESS")


async def test_executions_that_are_not_waited_for_let_the_task_end(server: LiveServer) -> None:
    """ENG-088."""
    await server.flow(CHILD)
    await server.flow(parent(more="    wait: false"))
    execution = await server.run("parent")
    assert [name for name, _ in states_of(execution)] == ["generate", "each", "each_split", "after"]
    assert runs_of(execution)["each"]["outputs"] == {"numberOfBatches": 3}
    assert len(await children(server)) == 3


async def test_items_that_are_no_stored_file_fail_with_a_clear_message(server: LiveServer) -> None:
    """ENG-087, USE-B024."""
    await server.flow(CHILD)
    await server.flow(parent(items="{{ flow.id }}"))
    execution = await server.run("parent")
    assert states_of(execution)[1:] == [("each", "FAILED")]
    lines = (await server.client.get(f"/api/v1/main/logs/{execution['id']}")).json()
    assert any("`parent`, not the URI of a file in internal storage" in line["message"] for line in lines)


async def test_restart_runs_the_failed_execution_again(server: LiveServer) -> None:
    """ENG-415: no new executions; what had succeeded is not run again."""
    await server.flow(FAILS_ON_TWO)
    await server.flow(parent())
    execution = await server.run("parent")
    before = await children(server)
    answer = await server.client.post(f"/api/v1/main/executions/{execution['id']}/restart")
    assert answer.is_success, answer.text
    again = await server.until(execution["id"], "FAILED")
    assert runs_of(again)["each"]["outputs"]["iterations"] == {"FAILED": 1, "SUCCESS": 2}
    after = await children(server)
    assert [one["id"] for one in after] == [one["id"] for one in before]
    whole = [(await server.client.get(f"/api/v1/main/executions/{one['id']}")).json() for one in after]
    attempts = [len(one["taskRunList"][0]["attempts"]) for one in whole]
    assert attempts == [1, 2, 1]


async def test_batches_in_a_loop_are_those_of_the_iteration(server: LiveServer) -> None:
    await server.flow(CHILD)
    await server.flow(
        """
id: loop
namespace: team
tasks:
  - id: loop
    type: io.kestra.plugin.core.flow.ForEach
    values: [a, b]
    tasks:
      - id: write
        type: io.kestra.plugin.core.storage.Write
        content: "{{ taskrun.value }}1\\n{{ taskrun.value }}2\\n"
      - id: each
        type: io.kestra.plugin.core.flow.ForEachItem
        items: "{{ outputs.write[taskrun.value].uri }}"
        namespace: team
        flowId: my_subflow
        inputs: {value: "{{ taskrun.items }}", number: "{{ taskrun.iteration }}"}
        labels: {batch: "{{ taskrun.iteration }}", letter: "{{ taskrun.value }}"}
"""
    )
    execution = await server.run("loop")
    assert execution["state"]["current"] == "SUCCESS"
    found = [(label(one, "letter"), label(one, "batch")) for one in await children(server)]
    assert sorted(found) == [("a", "0"), ("a", "1"), ("b", "0"), ("b", "1")]
