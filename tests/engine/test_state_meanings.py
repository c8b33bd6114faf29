"""What each state means: how executions and task runs come into it, and what follows (ENG-137 to ENG-152)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.base.clock import SECOND
from penstock.engine.decision import Job
from penstock.engine.events import ChangeTaskState, Created, Kill, Pause, Restart, Resume, SlotFreed, TaskStarted
from penstock.engine.states import EXECUTION_TRANSITIONS, TERMINAL, StateType
from tests.engine.harness import EngineRun

HEAD = "id: flow\nnamespace: company.team\n"
RETURN = "io.kestra.plugin.core.debug.Return"
TWO = HEAD + f"tasks:\n  - {{id: a, type: {RETURN}, format: a}}\n  - {{id: b, type: {RETURN}, format: b}}\n"
RETRY = "retry: {type: constant, interval: PT1S, maxAttempts: 2%s}\n"


class Failing:
    """Runs tasks; one fails a number of times."""

    def __init__(self, task_id: str, times: int = 1) -> None:
        self._task_id = task_id
        self._left = times

    def __call__(self, job: Job, definition: Mapping[str, Any], context: Mapping[str, Any]) -> Any:
        if job.task_id == self._task_id and self._left:
            self._left -= 1
            return StateType.FAILED, None
        return StateType.SUCCESS, {"value": "x"}


def histories(run: EngineRun, task_id: str) -> list[str]:
    return [change.state.value for change in run.only(task_id).state.histories]


def test_executions_have_the_documented_states_and_no_others() -> None:
    """ENG-137; BREAKPOINT is the state of `breakpoints` in the API."""
    documented = (
        "CREATED QUEUED RUNNING SUCCESS WARNING FAILED RETRYING RETRIED PAUSED RESTARTED CANCELLED KILLING KILLED"
    )
    assert set(EXECUTION_TRANSITIONS) - {StateType.BREAKPOINT} == {StateType(name) for name in documented.split()}


def test_created_execution_goes_to_running_queued_or_cancelled() -> None:
    """ENG-138, ENG-139: CREATED is left at once; QUEUED only by a slot, with the limit of a flow."""
    assert EngineRun(TWO).start().history == ["CREATED", "RUNNING"]
    queued = EngineRun(TWO)
    queued.tell(Created(full="QUEUE"))
    assert (queued.history, queued.states) == (["CREATED", "QUEUED"], [])
    queued.tell(SlotFreed())
    assert queued.finish().history == ["CREATED", "QUEUED", "RUNNING", "SUCCESS"]
    cancelled = EngineRun(TWO)
    cancelled.tell(Created(full="CANCEL"))
    assert (cancelled.history, cancelled.states) == (["CREATED", "CANCELLED"], [])


def test_running_execution_stays_so_until_all_task_runs_are_completed() -> None:
    """ENG-140, ENG-141, ENG-005: tasks run in order, the next as soon as the one before has ended well."""
    run = EngineRun(TWO).start()
    seen = [(run.ended, [job.task_id for job in run.jobs])]
    while run.jobs:
        run.work(1)
        seen.append((run.ended, [job.task_id for job in run.jobs]))
    assert seen == [("RUNNING", ["a"]), ("RUNNING", ["b"]), ("SUCCESS", [])]


def test_failed_task_stops_what_comes_after_it() -> None:
    """ENG-005, ENG-143, ENG-414: no task run of a task that was not reached; the errors run before the end."""
    run = EngineRun(TWO + f"errors:\n  - {{id: e, type: {RETURN}, format: e}}\n", run_task=Failing("a")).start()
    run.work(1)
    assert (run.ended, [job.task_id for job in run.jobs]) == ("RUNNING", ["e"])
    assert run.finish().states == [("a", "FAILED"), ("e", "SUCCESS")]
    assert run.history == ["CREATED", "RUNNING", "FAILED"]


def test_warning_is_the_end_of_an_execution_with_an_allowed_failure_or_a_warned_retry() -> None:
    """ENG-141, ENG-142: a failure that is allowed is a warning, not a success."""
    allowed = TWO.replace("format: a}", "format: a, allowFailure: true}")
    assert EngineRun(allowed, run_task=Failing("a")).finish().ended == "WARNING"
    retried = TWO.replace("format: a}", "format: a, " + (RETRY % ", warningOnRetry: true").strip() + "}")
    run = EngineRun(retried, run_task=Failing("a")).finish()
    assert (run.ended, run.states) == ("WARNING", [("a", "WARNING"), ("b", "SUCCESS")])


def test_retrying_execution_ends_as_its_last_attempt_does() -> None:
    """ENG-144: of a flow-level retry; ENG-143 says that FAILED is left only so."""
    source = TWO + RETRY.replace("}", ", behavior: RETRY_FAILED_TASK}") % ""
    run = EngineRun(source, run_task=Failing("a")).start().work()
    assert (run.ended, histories(run, "a")[-1]) == ("RETRYING", "RETRYING")
    assert run.finish().history == ["CREATED", "RUNNING", "RETRYING", "RUNNING", "SUCCESS"]
    assert EngineRun(source, run_task=Failing("a", 9)).finish().history[-1] == "FAILED"


def test_task_level_retry_leaves_the_execution_running_and_runs_no_errors_when_it_succeeds() -> None:
    """ENG-152, ENG-227: a retry is of the same task run in the same execution."""
    source = TWO.replace("format: a}", "format: a, " + (RETRY % "").strip() + "}")
    run = EngineRun(source + f"errors:\n  - {{id: e, type: {RETURN}, format: e}}\n", run_task=Failing("a"))
    assert run.start().work().ended == "RUNNING"
    assert run.finish().states == [("a", "SUCCESS"), ("b", "SUCCESS")]
    assert len(run.only("a").attempts) == 2


def test_execution_tried_anew_is_retried_with_the_task_run_that_failed() -> None:
    """ENG-145."""
    source = TWO + RETRY.replace("}", ", behavior: CREATE_NEW_EXECUTION}") % ""
    run = EngineRun(source, run_task=Failing("b")).finish()
    assert (run.ended, run.states) == ("RETRIED", [("a", "SUCCESS"), ("b", "RETRIED")])
    (spawn,) = run.decisions[-1].spawns
    assert (spawn.execution.attempt_number, spawn.execution.original_id) == (2, "execution")
    assert spawn.execution.state.current == "CREATED"


def test_paused_execution_goes_directly_to_running() -> None:
    """ENG-146, ENG-151: the Pause task run itself is in the state PAUSED."""
    run = EngineRun(HEAD + "tasks:\n  - {id: p, type: io.kestra.plugin.core.flow.Pause}\n").start()
    assert (run.ended, run.states) == ("PAUSED", [("p", "PAUSED")])
    run.tell(Resume())
    assert run.history == ["CREATED", "RUNNING", "PAUSED", "RUNNING", "SUCCESS"]
    assert histories(run, "p") == ["CREATED", "RUNNING", "PAUSED", "RUNNING", "SUCCESS"]


def test_restarted_is_followed_by_running_in_the_same_execution() -> None:
    """ENG-147, ENG-152, ENG-153: a restart runs the failed task run again, and only that."""
    run = EngineRun(TWO, run_task=Failing("b")).finish()
    run.tell(Restart())
    run.work()
    assert run.history == ["CREATED", "RUNNING", "FAILED", "RESTARTED", "RUNNING", "SUCCESS"]
    assert histories(run, "a") == ["CREATED", "SUBMITTED", "RUNNING", "SUCCESS"]
    assert histories(run, "b")[-4:] == ["RESTARTED", "SUBMITTED", "RUNNING", "SUCCESS"]


def test_cancelled_is_the_system_s_end_and_killed_the_user_s() -> None:
    """ENG-148, ENG-149: KILLING until what runs has ended, then KILLED; nothing more runs."""
    sla = "sla:\n  - {id: m, type: MAX_DURATION, duration: PT1S, behavior: CANCEL}\n"
    cancelled = EngineRun(TWO + sla).start()
    job = cancelled.begin("a")
    cancelled.now += SECOND
    cancelled.pass_time()
    assert cancelled.ended == "CANCELLED"
    assert cancelled.only("a").attempts[0].state.current == "KILLED", job
    killed = EngineRun(TWO).start()
    job = killed.jobs[0]
    killed.tell(TaskStarted(job.task_run_id, 1, "w", killed.now))
    killed.tell(Kill())
    assert killed.history == ["CREATED", "RUNNING", "KILLING", "KILLED"]
    assert histories(killed, "a")[-2:] == ["KILLING", "KILLED"]
    assert killed.states == [("a", "KILLED")]


def test_task_runs_are_never_queued_cancelled_or_held_but_for_pauses() -> None:
    """ENG-150: SUBMITTED until a worker begins; a task that is skipped ends at once."""
    run = EngineRun(TWO.replace("format: b}", "format: b, disabled: true}")).start()
    assert histories(run, "a") == ["CREATED", "SUBMITTED"]
    run.tell(Pause())
    assert run.ended == "PAUSED"
    assert histories(run, "a") == ["CREATED", "SUBMITTED"]
    run.tell(Resume())
    run.finish()
    assert histories(run, "a") == ["CREATED", "SUBMITTED", "RUNNING", "SUCCESS"]
    assert histories(run, "b") == ["CREATED", "SKIPPED"]


def test_terminal_states_are_left_by_a_restart_or_by_hand_only() -> None:
    """ENG-141, ENG-143, ENG-145: RETRIED is left by nothing at all."""
    assert EXECUTION_TRANSITIONS[StateType.RETRIED] == frozenset()
    for state in TERMINAL & set(EXECUTION_TRANSITIONS):
        assert EXECUTION_TRANSITIONS[state] <= {
            *TERMINAL,
            StateType.RESTARTED,
            StateType.RETRYING,
        }
    run = EngineRun(TWO, run_task=Failing("a")).finish()
    run.tell(ChangeTaskState(run.only("a").id, StateType.SUCCESS))
    assert run.work().ended == "SUCCESS"


def test_loop_values_are_read_through_switches_at_every_depth() -> None:
    """ENG-067: ancestors without value and outputs are not counted in `parents`."""
    run = EngineRun(
        HEAD
        + f"""
