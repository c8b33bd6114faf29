"""What people decide over the engine's head: force-run, unqueue, states set by hand; breakpoints; kills that hold."""

from __future__ import annotations

import pytest

from penstock.base.clock import SECOND
from penstock.base.errors import ConflictError
from penstock.engine.decide import decide
from penstock.engine.events import (
    Abandon,
    ChangeState,
    ChildEnded,
    Created,
    Event,
    ForceRun,
    Kill,
    Pause,
    Resume,
    ResumeFromBreakpoint,
    SlotFreed,
    TaskEnded,
    TimerDue,
    Unqueue,
)
from penstock.engine.states import StateType
from penstock.engine.turn import replace
from tests.engine.harness import START, EngineRun

HEAD = "id: flow\nnamespace: company.team\n"
LOG = "io.kestra.plugin.core.log.Log"
RETURN = "io.kestra.plugin.core.debug.Return"
THREE = HEAD + "tasks:\n" + "".join(f"  - {{id: {name}, type: {RETURN}, format: {name}}}\n" for name in "abc")
PAUSED = (
    HEAD
    + f"""
tasks:
  - {{id: wait, type: io.kestra.plugin.core.flow.Pause}}
  - {{id: after, type: {LOG}, message: x}}
"""
)


def queued(source: str = THREE) -> EngineRun:
    run = EngineRun(source)
    run.tell(Created(full="QUEUE"))
    assert run.ended == "QUEUED"
    return run


def with_breakpoints(source: str, *names: str) -> EngineRun:
    run = EngineRun(source)
    run.state.execution = replace(run.state.execution, breakpoints=names)
    return run


# -- force-run and unqueue


def test_force_run_lets_a_queued_execution_begin_without_a_slot() -> None:
    """API-101 (force-run)."""
    run = queued()
    run.tell(ForceRun("ada"))
    assert run.work().ended == "SUCCESS"
    assert run.history == ["CREATED", "QUEUED", "RUNNING", "SUCCESS"]


def test_force_run_does_not_wait_for_the_date_of_a_scheduled_execution() -> None:
    run = EngineRun(THREE)
    run.state.execution = replace(run.state.execution, schedule_date=START + 3600 * SECOND)
    run.start()
    assert run.ended == "CREATED"
    assert run.timers
    run.tell(ForceRun())
    assert run.work().ended == "SUCCESS"
    assert not run.timers, "the date is forgotten"


def test_force_run_resumes_a_paused_execution() -> None:
    run = EngineRun(PAUSED).start()
    assert run.ended == "PAUSED"
    run.tell(ForceRun("ada"))
    assert run.work().ended == "SUCCESS"
    assert run.only("wait").outputs["resumed"]["by"] == "ada"


@pytest.mark.parametrize("prepare", ["running", "ended"])
def test_force_run_of_what_waits_for_nothing_is_refused(prepare: str) -> None:
    run = EngineRun(THREE).start()
    if prepare == "ended":
        run.work()
    with pytest.raises(ConflictError, match="waits for nothing"):
        run.tell(ForceRun())


def test_late_slot_for_an_execution_that_was_forced_to_run_changes_nothing() -> None:
    run = queued()
    run.tell(ForceRun())
    decision = run.tell(SlotFreed())
    assert decision.is_empty


def test_unqueue_as_running_lets_the_execution_begin() -> None:
    """API-101 (unqueue)."""
    run = queued()
    run.tell(Unqueue())
    assert run.work().ended == "SUCCESS"


@pytest.mark.parametrize("state", [StateType.CANCELLED, StateType.FAILED])
def test_unqueue_as_ended_ends_the_execution_without_any_task(state: StateType) -> None:
    run = queued()
    decision = run.tell(Unqueue(state, "ada"))
    assert (run.ended, run.states, decision.ended) == (state, [], state)
    assert any("taken out of the queue by ada" in line for line in run.logs)


def test_unqueue_is_refused_for_other_states() -> None:
    with pytest.raises(ConflictError, match="choose RUNNING, CANCELLED or FAILED"):
        queued().tell(Unqueue(StateType.SUCCESS))
    with pytest.raises(ConflictError, match="is not QUEUED"):
        EngineRun(THREE).start().tell(Unqueue())


