"""Executions that are large, wide or deep."""

from __future__ import annotations

from bench.flat import nested, skipping
from penstock.engine.events import Restart, TaskEnded
from penstock.engine.states import StateType
from tests.engine.harness import EngineRun
from tests.support.live import LiveServer

HEAD = "id: large\nnamespace: team\n"


async def test_tasksnested_a_hundred_levels_run_and_can_be_looked_at(live: LiveServer) -> None:
    """Nothing on the way from the text to the answer needs a deep stack: parser, engine, store, API."""
    await live.flow(HEAD + nested(100))
    done = await live.run("large")
    assert done["state"]["current"] == "SUCCESS"
    assert len(done["taskRunList"]) == 101
    flow = (await live.client.get("/api/v1/main/flows/team/large")).json()
    levels = 0
    task = flow["tasks"][0]
    while "tasks" in task:
        levels, task = levels + 1, task["tasks"][0]
    assert levels == 100
    verdict = (await live.client.post("/api/v1/main/flows/validate", content=HEAD + nested(100))).json()
    assert not verdict[0].get("constraints")


async def test_tasksnested_beyond_what_can_be_read_are_refused_in_words(live: LiveServer) -> None:
    answer = await live.client.post("/api/v1/main/flows", content=HEAD + nested(1000))
    assert (answer.status_code, "nested too deeply" in answer.text) == (422, True)


def test_loop_whose_tasks_are_all_skipped_in_one_decision_sees_each_state() -> None:
    """ENG-414: one task run in state SKIPPED per iteration; all of them are begun and ended in one turn."""
    run = EngineRun(HEAD + skipping(2000)).start()
    assert len(run.decisions) == 1
    run.finish()
    assert (run.ended, len(run.state.task_runs)) == ("SUCCESS", 2001)
    states = [state for task, state in run.states if task == "say"]
    assert (states.count("SKIPPED"), states.count("SUCCESS")) == (1998, 2)


def test_dag_restarted_after_a_failure_runs_what_waited_for_tasks_that_ended_meanwhile() -> None:
    """ENG-070, ENG-153."""
    source = (
        HEAD
        + """
tasks:
  - id: dag
    type: io.kestra.plugin.core.flow.Dag
    tasks:
      - task: {id: bad, type: io.kestra.plugin.core.log.Log, message: x}
      - task: {id: slow, type: io.kestra.plugin.core.log.Log, message: x}
      - task: {id: last, type: io.kestra.plugin.core.log.Log, message: x}
        dependsOn: [bad, slow]
"""
    )
    run = EngineRun(source).start()
    bad = next(job for job in run.jobs if job.task_id == "bad")
    run.jobs.remove(bad)
    run.tell(TaskEnded(bad.task_run_id, 1, StateType.FAILED, run.now, run.now))
    assert run.finish().ended == "FAILED"
    run.tell(Restart())
    assert run.work().ended == "SUCCESS"
    assert run.states == [(name, "SUCCESS") for name in ("dag", "bad", "slow", "last")]
