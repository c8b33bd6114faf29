"""Flows that execute other flows."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.live import LiveServer
from tests.support.waiting import PATIENCE

CHILD = """
id: child
namespace: team
inputs:
  - {id: word, type: STRING, defaults: none}
tasks:
  - {id: say, type: io.kestra.plugin.core.debug.Return, format: "said {{ inputs.word }}"}
outputs:
  - {id: final, type: STRING, value: "{{ outputs.say.value }}"}
"""
FAILING = """
id: failing
namespace: team
tasks:
  - {id: ko, type: io.kestra.plugin.core.execution.Fail, errorMessage: no luck}
"""
PAUSING = """
id: pausing
namespace: team
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Pause}
"""


def parent(flow_id: str, more: str = "", after: str = "{{ outputs.sub }}") -> str:
    return f"""
id: parent
namespace: team
labels: {{team: a}}
tasks:
  - id: sub
    type: io.kestra.plugin.core.flow.Subflow
    namespace: team
    flowId: "{flow_id}"
{more}
  - {{id: after, type: io.kestra.plugin.core.debug.Return, format: "{after}"}}
"""


def task_run(execution: dict[str, Any], task_id: str) -> dict[str, Any]:
    (run,) = [one for one in execution["taskRunList"] if one["taskId"] == task_id]
    return run


def label(execution: dict[str, Any], key: str) -> str | None:
    return {one["key"]: one["value"] for one in execution["labels"]}.get(key)


async def only(live: LiveServer, flow_id: str) -> dict[str, Any]:
    answer = await live.client.get("/api/v1/main/executions/search", params={"filters[flowId][EQUALS]": flow_id})
    (found,) = answer.json()["results"]
    body: dict[str, Any] = (await live.client.get(f"/api/v1/main/executions/{found['id']}")).json()
    return body


async def logs_of(live: LiveServer, execution: dict[str, Any]) -> list[str]:
    return [line["message"] for line in (await live.client.get(f"/api/v1/main/logs/{execution['id']}")).json()]


async def test_subflow_waits_and_hands_over_outputs(live: LiveServer) -> None:
    """ENG-101 to ENG-104, example 12 of the language."""
    await live.flow(CHILD)
    await live.flow(parent("child", "    inputs: {word: hello}", "{{ outputs.sub.outputs.final }}"))
    done = await live.run("parent")
    child = await only(live, "child")
    assert done["state"]["current"] == "SUCCESS"
    assert task_run(done, "after")["outputs"]["value"] == "said hello"
    assert task_run(done, "sub")["outputs"] == {
        "executionId": child["id"],
        "state": "SUCCESS",
        "outputs": {"final": "said hello"},
    }
    assert child["outputs"] == {"final": "said hello"}
    assert label(child, "system.correlationId") == done["id"], "ENG-034"
    assert label(child, "team") is None, "labels are not inherited unless asked for"


async def test_subflow_inherits_labels_when_asked(live: LiveServer) -> None:
    await live.flow(CHILD)
    await live.flow(parent("child", "    inheritLabels: true\n    labels: {own: '{{ flow.id }}'}"))
    await live.run("parent")
    child = await only(live, "child")
    assert (label(child, "team"), label(child, "own")) == ("a", "parent")


async def test_subflow_that_is_not_waited_for_runs_by_itself(live: LiveServer) -> None:
    """ENG-102."""
    await live.flow(PAUSING)
    await live.flow(parent("pausing", "    wait: false", "{{ outputs.sub.executionId }}"))
    done = await live.run("parent")
    child = await only(live, "pausing")
    assert done["state"]["current"] == "SUCCESS"
    assert task_run(done, "after")["outputs"]["value"] == child["id"]
    assert child["state"]["current"] == "PAUSED"


async def test_failed_subflow_fails_its_parent_unless_told_otherwise(live: LiveServer) -> None:
    """ENG-103, ENG-395."""
    await live.flow(FAILING)
    await live.flow(parent("failing"))
    done = await live.run("parent")
    assert done["state"]["current"] == "FAILED"
    await live.client.put("/api/v1/main/flows/team/parent", content=parent("failing", "    transmitFailed: false"))
    done = await live.run("parent")
    assert done["state"]["current"] == "SUCCESS"
    assert task_run(done, "sub")["outputs"]["state"] == "FAILED"


async def test_subflow_of_a_flow_that_does_not_exist_fails_with_its_name(live: LiveServer) -> None:
    await live.flow(parent("missing"))
    done = await live.run("parent")
    assert done["state"]["current"] == "FAILED"
    logs = (await live.client.get(f"/api/v1/main/logs/{done['id']}")).json()
    assert "missing" in logs[-1]["message"]


async def test_subflow_with_wrong_inputs_fails_and_creates_no_execution(live: LiveServer) -> None:
    """ENG-105."""
    await live.flow(CHILD.replace("STRING, defaults: none", "INT"))
    await live.flow(parent("child", "    inputs: {word: many}"))
    assert (await live.run("parent"))["state"]["current"] == "FAILED"
    answer = await live.client.get("/api/v1/main/executions/search", params={"filters[flowId][EQUALS]": "child"})
    assert answer.json()["total"] == 0


async def test_subflow_of_a_disabled_flow_fails_at_once(live: LiveServer) -> None:
    """ENG-039."""
    await live.flow(CHILD + "disabled: true\n")
    await live.flow(parent("child"))
    assert (await live.run("parent"))["state"]["current"] == "FAILED"


async def test_kill_reaches_the_subflow_and_the_parent_ends_killed(live: LiveServer) -> None:
    """BEY-007."""
    await live.flow(PAUSING)
    await live.flow(parent("pausing"))
    started = await live.start("parent")
    await live.until((await only(live, "pausing"))["id"], "PAUSED")
    answer = await live.client.delete(f"/api/v1/main/executions/{started['id']}/kill")
    assert answer.status_code < 300, answer.text
    await live.until(started["id"], "KILLED")
    assert (await only(live, "pausing"))["state"]["current"] == "KILLED"


async def test_restart_of_the_parent_restarts_the_failed_child(live: LiveServer) -> None:
    """ENG-415."""
    flaky = FAILING.replace("errorMessage: no luck", 'condition: "{{ taskrun.attemptsCount == 0 }}"')
    await live.flow(flaky)
    await live.flow(parent("failing"))
    done = await live.run("parent")
    assert done["state"]["current"] == "FAILED"
    child = await only(live, "failing")
    await live.client.post(f"/api/v1/main/executions/{done['id']}/restart")
    done = await live.until(done["id"], "SUCCESS")
    assert task_run(done, "sub")["outputs"]["executionId"] == child["id"]
    assert (await only(live, "failing"))["state"]["current"] == "SUCCESS"


async def test_execution_with_a_failed_working_directory_restarts(live: LiveServer) -> None:
    """ENG-153, ENG-097: task runs inside a working directory are the directory's business."""
    await live.flow(
        """
id: directory
namespace: team
tasks:
  - id: together
    type: io.kestra.plugin.core.flow.WorkingDirectory
    tasks:
      - {id: ko, type: io.kestra.plugin.core.execution.Fail}
"""
    )
    done = await live.run("directory")
    assert done["state"]["current"] == "FAILED"
    assert (await live.client.post(f"/api/v1/main/executions/{done['id']}/restart")).status_code == 200
    again = done
    for _ in range(6000):
        again = await live.until(done["id"], "FAILED")
        if len(task_run(again, "together")["attempts"]) == 2:
            break
        await asyncio.sleep(0.01)
    assert len(task_run(again, "together")["attempts"]) == 2
    assert again["state"]["histories"][-1]["state"] == "FAILED"