# -- states set by hand


@pytest.mark.parametrize("state", [StateType.WARNING, StateType.FAILED, StateType.CANCELLED, StateType.KILLED])
def test_change_of_an_ended_execution_sets_its_state_and_runs_nothing(state: StateType) -> None:
    """API-101 (change-status)."""
    run = EngineRun(THREE).finish()
    before = run.states
    decision = run.tell(ChangeState(state, "ada"))
    assert (run.ended, run.states, decision.jobs, decision.ended) == (state, before, (), None)
    assert run.history[-2:] == ["SUCCESS", state]
    assert f"The state was changed from SUCCESS to {state} by ada" in run.logs


def test_change_of_state_is_refused_while_it_runs_and_for_states_that_are_no_ends() -> None:
    with pytest.raises(ConflictError, match="has not ended"):
        EngineRun(THREE).start().tell(ChangeState(StateType.SUCCESS))
    with pytest.raises(ConflictError, match="cannot be set to RUNNING"):
        EngineRun(THREE).finish().tell(ChangeState(StateType.RUNNING))


# -- breakpoints


def test_breakpoint_suspends_the_execution_before_its_task() -> None:
    """API-020 (breakpoints)."""
    run = with_breakpoints(THREE, "b").start().work()
    assert run.ended == "BREAKPOINT"
    assert run.states == [("a", "SUCCESS"), ("b", "CREATED")]
    run.tell(ResumeFromBreakpoint())
    assert run.work().ended == "SUCCESS"
    assert run.history == ["CREATED", "RUNNING", "BREAKPOINT", "RUNNING", "SUCCESS"]


def test_breakpoint_inside_a_directory_suspends_the_execution_before_the_directory() -> None:
    """API-020 (breakpoints): a worker runs what is inside in one go."""
    directory = f"""
tasks:
  - id: loop
    type: io.kestra.plugin.core.flow.ForEach
    values: [one, two]
    tasks:
      - id: folder
        type: io.kestra.plugin.core.flow.WorkingDirectory
        tasks:
          - {{id: inner, type: {RETURN}, format: x}}
"""
    assert with_breakpoints(HEAD + directory, "inner.two").start().ended == "RUNNING"
    run = with_breakpoints(HEAD + directory, "inner.one").start()
    assert (run.ended, run.states) == ("BREAKPOINT", [("loop", "RUNNING"), ("folder", "CREATED")])
    run.tell(ResumeFromBreakpoint())
    assert run.states == [("loop", "RUNNING"), ("folder", "SUBMITTED")]


def test_breakpoints_hold_one_after_another_and_can_be_changed_on_the_way() -> None:
    run = with_breakpoints(THREE, "a", "b", "c").start()
    assert run.states == [("a", "CREATED")]
    run.tell(ResumeFromBreakpoint())
    run.work()
    assert (run.ended, run.states[-1]) == ("BREAKPOINT", ("b", "CREATED"))
    run.tell(ResumeFromBreakpoint(breakpoints=()))
    assert run.work().ended == "SUCCESS"


LOOP = (
    HEAD
    + f"""
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [x, y, z]
    tasks:
      - {{id: group, type: io.kestra.plugin.core.flow.Sequential, tasks: [{{id: one, type: {LOG}, message: x}}]}}
"""
)


def test_breakpoint_with_a_value_holds_in_that_iteration_only() -> None:
    run = with_breakpoints(LOOP, "one.y").start().work()
    assert run.ended == "BREAKPOINT"
    assert [state for task, state in run.states if task == "one"] == ["SUCCESS", "CREATED"]
    run.tell(ResumeFromBreakpoint())
    assert run.work().ended == "SUCCESS"


PARALLEL = (
    HEAD
    + f"""
tasks:
  - id: both
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - {{id: wait, type: io.kestra.plugin.core.flow.Pause}}
      - {{id: left, type: {LOG}, message: x}}
      - {{id: right, type: {LOG}, message: x}}
"""
)


