"""What holds an execution: a `Pause` task that waits, somebody who paused it, a breakpoint that it has reached.

While somebody or a breakpoint holds it nothing new begins: task runs are made and left in CREATED. Implements ENG-095,
ENG-096, ENG-146, ENG-417 and the breakpoints of API-020.
"""

from __future__ import annotations

from penstock.engine.calls import beside
from penstock.engine.records import TaskRun
from penstock.engine.states import StateType
from penstock.engine.turn import Turn, replace

NO_HOLD = {"held": False, "stopped": False, "by": None}
"""The memory of an execution that nothing holds any more."""
_OPEN = (StateType.RUNNING, StateType.PAUSED, StateType.BREAKPOINT)


def _remember(turn: Turn, **values: object) -> None:
    cursor = turn.execution.cursor
    turn.set_cursor(None, replace(cursor, memory={**cursor.memory, **values}))


def waiting(turn: Turn) -> int:
    """Return how many Pause tasks wait."""
    return int(turn.execution.cursor.memory.get("paused", 0))


def is_stopped(turn: Turn) -> bool:
    """Return whether the execution has reached a breakpoint."""
    return bool(turn.execution.cursor.memory.get("stopped"))


def is_held(turn: Turn) -> bool:
    """Return whether somebody or a breakpoint holds the execution: nothing new begins."""
    memory = turn.execution.cursor.memory
    return bool(memory.get("held") or memory.get("stopped"))


def pause_run(turn: Turn, run: TaskRun) -> None:
    """Let a task run wait; the execution is PAUSED while at least one waits."""
    turn.move(run, StateType.PAUSED)
    _remember(turn, paused=waiting(turn) + 1)
    settle(turn)


def unpause_run(turn: Turn) -> None:
    """Take note that one task run waits no more; the execution runs again when it was the last and nobody holds it."""
    _remember(turn, paused=max(0, waiting(turn) - 1))
    settle(turn)


def hold(turn: Turn, by: str | None) -> None:
    """Let nothing new begin until `let_go`; who wants it is kept for those who ask (BEY-002)."""
    _remember(turn, held=True, by=by)
    settle(turn)


def stop_before(turn: Turn, run: TaskRun) -> bool:
    """Hold the execution when it has a breakpoint before this task run that has not held it yet; returns whether."""
    execution = turn.execution
    if not execution.breakpoints or execution.state.current not in (*_OPEN, StateType.RETRYING):
        return False
    passed = execution.cursor.memory.get("passed", ())
    if run.id in passed or not _names(turn, run).intersection(execution.breakpoints):
        return False
    _remember(turn, stopped=True, passed=[*passed, run.id])
    settle(turn)
    return True


def _names(turn: Turn, run: TaskRun) -> set[str]:
    """Return what breakpoints call a task run: by its task or one inside that, and by the value of the loop around it.

    A worker runs the tasks inside another one in one go, so a breakpoint before one of them is before all of them.
    """
    names = {run.task_id, *(beside(run.task_id, name) for name in turn.task(run).inside)}
    around: TaskRun | None = run
    while around is not None and around.value is None:
        around = turn.find(around.parent_id) if around.parent_id is not None else None
    if around is not None:
        names |= {f"{name}.{around.value}" for name in names}
    return names


def let_go(turn: Turn) -> None:
    """End all holds; Pause tasks go on waiting."""
    _remember(turn, **NO_HOLD)
    settle(turn)


def settle(turn: Turn) -> None:
    """Bring the execution into the state that what holds it amounts to."""
    current = turn.execution.state.current
    if current not in _OPEN:
        return
    if is_stopped(turn):
        state = StateType.BREAKPOINT
    else:
        state = StateType.PAUSED if is_held(turn) or waiting(turn) else StateType.RUNNING
    if state is not current:
        turn.move_execution(state)
