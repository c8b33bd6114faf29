"""`decide`: what follows from an event. The one door into the engine.

Pure: the same flow, working set, event, instant and facts always give the same decision, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penstock.base.clock import Instant
from penstock.engine import events
from penstock.engine.decision import Decision
from penstock.engine.ending import conceal, open_attempt, set_labels, task_ended, task_started, tell_parent
from penstock.engine.exiting import leave
from penstock.engine.facts import NO_FACTS, Facts
from penstock.engine.flow import ResolvedFlow
from penstock.engine.killing import abandon, kill
from penstock.engine.overriding import change_state, force_run, resume_from_breakpoint, unqueue
from penstock.engine.records import Cursor
from penstock.engine.resuming import change_task_state, pause, restart, resume, timer_due
from penstock.engine.scopes import child_ended, end_phase, flow_ended, flow_started
from penstock.engine.starting import begin, launch, retry, slot_freed
from penstock.engine.states import StateType
from penstock.engine.turn import Begin, EndPhase, Turn, replace
from penstock.engine.watching import check_assertions, deadline_passed
from penstock.engine.working_set import ExecutionState

NOTHING: Mapping[str, Any] = {}
UNKNOWN_FLOW = ResolvedFlow("", "", "", 0, {}, {}, {}, {})


def decide(
    flow: ResolvedFlow,
    state: ExecutionState,
    event: events.Event,
    now: Instant,
    *,
    facts: Facts = NO_FACTS,
    shared: Mapping[str, Any] = NOTHING,
) -> Decision:
    """Return what follows from an event.

    Args:
        flow: The revision the execution runs.
        state: The execution's working set; not changed here (see `ExecutionState.apply`).
        event: What happened.
        now: When.
        facts: Answers to functions that need the outside.
        shared: Variables the instance adds to every expression (`envs`, `globals`, `kestra`).

    Raises:
        FactNeeded: An expression calls a function whose answer is not among the facts; ask again with it.
        ConflictError: The event is a request that the execution's state does not allow.
    """
    turn = Turn(flow, state, now, facts, shared)
    door = _DOORS.get(type(event))
    if door is None:
        raise TypeError(f"{type(event).__name__} is no event of an execution")
    door(turn, event)
    if flow.sla:
        check_assertions(turn)  # before anything new begins because of the event
    _work_off(turn)
    if flow.sla and turn.ended is None:
        check_assertions(turn)
        _work_off(turn)
    conceal(turn, facts.confidential)
    return turn.decision()


def _work_off(turn: Turn) -> None:
    """Do what is on the agenda until nothing is left."""
    agenda = turn.agenda
    while agenda:
        action = agenda.popleft()
        if isinstance(action, Begin):
            launch(turn, action.scope, action.launch)
        elif isinstance(action, EndPhase):
            end_phase(turn, action.scope, action.state)
        else:
            child_ended(turn, turn.run(action.run_id))


def fail(state: ExecutionState, reason: str, now: Instant) -> Decision:
    """Return the decision that ends an execution which cannot be decided on any more.

    Its flow is gone, or a plugin broke. What runs for it is told to stop; nothing else begins. Keeps one broken
    execution from holding up the others.
    """
    turn = Turn(UNKNOWN_FLOW, state, now, NO_FACTS, NOTHING)
    if not state.execution.state.is_terminal:
        _fail(turn, reason)
    return turn.decision()


def _fail(turn: Turn, reason: str) -> None:
    now = turn.now
    turn.log("ERROR", reason)
    for run in turn.runs():
        if not run.state.is_terminal:
            turn.kill(run, open_attempt(run))
            turn.put(replace(run, state=run.state.to(StateType.KILLED, now)))
    cursor = Cursor(phase="done", failed=True)
    turn.put_execution(
        replace(turn.execution, state=turn.execution.state.to(StateType.FAILED, now), error=reason, cursor=cursor)
    )
    turn.ended = StateType.FAILED
    tell_parent(turn, StateType.FAILED, None)


def _task_ended(turn: Turn, event: events.TaskEnded) -> None:
    task_ended(turn, event)
    if event.exit is not None and turn.agenda:  # otherwise it speaks of the past
        leave(turn, event.exit)


def _give_up(turn: Turn, event: events.GiveUp) -> None:
    if turn.execution.state.is_terminal:
        abandon(turn, events.Abandon())  # what runs after the end is given up; the end stands
    else:
        _fail(turn, event.reason)


def _timer(turn: Turn, event: events.TimerDue) -> None:
    if event.purpose == "retry" and event.task_run_id is not None:
        retry(turn, event.task_run_id, event.attempt)
    elif event.purpose == "flowable" and event.task_run_id is not None:
        timer_due(turn, event.task_run_id)
    elif event.purpose == "sla":
        deadline_passed(turn, event.task_run_id)
    elif event.purpose == "start":
        begin(turn, events.Created())


_DOORS: Mapping[type[events.Event], Callable[[Turn, Any], None]] = {
    events.TaskEnded: _task_ended,
    events.TaskStarted: task_started,
    events.Created: begin,
    events.SlotFreed: lambda turn, _: slot_freed(turn),
    events.TimerDue: _timer,
    events.Kill: kill,
    events.Abandon: abandon,
    events.GiveUp: _give_up,
    events.Pause: pause,
    events.Resume: resume,
    events.ResumeFromBreakpoint: resume_from_breakpoint,
    events.ForceRun: force_run,
    events.Unqueue: unqueue,
    events.ChangeState: change_state,
    events.Restart: restart,
    events.ChangeTaskState: change_task_state,
    events.SetLabels: lambda turn, event: set_labels(turn, event.labels),
    events.ChildStarted: flow_started,
    events.ChildEnded: flow_ended,
}
"""What each kind of event sets in motion."""
