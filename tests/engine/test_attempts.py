"""What attempts remember: who ran them, and when."""

from __future__ import annotations

from penstock.builtin.debug import Return
from penstock.engine.events import TaskEnded, TaskStarted
from penstock.engine.states import StateType
from tests.engine.harness import EngineRun

FLOW = f"""
id: flow
namespace: team
tasks:
  - {{id: work, type: {Return.type_name}, format: x}}
"""


def test_attempt_that_was_handed_back_names_the_worker_that_ran_it_to_its_end() -> None:
    """ENG-059, ENG-060."""
    run = EngineRun(FLOW).start()
    job = run.begin("work")
    run.tell(TaskStarted(job.task_run_id, 1, "first", run.now))
    run.tell(TaskStarted(job.task_run_id, 1, "second", run.now + 5))
    assert run.only("work").attempts[0].worker_id == "second"
    run.tell(TaskStarted(job.task_run_id, 1, "third", run.now + 6))
    began = run.now
    run.tell(TaskEnded(job.task_run_id, 1, StateType.FAILED, began, began + 9, "fourth"))
    (attempt,) = run.only("work").attempts
    assert attempt.worker_id == "fourth"
    assert [change.date for change in attempt.state.histories] == [began, began + 9]
    assert run.only("work").state.current is StateType.FAILED


def test_attempt_ended_by_the_server_keeps_the_worker_that_had_begun_it() -> None:
    """ENG-060."""
    run = EngineRun(FLOW).start()
    job = run.begin("work")
    run.tell(TaskStarted(job.task_run_id, 1, "first", run.now))
    run.tell(TaskEnded(job.task_run_id, 1, StateType.KILLED, run.now, run.now))
    assert run.only("work").attempts[0].worker_id == "first"
