"""Executions that belong together: parents and children that are retried, restarted or killed; revisions they keep."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.builtin.flow import for_each_item
from tests.services.executor.test_subflows import only, parent, task_run
from tests.support.live import LiveServer

FAIL = "io.kestra.plugin.core.execution.Fail"
RETRIED = f"""
id: child
namespace: team
retry: {{maxAttempts: 3, behavior: CREATE_NEW_EXECUTION, type: constant, interval: PT0.02S}}
tasks:
  - {{id: ko, type: {FAIL}, condition: "{{{{ kv('child', errorOnMissing=false) != 'may pass' }}}}"}}
"""


async def tries(live: LiveServer) -> list[dict[str, Any]]:
    """Return the executions of the child, first try first."""
    answer = await live.client.get("/api/v1/main/executions/search", params={"filters[flowId][EQUALS]": "child"})
    return sorted(answer.json()["results"], key=lambda one: int(one["metadata"]["attemptNumber"]))


async def let_pass(live: LiveServer) -> None:
    path = "/api/v1/main/namespaces/team/kv/child"
    answer = await live.client.put(path, content='"may pass"', headers={"Content-Type": "text/plain"})
    assert answer.status_code < 300, answer.text


async def states(live: LiveServer) -> list[str]:
    return [one["state"]["current"] for one in await tries(live)]


async def test_parent_waits_for_the_last_try_of_a_child_that_is_retried_as_new_executions(live: LiveServer) -> None:
    """BEY-007."""
    await live.flow(RETRIED)
    await live.flow(parent("child"))
    done = await live.run("parent")
    assert done["state"]["current"] == "FAILED"
    assert await states(live) == ["RETRIED", "RETRIED", "FAILED"]


async def test_parent_restarted_restarts_the_last_try_of_its_child(live: LiveServer) -> None:
    """BEY-007, ENG-415."""
    await live.flow(RETRIED)
    await live.flow(parent("child"))
    done = await live.run("parent")
    await let_pass(live)
    answer = await live.client.post(f"/api/v1/main/executions/{done['id']}/restart")
    assert answer.status_code == 200, answer.text
    await live.until(done["id"], "SUCCESS")
    assert await states(live) == ["RETRIED", "RETRIED", "SUCCESS"]


async def test_kill_of_the_parent_reaches_the_try_that_its_child_has_come_to(live: LiveServer) -> None:
    """BEY-007: what waits for its next try is killed, not the try that is over."""
    await live.flow(RETRIED.replace("PT0.02S", "PT1H"))
    await live.flow(parent("child"))
    started = await live.start("parent")
    await live.until((await only_first(live))["id"], "RETRIED")
    await live.client.delete(f"/api/v1/main/executions/{started['id']}/kill")
    await live.until(started["id"], "KILLED")
    assert await states(live) == ["RETRIED", "KILLED"]


async def only_first(live: LiveServer) -> dict[str, Any]:
    for _ in range(6000):
        found = await tries(live)
        if found:
            return found[0]
    raise AssertionError("no child was started")


async def test_child_killed_fails_the_task_that_waits_for_it(live: LiveServer) -> None:
    """BEY-007, ENG-395: a kill works from the child's side too."""
    await live.flow("id: child\nnamespace: team\ntasks:\n  - {id: wait, type: io.kestra.plugin.core.flow.Pause}\n")
    await live.flow(parent("child"))
    started = await live.start("parent")
    child = await live.until((await only_first(live))["id"], "PAUSED")
    await live.client.delete(f"/api/v1/main/executions/{child['id']}/kill")
    done = await live.until(started["id"], "FAILED")
    assert task_run(done, "sub")["outputs"]["state"] == "KILLED"


async def test_parent_restarted_after_its_child_was_deleted_fails_instead_of_waiting(live: LiveServer) -> None:
    """BEY-007."""
    await live.flow(RETRIED.replace("maxAttempts: 3", "maxAttempts: 1"))
    await live.flow(parent("child"))
    done = await live.run("parent")
    child = await only(live, "child")
    assert (await live.client.delete(f"/api/v1/main/executions/{child['id']}")).status_code < 300
    await live.client.post(f"/api/v1/main/executions/{done['id']}/restart")
    for _ in range(500):
        again = await live.until(done["id"], "FAILED")
        if "RESTARTED" in [one["state"] for one in again["state"]["histories"]]:
            break
    logs = (await live.client.get(f"/api/v1/main/logs/{done['id']}")).json()
    assert f"there is no execution {child['id']}" in logs[-1]["message"]


async def test_flow_level_retry_of_the_parent_executes_its_subflow_anew(live: LiveServer) -> None:
    """ENG-109."""
    await live.flow(RETRIED.replace("maxAttempts: 3", "maxAttempts: 1"))
    source = parent("child") + "retry: {maxAttempts: 3, behavior: RETRY_FAILED_TASK, type: constant, interval: PT0.02S}"
    await live.flow(source)
    done = await live.run("parent")
    assert done["state"]["current"] == "FAILED"
    assert len(task_run(done, "sub")["attempts"]) == 3
    assert await states(live) == ["FAILED", "FAILED", "FAILED"]


