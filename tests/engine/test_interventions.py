"""What people and time do to an execution: retries, pauses, kills, restarts, states set by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from penstock.base.clock import SECOND
from penstock.base.errors import ConflictError
from penstock.engine.decision import Job
from penstock.engine.events import (
    ChangeTaskState,
    Kill,
    Pause,
    Restart,
    Resume,
    SetLabels,
    TaskEnded,
    TaskStarted,
)
from penstock.engine.states import StateType
from tests.engine.harness import EngineRun

HEAD = "id: flow\nnamespace: company.team\n"
LOG = "io.kestra.plugin.core.log.Log"
RETURN = "io.kestra.plugin.core.debug.Return"


class Flaky:
    """Runs tasks of which one fails a number of times."""

    def __init__(self, task_id: str, failures: int) -> None:
        self.task_id = task_id
        self.failures = failures

    def __call__(self, job: Job, definition: Mapping[str, Any], context: Mapping[str, Any]) -> Any:
        if job.task_id == self.task_id and self.failures:
            self.failures -= 1
            return StateType.FAILED, None
        return StateType.SUCCESS, {"value": str(context["taskrun"]["attemptsCount"])}


RETRY = (
    HEAD
    + f"""
tasks:
  - id: flaky
    type: {RETURN}
    format: x
    retry: {{type: constant, interval: PT0.25S, maxAttempts: 5, maxDuration: PT1M, warningOnRetry: %s}}
errors:
  - {{id: never_happen, type: {LOG}, message: x}}
"""
)


def test_retry_succeeds_on_the_fifth_attempt_and_runs_no_error_handler() -> None:
    """ENG-235 to ENG-238; example 15 of the language."""
    run = EngineRun(RETRY % "true", run_task=Flaky("flaky", 4)).finish()
    assert (run.ended, run.states) == ("WARNING", [("flaky", "WARNING")])
    attempts = run.only("flaky").attempts
    assert [attempt.state.current for attempt in attempts] == ["FAILED"] * 4 + ["SUCCESS"]
    assert run.state.outputs["flaky"]["value"] == "4"


def test_retry_without_warning_on_retry_is_a_success() -> None:
    assert EngineRun(RETRY % "false", run_task=Flaky("flaky", 4)).finish().ended == "SUCCESS"


def test_retry_gives_up_after_all_attempts() -> None:
    """ENG-392: five attempts in all, the first included."""
    run = EngineRun(RETRY % "false", run_task=Flaky("flaky", 99)).finish()
    assert run.ended == "FAILED"
    assert len(run.only("flaky").attempts) == 5
    assert ("never_happen", "SUCCESS") in run.states


def test_retry_stops_when_the_next_attempt_would_exceed_the_longest_duration() -> None:
    """ENG-238."""
    source = RETRY.replace("PT0.25S", "PT2M") % "false"
    assert len(EngineRun(source, run_task=Flaky("flaky", 99)).finish().only("flaky").attempts) == 1


def test_exponential_retry_waits_longer_each_time() -> None:
    """ENG-236."""
    source = (
        HEAD
        + f"tasks:\n  - {{id: flaky, type: {RETURN}, format: x, retry: {{type: exponential, interval: PT30S, "
        + "maxInterval: PT10M, maxAttempts: 4}}\n"
    )
    run = EngineRun(source, run_task=Flaky("flaky", 3)).start().work()
    waits = []
    while run.timers:
        (timer,) = run.timers.values()
        waits.append(round((timer.due - run.now) / SECOND))
        run.pass_time().work()
    assert (waits, run.ended) == ([30, 60, 120], "SUCCESS")


PAUSE = (
    HEAD
    + f"""
tasks:
  - id: validation
    type: io.kestra.plugin.core.flow.Pause
    tasks:
      - {{id: ok, type: {LOG}, message: started after manual validation}}
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
    delay: PT5M
    tasks:
      - {{id: waited, type: {LOG}, message: start after 5 minutes}}
