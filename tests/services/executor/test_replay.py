"""Replays: new executions that reuse what ran before."""

from __future__ import annotations

from typing import Any

from tests.support.live import LiveServer

RETURN = "io.kestra.plugin.core.debug.Return"
THREE = f"""
id: three
namespace: team
inputs:
  - {{id: word, type: STRING, defaults: hello}}
tasks:
  - {{id: a, type: {RETURN}, format: "a {{{{ inputs.word }}}} {{{{ execution.id }}}}"}}
  - {{id: b, type: {RETURN}, format: "b after {{{{ outputs.a.value }}}}"}}
  - {{id: c, type: {RETURN}, format: "c in {{{{ execution.id }}}} of {{{{ execution.originalId }}}}"}}
"""


def runs(execution: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for run in execution["taskRunList"]:
        found.setdefault(run["taskId"], []).append(run)
    return found


async def replay(live: LiveServer, execution: dict[str, Any], **params: Any) -> dict[str, Any]:
    answer = await live.client.post(f"/api/v1/main/executions/{execution['id']}/replay", params=params)
    assert answer.status_code == 200, answer.text
    return await live.until(answer.json()["id"], "SUCCESS", "FAILED", "KILLED")


async def test_replay_from_a_task_run_reuses_the_outputs_before_it(live: LiveServer) -> None:
    """ENG-154, ENG-398."""
    await live.flow(THREE)
    first = await live.run("three", data={"word": "again"})
    again = await replay(live, first, taskRunId=runs(first)["b"][0]["id"])
    assert again["state"]["current"] == "SUCCESS"
    assert (again["originalId"], again["metadata"]["attemptNumber"]) == (first["id"], 2)
    outputs = {task: found[0]["outputs"]["value"] for task, found in runs(again).items()}
    assert outputs["a"] == f"a again {first['id']}", "not run again"
    assert outputs["b"] == f"b after a again {first['id']}"
    assert outputs["c"] == f"c in {again['id']} of {first['id']}"
    assert runs(again)["b"][0]["state"]["histories"][0]["state"] == "CREATED"


async def test_replay_from_the_start_runs_everything_with_the_same_inputs(live: LiveServer) -> None:
    await live.flow(THREE)
    first = await live.run("three", data={"word": "same"})
    again = await replay(live, first)
    assert runs(again)["a"][0]["outputs"]["value"] == f"a same {again['id']}"


async def test_replay_with_the_latest_revision_runs_the_new_tasks(live: LiveServer) -> None:
    """ENG-155."""
    await live.flow(THREE)
    first = await live.run("three")
    await live.client.put("/api/v1/main/flows/team/three", content=THREE.replace('"c in', '"C! in'))
    old = await replay(live, first, taskRunId=runs(first)["c"][0]["id"])
    new = await replay(live, first, taskRunId=runs(first)["c"][0]["id"], latestRevision="true")
    assert (old["flowRevision"], runs(old)["c"][0]["outputs"]["value"][:2]) == (1, "c ")
    assert (new["flowRevision"], runs(new)["c"][0]["outputs"]["value"][:2]) == (2, "C!")


NESTED = f"""
id: nested
namespace: team
tasks:
  - {{id: before, type: {RETURN}, format: before}}
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [x, y, z]
    concurrencyLimit: %d
    tasks:
      - {{id: one, type: {RETURN}, format: "{{{{ taskrun.value }}}} in {{{{ execution.id }}}}"}}
      - id: side
        type: io.kestra.plugin.core.flow.Parallel
        tasks:
          - {{id: left, type: {RETURN}, format: "{{{{ execution.id }}}}"}}
          - {{id: right, type: {RETURN}, format: "{{{{ execution.id }}}}"}}
  - {{id: after, type: {RETURN}, format: "{{{{ outputs.one | length }}}}"}}
"""


def who(execution: dict[str, Any], task_id: str) -> list[str]:
    return [run["outputs"]["value"].split(" ")[-1] for run in runs(execution)[task_id]]


async def test_replay_inside_a_loop_that_runs_in_order_runs_the_later_iterations_again(live: LiveServer) -> None:
    await live.flow(NESTED % 1)
    first = await live.run("nested")
    (second,) = [run for run in runs(first)["left"] if run["parentTaskRunId"] == runs(first)["side"][1]["id"]]
    again = await replay(live, first, taskRunId=second["id"])
    assert again["state"]["current"] == "SUCCESS"
    assert len(again["taskRunList"]) == len(first["taskRunList"])
    assert who(again, "one") == [first["id"], first["id"], again["id"]]
    assert sorted(who(again, "left")) == sorted([first["id"], again["id"], again["id"]])
    assert sorted(who(again, "right")) == sorted([first["id"], first["id"], again["id"]])
    assert runs(again)["after"][0]["outputs"]["value"] == "3"


async def test_replay_inside_a_loop_that_runs_at_once_keeps_the_other_iterations(live: LiveServer) -> None:
    await live.flow(NESTED % 0)
    first = await live.run("nested")
    chosen = runs(first)["one"][1]
    again = await replay(live, first, taskRunId=chosen["id"])
    assert again["state"]["current"] == "SUCCESS"
    assert sorted(who(again, "one")) == sorted([first["id"], first["id"], again["id"]])
    assert len(again["taskRunList"]) == len(first["taskRunList"])


async def test_replay_of_a_failed_execution_from_its_failed_task(live: LiveServer) -> None:
    await live.flow(THREE.replace('"b after {{ outputs.a.value }}"', '"{{ outputs.nothing.here }}"'))
    first = await live.run("three")
    assert first["state"]["current"] == "FAILED"
    await live.client.put("/api/v1/main/flows/team/three", content=THREE)
    again = await replay(live, first, taskRunId=runs(first)["b"][0]["id"], latestRevision="true")
    assert again["state"]["current"] == "SUCCESS"


async def test_replay_of_what_does_not_exist_is_not_found(live: LiveServer) -> None:
    await live.flow(THREE)
    first = await live.run("three")
    path = f"/api/v1/main/executions/{first['id']}/replay"
    assert (await live.client.post(path, params={"taskRunId": "nothing"})).status_code == 404
    assert (await live.client.post(path, params={"revision": 9})).status_code == 404
    assert (await live.client.post("/api/v1/main/executions/none/replay")).status_code == 404