async def test_running_execution_keeps_its_revision_when_the_flow_changes(live: LiveServer) -> None:
    """BEY-008: a deploy, and even a deletion, leaves what runs alone."""
    source = """
id: kept
namespace: team
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Pause}
  - {id: says, type: io.kestra.plugin.core.debug.Return, format: first}
"""
    await live.flow(source)
    one, two = await live.start("kept"), await live.start("kept")
    for started in (one, two):
        await live.until(started["id"], "PAUSED")
    without = "id: kept\nnamespace: team\ntasks:\n  - {id: other, type: io.kestra.plugin.core.log.Log, message: x}\n"
    answer = await live.client.put("/api/v1/main/flows/team/kept", content=without)
    assert answer.status_code == 200, answer.text
    await live.client.post(f"/api/v1/main/executions/{one['id']}/resume")
    done = await live.until(one["id"], "SUCCESS", "FAILED")
    assert (done["flowRevision"], task_run(done, "says")["outputs"]["value"]) == (1, "first")
    await live.client.delete("/api/v1/main/flows/team/kept")
    await live.client.post(f"/api/v1/main/executions/{two['id']}/resume")
    done = await live.until(two["id"], "SUCCESS", "FAILED")
    assert task_run(done, "says")["outputs"]["value"] == "first"


BROKEN = f"""
id: mended
namespace: team
tasks:
  - {{id: before, type: io.kestra.plugin.core.debug.Return, format: kept}}
  - {{id: ko, type: {FAIL}}}
"""
MENDED = """
id: mended
namespace: team
tasks:
  - {id: before, type: io.kestra.plugin.core.debug.Return, format: not run again}
  - {id: ko, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.before.value }}"}
  - {id: more, type: io.kestra.plugin.core.log.Log, message: new}
"""


async def test_restart_with_another_revision_goes_on_with_its_tasks(live: LiveServer) -> None:
    """ENG-153."""
    await live.flow(BROKEN)
    done = await live.run("mended")
    await live.client.put("/api/v1/main/flows/team/mended", content=MENDED)
    path = f"/api/v1/main/executions/{done['id']}/restart"
    assert (await live.client.post(path, params={"revision": 9})).status_code == 409
    assert (await live.client.post(path, params={"revision": 2})).status_code == 200
    done = await live.until(done["id"], "SUCCESS")
    assert done["flowRevision"] == 2
    assert [run["taskId"] for run in done["taskRunList"]] == ["before", "ko", "more"]
    assert task_run(done, "ko")["outputs"]["value"] == "kept"


async def test_restart_with_a_revision_that_lacks_the_failed_task_is_refused(live: LiveServer) -> None:
    await live.flow(BROKEN)
    done = await live.run("mended")
    await live.client.put("/api/v1/main/flows/team/mended", content=BROKEN.replace("id: ko", "id: other"))
    answer = await live.client.post(f"/api/v1/main/executions/{done['id']}/restart", params={"revision": 2})
    assert (answer.status_code, "`ko`" in answer.text) == (409, True)


async def test_restart_of_an_execution_that_succeeded_is_refused_with_the_way_out(live: LiveServer) -> None:
    """ENG-153."""
    await live.flow(MENDED)
    done = await live.run("mended")
    answer = await live.client.post(f"/api/v1/main/executions/{done['id']}/restart")
    assert answer.status_code == 409
    assert "no failed task" in answer.json()["message"]
    again = (await live.client.get(f"/api/v1/main/executions/{done['id']}")).json()
    assert again["state"] == done["state"]


async def test_variables_set_by_two_tasks_side_by_side_are_both_kept(live: LiveServer) -> None:
    """ENG-201."""
    await live.flow(
        """
id: variables
namespace: team
variables: {top: 0, nested: {one: 0, two: 0, kept: 0}}
tasks:
  - id: both
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - {id: one, type: io.kestra.plugin.core.execution.SetVariables, variables: {nested: {one: 1}, first: 1}}
      - {id: two, type: io.kestra.plugin.core.execution.SetVariables, variables: {nested: {two: 2}, top: 2}}
      - {id: out, type: io.kestra.plugin.core.execution.UnsetVariables, variables: [nested.kept]}
"""
    )
    done = await live.run("variables")
    assert done["state"]["current"] == "SUCCESS"
    assert done["variables"] == {"top": 2, "nested": {"one": 1, "two": 2}, "first": 1}


async def test_batches_beyond_one_decision_are_all_executed(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENG-087: many batches are begun a part at a time."""
    monkeypatch.setattr(for_each_item, "AT_ONCE", 3)
    await live.flow(
        """
id: child
namespace: team
inputs:
  - {id: row, type: FILE}
tasks:
  - {id: read, type: io.kestra.plugin.core.debug.Return, format: "{{ read(inputs.row) | trim }}"}
outputs:
  - {id: row, type: STRING, value: "{{ outputs.read.value }}"}
"""
    )
    lines = "\\n".join(str(number) for number in range(10))
    await live.flow(
        f"""
id: parent
namespace: team
tasks:
  - {{id: write, type: io.kestra.plugin.core.storage.Write, content: "{lines}"}}
  - id: each
    type: io.kestra.plugin.core.flow.ForEachItem
    items: "{{{{ outputs.write.uri }}}}"
    namespace: team
    flowId: child
    inputs: {{row: "{{{{ taskrun.items }}}}"}}
  - id: merged
    type: io.kestra.plugin.core.debug.Return
    format: "{{{{ read(outputs.each_merge.subflowOutputs) }}}}"
"""
    )
    done = await live.run("parent")
    assert done["state"]["current"] == "SUCCESS"
    assert task_run(done, "each")["outputs"] == {"numberOfBatches": 10, "iterations": {"SUCCESS": 10}}
    expected = "".join(f'{{"row": "{number}"}}\n' for number in range(10))
    assert task_run(done, "merged")["outputs"]["value"] == expected