"""
)


def test_pause_waits_for_a_resume_and_a_delay_ends_by_itself() -> None:
    """ENG-095; example 11 of the language."""
    run = EngineRun(PAUSE).finish()
    assert (run.ended, run.states) == ("PAUSED", [("validation", "PAUSED")])
    run.tell(Resume({"approved": True}, by="admin@example.com"))
    run.work()
    assert run.ended == "PAUSED"
    run.finish()
    assert (run.ended, len(run.states)) == ("SUCCESS", 4)
    assert run.history == ["CREATED", "RUNNING", "PAUSED", "RUNNING", "PAUSED", "RUNNING", "SUCCESS"]
    outputs = run.state.outputs["validation"]
    assert outputs["onResume"] == {"approved": True}
    assert outputs["resumed"]["by"] == "admin@example.com"


def test_pause_whose_duration_ends_with_cancel_cancels_the_execution() -> None:
    """ENG-095, ENG-148, ENG-151, USE-B030."""
    run = EngineRun(PAUSE.replace("delay: PT5M", "pauseDuration: PT5M\n    behavior: CANCEL")).finish()
    run.tell(Resume())
    run.work().finish()
    assert run.ended == "CANCELLED"
    assert run.states[-1] == ("wait", "CANCELLED")


@pytest.mark.parametrize("limit", ["pauseDuration: PT5M\n    behavior: FAIL", "timeout: PT5M"])
def test_pause_that_nobody_ends_in_time_fails_and_says_so(limit: str) -> None:
    """ENG-095."""
    run = EngineRun(PAUSE.replace("delay: PT5M", limit)).finish()
    run.tell(Resume())
    run.work().finish()
    assert (run.ended, run.states[-1]) == ("FAILED", ("wait", "FAILED"))
    assert run.logs[-1] == "nobody has resumed the execution within PT5M"


def test_pause_that_somebody_ends_heeds_no_behavior() -> None:
    """USE-B030: what `behavior` says is for the end of the duration alone."""
    source = PAUSE.replace("delay: PT5M", "pauseDuration: PT5M\n    behavior: FAIL")
    resumed = EngineRun(source).finish()
    for _ in range(2):
        resumed.tell(Resume())
        resumed.work()
    assert (resumed.ended, resumed.states[-1]) == ("SUCCESS", ("waited", "SUCCESS"))
    killed = EngineRun(source).finish()
    killed.tell(Resume())
    killed.work()
    killed.tell(Kill())
    assert (killed.ended, killed.states[-1]) == ("KILLED", ("wait", "KILLED"))


def test_pause_marked_as_running_goes_on() -> None:
    """ENG-096."""
    run = EngineRun(PAUSE).finish()
    run.tell(ChangeTaskState(run.only("validation").id, StateType.RUNNING))
    run.work()
    assert ("ok", "SUCCESS") in run.states


def test_kill_of_a_paused_execution_ends_it_and_runs_nothing_more() -> None:
    run = EngineRun(PAUSE).finish()
    run.tell(Kill())
    assert (run.ended, run.states) == ("KILLED", [("validation", "KILLED")])


def test_resume_of_an_execution_that_is_not_paused_is_a_conflict() -> None:
    with pytest.raises(ConflictError):
        EngineRun(HEAD + f"tasks:\n  - {{id: a, type: {LOG}, message: x}}\n").start().tell(Resume())


THREE = (
    HEAD
    + f"tasks:\n  - {{id: a, type: {RETURN}, format: a}}\n  - {{id: b, type: {RETURN}, format: b}}\n"
    + f"  - {{id: c, type: {RETURN}, format: c}}\n"
)


def test_held_execution_finishes_what_runs_and_goes_on_after_resume() -> None:
    run = EngineRun(THREE).start()
    job = run.begin("a")
    run.tell(Pause())
    run.work_on(job)
    assert (run.ended, run.states) == ("PAUSED", [("a", "SUCCESS"), ("b", "CREATED")])
    assert not run.jobs
    run.tell(Resume())
    assert run.work().ended == "SUCCESS"


def test_held_execution_that_ends_runs_what_comes_after_it() -> None:
    one = HEAD + f"tasks:\n  - {{id: a, type: {RETURN}, format: a}}\n"
    run = EngineRun(one + f"afterExecution:\n  - {{id: later, type: {LOG}, message: x}}\n").start()
    job = run.begin("a")
    run.tell(Pause())
    run.work_on(job)
    assert run.work().is_over
    assert run.states == [("a", "SUCCESS"), ("later", "SUCCESS")]


def test_paused_execution_whose_last_task_fails_is_tried_anew() -> None:
    """ENG-145, ENG-242."""
    retry = "retry: {type: constant, interval: PT1S, maxAttempts: 2, behavior: CREATE_NEW_EXECUTION}\n"
    run = EngineRun(f"{HEAD}{retry}tasks:\n  - {{id: a, type: {RETURN}, format: x}}\n").start()
    job = run.begin("a")
    run.tell(Pause())
    assert run.ended == "PAUSED"
    run.tell(TaskEnded(job.task_run_id, job.attempt, StateType.FAILED, run.now, run.now, "worker"))
    assert run.ended == "RETRIED"


def test_kill_stops_what_runs_and_runs_finally_before_the_end() -> None:
    """ENG-157, ENG-408."""
    source = (
        THREE
        + f"finally:\n  - {{id: last, type: {LOG}, message: x}}\nerrors:\n  - {{id: err, type: {LOG}, message: x}}\n"
    )
    run = EngineRun(source).start()
    run.begin("a")
    run.tell(Kill())
    assert run.ended == "KILLING"
    run.work()
    assert run.ended == "KILLED"
    assert run.states == [("a", "KILLED"), ("last", "SUCCESS")]


def test_kill_of_what_a_lost_worker_ran_is_told_to_be_unconfirmed() -> None:
    """BEY-009: its end is told by somebody else than the worker that ran it."""
    run = EngineRun(THREE).start()
    run.begin("a")
    run.tell(Kill())
    (attempt,) = run.only("a").attempts
    assert (run.ended, attempt.state.current, attempt.worker_id) == ("KILLED", StateType.KILLED, "worker")
    assert attempt.unconfirmed
    assert next(line for line in run.logs if "not confirmed" in line).startswith("Worker worker was lost")


def test_kill_of_what_nobody_had_begun_leaves_nothing_unconfirmed() -> None:
    """BEY-009."""
    run = EngineRun(THREE).start()
    run.tell(Kill())
    assert not any(attempt.unconfirmed for one in run.state.task_runs.values() for attempt in one.attempts)
    assert not any("not confirmed" in line for line in run.logs)


def test_second_kill_ends_the_finally_tasks_too() -> None:
    source = THREE + f"finally:\n  - {{id: last, type: {LOG}, message: x}}\n"
    run = EngineRun(source).start()
    run.tell(Kill())
    run.begin("last")
    run.tell(Kill())
    assert run.ended == "KILLED"
    assert run.states[-1] == ("last", "KILLED")


def test_kill_in_a_loop_ends_every_iteration() -> None:
    run = EngineRun(
        HEAD
        + "tasks:\n  - id: each\n    type: io.kestra.plugin.core.flow.ForEach\n    concurrencyLimit: 3\n"
        + f'    values: "{{{{ range(1, 10) }}}}"\n    tasks:\n      - {{id: t, type: {RETURN}, format: x}}\n'
    ).start()
    run.tell(Kill())
    assert run.ended == "KILLED"
    assert len(run.states) == 4


def test_late_result_after_a_kill_changes_nothing() -> None:
    """BEY-004."""
    run = EngineRun(THREE).start()
    job = run.begin("a")
    run.tell(Kill())
    before = run.states
    decision = run.tell(TaskEnded(job.task_run_id, job.attempt, StateType.SUCCESS, run.now, run.now))
    assert decision.is_empty
    assert run.states == before
    with pytest.raises(ConflictError):
        run.tell(Kill())


def test_repeated_result_of_the_same_attempt_changes_nothing() -> None:
    run = EngineRun(THREE).start()
    job = run.begin("a")
    event = TaskEnded(job.task_run_id, job.attempt, StateType.SUCCESS, run.now, run.now)
    run.tell(event)
    assert run.tell(event).is_empty
    assert run.tell(TaskStarted(job.task_run_id, job.attempt, "late", run.now)).is_empty


def test_restart_runs_failed_task_runs_again_in_the_same_execution() -> None:
    """ENG-153."""
    flaky = Flaky("b", 1)
    run = EngineRun(THREE, run_task=flaky).finish()
    assert run.ended == "FAILED"
    run.tell(Restart())
    run.work()
    assert run.ended == "SUCCESS"
    assert run.states == [("a", "SUCCESS"), ("b", "SUCCESS"), ("c", "SUCCESS")]
    assert len(run.only("a").attempts) == 1
    assert len(run.only("b").attempts) == 2
    assert run.history == ["CREATED", "RUNNING", "FAILED", "RESTARTED", "RUNNING", "SUCCESS"]
    assert ("system.restarted", "true") in run.execution.labels


def test_restart_inside_nested_scopes_and_loops_reopens_only_what_failed() -> None:
    source = (
        HEAD
        + "tasks:\n  - id: each\n    type: io.kestra.plugin.core.flow.ForEach\n    concurrencyLimit: 0\n"
        + "    values: [1, 2, 3]\n"
        + "    tasks:\n      - id: inner\n        type: io.kestra.plugin.core.flow.Sequential\n        tasks:\n"
        + f"          - {{id: b, type: {RETURN}, format: x}}\n          - {{id: c, type: {RETURN}, format: x}}\n"
        + f"  - {{id: after, type: {RETURN}, format: x}}\n"
    )
    run = EngineRun(source, run_task=Flaky("b", 2)).finish()
    assert run.ended == "FAILED"
    run.tell(Restart())
    run.work()
    assert run.ended == "SUCCESS"
    assert {state for _, state in run.states} == {"SUCCESS"}
    assert len(run.states) == 1 + 3 + 3 + 3 + 1


def test_restart_runs_the_error_handlers_anew_when_it_fails_again() -> None:
    source = THREE + f"errors:\n  - {{id: err, type: {LOG}, message: x}}\n"
    run = EngineRun(source, run_task=Flaky("b", 2)).finish()
    run.tell(Restart())
    run.work()
    assert run.ended == "FAILED"
    assert len(run.only("err").attempts) == 2


def test_state_of_a_failed_task_set_to_success_lets_the_flow_go_on() -> None:
    run = EngineRun(THREE, run_task=Flaky("b", 1)).finish()
    run.tell(ChangeTaskState(run.only("b").id, StateType.SUCCESS))
    run.work()
    assert run.ended == "SUCCESS"
    assert len(run.only("b").attempts) == 1


def test_labels_are_set_and_overridden() -> None:
    """ENG-028."""
    run = EngineRun(THREE).finish()
    run.tell(SetLabels((("team", "a"),)))
    run.tell(SetLabels((("team", "b"), ("x", "y"))))
    assert dict(run.execution.labels) == {"team": "b", "x": "y"}


def test_start_and_end_reported_at_once_make_the_same_history_as_reported_apart() -> None:
    together = EngineRun(THREE).start().work()
    apart = EngineRun(THREE).start()
    while apart.jobs:
        apart.work_on(apart.begin(apart.jobs[0].task_id))
    histories = [
        [[change.state for change in one.state.histories] for one in run.state.task_runs.values()]
        for run in (together, apart)
    ]
    assert histories[0] == histories[1]
