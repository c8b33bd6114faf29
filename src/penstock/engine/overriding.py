"""What people decide over the engine's head: go on without waiting, leave the queue, call an end something else.

Implements the force-run, unqueue, change-status and resume-from-breakpoint parts of API-101.
"""

from __future__ import annotations

from penstock.base.errors import ConflictError
from penstock.engine.events import ChangeState, ForceRun, Resume, ResumeFromBreakpoint, Unqueue
from penstock.engine.pausing import is_stopped, let_go
from penstock.engine.resuming import resume
from penstock.engine.starting import disabled_reason, end_unbegun, run_now, start_waiting
from penstock.engine.states import StateType
from penstock.engine.turn import Turn, replace

CHOSEN_ENDS = frozenset({StateType.SUCCESS, StateType.WARNING, StateType.FAILED, StateType.CANCELLED, StateType.KILLED})
"""The states that an ended execution may be given by hand."""
LEAVING_THE_QUEUE = frozenset({StateType.RUNNING, StateType.CANCELLED, StateType.FAILED})
"""What may become of an execution that is taken out of the queue."""
FORCIBLE = frozenset({StateType.CREATED, StateType.QUEUED, StateType.PAUSED, StateType.BREAKPOINT})
"""The states in which an execution waits for something that somebody can decide not to wait for."""


def force_run(turn: Turn, event: ForceRun) -> None:
    """Let an execution go on whatever it waits for: a slot, its date, a resume, a breakpoint."""
    state = turn.execution.state.current
    if state not in FORCIBLE:
        raise _refused(turn, "waits for nothing that can be skipped")
    if state in (StateType.CREATED, StateType.QUEUED):
        if turn.flow.disabled:
            raise ConflictError(disabled_reason(turn.flow), hint="enable the flow first")
        turn.cancel_timer("start")
        run_now(turn)
        return
    if is_stopped(turn):
        _go_on(turn)
    if turn.execution.state.current is StateType.PAUSED:
        resume(turn, Resume(by=event.by))


def unqueue(turn: Turn, event: Unqueue) -> None:
    """Take an execution out of the queue."""
    if turn.execution.state.current is not StateType.QUEUED:
        raise _refused(turn, "is not QUEUED")
    if event.state not in LEAVING_THE_QUEUE:
        raise ConflictError(
            f"an execution cannot leave the queue as {event.state}", hint="choose RUNNING, CANCELLED or FAILED"
        )
    if event.state is StateType.RUNNING:
        run_now(turn)
    else:
        end_unbegun(turn, event.state, f"taken out of the queue{_by(event.by)}")


def change_state(turn: Turn, event: ChangeState) -> None:
    """Give an ended execution another end. Its task runs, outputs and listeners stay as they are."""
    if turn.execution.cursor.phase != "done":
        raise _refused(turn, "has not ended")
    if event.state not in CHOSEN_ENDS:
        raise ConflictError(
            f"an ended execution cannot be set to {event.state}",
            hint=f"choose one of {', '.join(sorted(CHOSEN_ENDS))}",
        )
    before = turn.execution.state.current
    turn.move_execution(event.state)
    turn.log("INFO", f"The state was changed from {before} to {event.state}{_by(event.by)}")


def resume_from_breakpoint(turn: Turn, event: ResumeFromBreakpoint) -> None:
    """Let an execution go on that has reached a breakpoint, until the next one."""
    if not is_stopped(turn):
        raise _refused(turn, "is at no breakpoint")
    if event.breakpoints is not None:
        turn.put_execution(replace(turn.execution, breakpoints=event.breakpoints))
    _go_on(turn)


def _go_on(turn: Turn) -> None:
    let_go(turn)
    start_waiting(turn)


def _refused(turn: Turn, reason: str) -> ConflictError:
    return ConflictError(f"execution {turn.execution.id} is {turn.execution.state.current} and {reason}")


def _by(name: str | None) -> str:
    return f" by {name}" if name else ""
