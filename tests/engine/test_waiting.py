"""What executions wait for, by their rows."""

from __future__ import annotations

from penstock.engine.events import Pause, Resume
from penstock.engine.waiting import QueuedJob, Reason, Situation, adrift, waits
from tests.engine.harness import EngineRun

RETRIED = """
id: flow
namespace: company.team
tasks:
  - id: around
    type: io.kestra.plugin.core.flow.Sequential
    retry: {type: constant, interval: PT1S, maxAttempts: 3}
    tasks: [{id: flaky, type: io.kestra.plugin.core.execution.Fail}]
"""


def situation(run: EngineRun) -> Situation:
    """Return a run as it would be read from a database."""
    jobs = [QueuedJob(job, None) for job in run.unended.values()]
    return Situation(run.execution, list(run.state.task_runs.values()), jobs, list(run.timers.values()))


def test_task_run_that_a_hold_keeps_back_in_the_middle_of_a_retry_is_not_adrift() -> None:
    """BEY-001: it is RESTARTED, not CREATED, and has neither job nor timer."""
    run = EngineRun(RETRIED).start().work()
    run.tell(Pause())
    run.pass_time()
    assert run.only("flaky").state.current == "RESTARTED"
    assert [one.reason for one in waits(situation(run))] == [Reason.PAUSE]
    run.tell(Resume())
    assert [one.reason for one in waits(situation(run))] == [Reason.WORKER]


def test_task_run_without_job_is_adrift_unless_an_event_is_on_its_way() -> None:
    """BEY-001."""
    run = EngineRun(RETRIED).start()
    rows = situation(run)
    assert [one.reason for one in waits(rows)] == [Reason.WORKER]
    lost = Situation(rows.execution, rows.task_runs)
    assert [one.task_id for one in adrift(lost)] == ["flaky"]
    assert adrift(Situation(rows.execution, rows.task_runs, events=1)) == ()


def test_execution_that_is_over_waits_for_nothing_and_is_not_adrift() -> None:
    """BEY-001."""
    run = EngineRun(RETRIED).finish()
    assert run.is_over
    assert waits(situation(run)) == ()