def test_breakpoint_holds_all_branches_and_a_pause_goes_on_waiting_after_it() -> None:
    run = with_breakpoints(PARALLEL, "left").start().work()
    assert run.ended == "BREAKPOINT"
    assert dict(run.states) == {"both": "RUNNING", "wait": "PAUSED", "left": "CREATED", "right": "CREATED"}
    run.tell(ResumeFromBreakpoint())
    run.work()
    assert run.ended == "PAUSED"
    run.tell(Resume())
    assert run.work().ended == "SUCCESS"


def test_breakpoint_resumed_when_there_is_none_is_refused() -> None:
    with pytest.raises(ConflictError, match="is at no breakpoint"):
        EngineRun(PAUSED).start().tell(ResumeFromBreakpoint())


def test_breakpoint_is_no_pause_that_a_resume_ends() -> None:
    run = with_breakpoints(THREE, "b").start().work()
    for event in (Resume(), Pause()):
        with pytest.raises(ConflictError):
            run.tell(event)
    run.tell(ForceRun())
    assert run.work().ended == "SUCCESS"


def test_kill_at_a_breakpoint_ends_the_execution_and_finally_is_not_held() -> None:
    """ENG-157, ENG-408."""
    source = THREE + f"finally:\n  - {{id: tidy, type: {LOG}, message: x}}\n"
    run = with_breakpoints(source, "b", "tidy").start().work()
    run.tell(Kill())
    run.work()
    assert run.ended == "KILLED"
    assert dict(run.states) == {"a": "SUCCESS", "b": "KILLED", "tidy": "SUCCESS"}


# -- tasks that are left out


def test_task_in_the_list_of_those_to_skip_is_skipped() -> None:
    """BEY-042."""
    run = EngineRun(THREE)
    run.state.execution = replace(run.state.execution, skip=("b",))
    assert run.finish().ended == "SUCCESS"
    assert run.states == [("a", "SUCCESS"), ("b", "SKIPPED"), ("c", "SUCCESS")]


# -- kills that hold


RETRYING = (
    HEAD
    + f"""
tasks:
  - id: flaky
    type: {RETURN}
    format: x
    retry: {{type: constant, interval: PT1S, maxAttempts: 5}}
"""
)


@pytest.mark.parametrize("state", [StateType.SUCCESS, StateType.FAILED])
def test_result_that_comes_after_a_kill_changes_nothing(state: StateType) -> None:
    """BEY-004: neither outputs nor labels nor variables, and no retry."""
    run = EngineRun(RETRYING).start()
    job = run.begin("flaky")
    run.now += 1000
    run.state.apply(decide(run.flow, run.state, Kill(), run.now))  # the worker has not heard of it yet
    late = TaskEnded(
        job.task_run_id,
        job.attempt,
        state,
        run.now,
        run.now,
        outputs={"value": "late"},
        labels=(("late", "yes"),),
        variables={"late": True},
    )
    decision = run.tell(late)
    assert (run.ended, run.states) == ("KILLED", [("flaky", "KILLED")])
    assert (decision.jobs, decision.timers) == ((), ())
    assert run.only("flaky").outputs is None
    assert "late" not in dict(run.execution.labels)
    assert run.execution.variables is None


def test_nothing_that_comes_after_a_kill_starts_work() -> None:
    """BEY-004: timers, slots, resumes, children."""
    run = EngineRun(RETRYING, run_task=lambda *_: (StateType.FAILED, None)).start().work()
    timer = next(iter(run.timers.values()))
    run.tell(Kill())
    assert run.ended == "KILLED"
    assert not run.timers
    events: list[Event] = [
        TimerDue(timer.purpose, timer.task_run_id, timer.attempt),
        SlotFreed(),
        Created(),
        ChildEnded(run.only("flaky").id, "child", StateType.SUCCESS),
    ]
    for event in events:
        assert run.tell(event).is_empty


def test_abandoned_execution_is_over_at_once_and_what_runs_is_told_to_stop() -> None:
    """ENG-256."""
    source = THREE + f"finally:\n  - {{id: tidy, type: {LOG}, message: x}}\n"
    run = EngineRun(source).start()
    run.begin("a")
    decision = run.tell(Abandon())
    assert (run.is_over, run.ended, decision.ended) == (True, "KILLED", StateType.KILLED)
    assert [order.attempt for order in decision.kills] == [1]
    assert run.states == [("a", "KILLED")]