ONCE = PAUSING.replace(
    "tasks:", 'idempotency: {key: "{{ 1 }}"}\noutputs: [{id: word, type: STRING, value: done}]\ntasks:'
)


async def test_subflow_that_repeats_a_launch_takes_the_end_of_the_first(live: LiveServer) -> None:
    """BEY-044: `idempotency` of the flow that is called; while the first runs, a retry waits for it."""
    await live.flow(ONCE)
    retry = "    retry: {type: constant, interval: PT0.05S, maxDuration: PT30S}"
    await live.flow(parent("pausing", retry, after="{{ outputs.sub.outputs.word }} {{ outputs.sub.executionId }}"))
    first = await live.start("pausing")
    await live.until(first["id"], "PAUSED")
    waiting = await live.start("parent")
    async with asyncio.timeout(PATIENCE):
        while not any("is PAUSED and not over" in line for line in await logs_of(live, waiting)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await live.client.post(f"/api/v1/main/executions/{first['id']}/resume")
    ended = await live.until(waiting["id"], "SUCCESS")
    assert task_run(ended, "after")["outputs"]["value"] == f"done {first['id']}"
    assert (await only(live, "pausing"))["id"] == first["id"]


async def test_subflows_of_one_key_at_the_same_moment_are_one_execution(live: LiveServer) -> None:
    """BEY-044."""
    await live.flow(ONCE)
    await live.flow(
        """
id: twice
namespace: team
tasks:
  - id: both
    type: io.kestra.plugin.core.flow.ForEach
    values: [1, 2]
    concurrencyLimit: 0
    tasks:
      - {id: sub, type: io.kestra.plugin.core.flow.Subflow, namespace: team, flowId: pausing, wait: false}
"""
    )
    ended = await live.run("twice")
    called = {run["outputs"]["executionId"] for run in ended["taskRunList"] if run["taskId"] == "sub"}
    assert called == {(await only(live, "pausing"))["id"]}
