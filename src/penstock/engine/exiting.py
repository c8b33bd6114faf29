"""Exits: a task has the execution end in a state, without what follows it (`Exit`).

KILLED and CANCELLED stop what runs. The others let it run to its end; what only waits (a pause, the interval of a
loop, a retry) is given up, and nothing more begins but `errors` of a failure, `finally` and `afterExecution`.
"""

from __future__ import annotations

from penstock.engine.events import Kill
from penstock.engine.killing import kill, kill_run, stop
from penstock.engine.pausing import let_go
from penstock.engine.records import Cursor, Execution, TaskRun
from penstock.engine.states import TERMINAL, StateType
from penstock.engine.turn import Turn, replace

_EXIT = "exit"
"""In the memory of an execution: the state in which it ends."""
_WAITING = (StateType.CREATED, StateType.RESTARTED, StateType.RETRYING)


def leave(turn: Turn, state: StateType) -> None:
    """Have the execution end in a state; one that is being stopped or left already goes on doing that."""
    cursor = turn.execution.cursor
    if turn.execution.state.current in TERMINAL or cursor.killed or cursor.closed:
        return
    if state is StateType.KILLED:
        kill(turn, Kill())
    elif state is StateType.CANCELLED:
        stop(turn, state)
    else:
        _leave(turn, state)


def _leave(turn: Turn, state: StateType) -> None:
    let_go(turn)
    if turn.execution.state.current is StateType.RETRYING:
        turn.move_execution(StateType.RUNNING)
    cursor = turn.execution.cursor
    failed = cursor.failed or state is StateType.FAILED
    turn.set_cursor(None, replace(cursor, closed=True, failed=failed, memory={**cursor.memory, _EXIT: state.value}))
    for run in turn.runs():
        if run.state.current not in TERMINAL:
            _close(turn, run)


def _close(turn: Turn, run: TaskRun) -> None:
    """Give up a task run that only waits, and let nothing more begin in one whose children run."""
    cursor = turn.cursor(run.id)
    is_scope = turn.task(run).flowable is not None
    if run.state.current in _WAITING or (is_scope and not cursor.active):
        kill_run(turn, run, Kill())
    elif is_scope:
        turn.cancel_timer("flowable", run.id)
        turn.set_cursor(run.id, replace(cursor, closed=True))


def end_state(cursor: Cursor) -> StateType | None:
    """Return the state in which an execution is to end whatever its tasks ended in; None when they decide."""
    stopped, left = cursor.memory.get("end"), cursor.memory.get(_EXIT)
    if stopped is not None:
        return StateType(stopped)
    return StateType(left) if left is not None and not cursor.killed else None


def is_handled(execution: Execution, cursor: Cursor) -> bool:
    """Return whether the `errors` of a scope run now that its tasks have ended; a good end has nothing to handle."""
    if not cursor.failed or cursor.killed:
        return False
    return not cursor.closed or execution.cursor.memory.get(_EXIT) == StateType.FAILED