tasks:
  - id: outer
    type: io.kestra.plugin.core.flow.ForEach
    values: [a]
    tasks:
      - id: choice
        type: io.kestra.plugin.core.flow.Switch
        value: x
        cases:
          x:
            - id: inner
              type: io.kestra.plugin.core.flow.ForEach
              values: [b]
              tasks:
                - id: again
                  type: io.kestra.plugin.core.flow.Switch
                  value: x
                  defaults:
                    - id: say
                      type: {RETURN}
                      format: "{{{{ parents[0].taskrun.value }}}} {{{{ parents[1].taskrun.value }}}}"
"""
    ).finish()
    assert [one.outputs for one in run.state.task_runs.values() if one.task_id == "say"] == [{"value": "b a"}]


def test_local_errors_run_before_the_global_ones_and_neither_rescues() -> None:
    """ENG-407, ENG-414: handlers count among the task runs like all others."""
    source = (
        HEAD
        + f"""
tasks:
  - id: group
    type: io.kestra.plugin.core.flow.Sequential
    tasks:
      - {{id: bad, type: {RETURN}, format: x}}
    errors:
      - {{id: local, type: {RETURN}, format: x}}
errors:
  - {{id: global, type: {RETURN}, format: x}}
"""
    )
    run = EngineRun(source, run_task=Failing("bad")).finish()
    assert [task for task, _ in run.states] == ["group", "bad", "local", "global"]
    assert (run.ended, run.only("group").state.current) == ("FAILED", "FAILED")


def test_assertion_is_looked_at_at_each_change_and_not_before_it_can_be_rendered() -> None:
    """ENG-248."""
    sla = "sla:\n  - {id: s, type: EXECUTION_ASSERTION, assert: \"{{ outputs.a.value == 'b' }}\", behavior: FAIL}\n"
    run = EngineRun(TWO + sla).start()
    assert run.ended == "RUNNING", "`outputs.a` cannot be rendered yet"
    assert (run.work().ended, run.states) == ("FAILED", [("a", "SUCCESS")])


def test_killed_execution_runs_finally_and_one_refused_before_its_first_task_does_not() -> None:
    """ENG-408."""
    source = TWO + f"finally:\n  - {{id: f, type: {RETURN}, format: f}}\n"
    killed = EngineRun(source).start()
    killed.tell(Kill())
    assert killed.ended == "KILLING"
    assert (killed.work().ended, killed.states) == ("KILLED", [("a", "KILLED"), ("f", "SUCCESS")])
    refused = EngineRun(source)
    refused.tell(Created(full="FAIL"))
    assert (refused.ended, refused.states) == ("FAILED", [])
