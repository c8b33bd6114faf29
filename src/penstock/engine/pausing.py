"""Pauses: a `Pause` task that waits, and an execution that somebody holds (ENG-095, ENG-096, ENG-146, ENG-417)."""

from __future__ import annotations

from penstock.engine.records import TaskRun
from penstock.engine.states import StateType
from penstock.engine.turn import Turn, replace


def _remember(turn: Turn, key: str, value: object) -> None:
    cursor = turn.execution.cursor
    turn.set_cursor(None, replace(cursor, memory={**cursor.memory, key: value}))


def waiting(turn: Turn) -> int:
    """Return how many Pause tasks wait."""
    return int(turn.execution.cursor.memory.get("paused", 0))


def is_held(turn: Turn) -> bool:
    """Return whether somebody holds the execution: nothing new begins."""
    return bool(turn.execution.cursor.memory.get("held"))


def pause_run(turn: Turn, run: TaskRun) -> None:
    """Let a task run wait; the execution is PAUSED while at least one waits."""
    turn.move(run, StateType.PAUSED)
    _remember(turn, "paused", waiting(turn) + 1)
    if turn.execution.state.current is StateType.RUNNING:
        turn.move_execution(StateType.PAUSED)


def unpause_run(turn: Turn) -> None:
    """Take note that one task run waits no more; the execution runs again when it was the last and nobody holds it."""
    _remember(turn, "paused", max(0, waiting(turn) - 1))
    _run_again(turn)


def hold(turn: Turn) -> None:
    """Let nothing new begin until `let_go`."""
    _remember(turn, "held", True)
    if turn.execution.state.current is StateType.RUNNING:
        turn.move_execution(StateType.PAUSED)


def let_go(turn: Turn) -> None:
    """End a hold."""
    _remember(turn, "held", False)
    _run_again(turn)


def _run_again(turn: Turn) -> None:
    if turn.execution.state.current is StateType.PAUSED and not waiting(turn) and not is_held(turn):
        turn.move_execution(StateType.RUNNING)
