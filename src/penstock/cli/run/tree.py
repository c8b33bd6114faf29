"""How an execution looks at a moment: its task runs as a tree, with state and duration. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from penstock.base.clock import Instant, Micros
from penstock.engine.records import Execution, TaskRun
from penstock.engine.states import State, StateType

SYMBOLS: Mapping[StateType, str] = {
    StateType.SUCCESS: "✓",
    StateType.WARNING: "!",
    StateType.FAILED: "✗",
    StateType.KILLED: "✗",
    StateType.CANCELLED: "✗",
    StateType.RUNNING: "●",
    StateType.PAUSED: "⏸",
    StateType.SKIPPED: "-",
    StateType.RETRYING: "↻",
}
_MOST_CHILDREN = 8
"""Ended children of a loop beyond this number are counted rather than listed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tree."""

    depth: int
    label: str
    state: StateType | None
    duration: Micros | None


def rows(execution: Execution, task_runs: Sequence[TaskRun], now: Instant) -> list[Row]:
    """Return the lines of an execution: itself, then its task runs below one another."""
    children: dict[str | None, list[TaskRun]] = {}
    for run in task_runs:
        children.setdefault(run.parent_id, []).append(run)
    head = Row(0, f"{execution.namespace}.{execution.flow_id}", execution.state.current, _length(execution.state, now))
    return [head, *_below(children, None, 1, now)]


def _below(
    children: Mapping[str | None, Sequence[TaskRun]], parent: str | None, depth: int, now: Instant
) -> Iterator[Row]:
    runs = children.get(parent, ())
    shown = _shown(runs)
    hidden = len(runs) - len(shown)
    if hidden:
        yield Row(depth, f"... {hidden} more, ended", None, None)
    for run in shown:
        yield Row(depth, label(run), run.state.current, _length(run.state, now))
        yield from _below(children, run.id, depth + 1, now)


def _shown(runs: Sequence[TaskRun]) -> Sequence[TaskRun]:
    """Return the children worth a line: all of a few; of many the open ones, the failed ones and the last."""
    if len(runs) <= _MOST_CHILDREN:
        return runs
    last = set(range(len(runs) - _MOST_CHILDREN, len(runs)))
    return [
        run
        for index, run in enumerate(runs)
        if index in last or not run.state.is_terminal or run.state.current is StateType.FAILED
    ][-3 * _MOST_CHILDREN :]


def label(run: TaskRun) -> str:
    """Return a task run's name: its task, and its value in a loop."""
    return run.task_id if run.value is None else f"{run.task_id} [{_short(run.value)}]"


def path_label(run: TaskRun, by_id: Mapping[str, TaskRun]) -> str:
    """Return a task run's name with those of its parents."""
    names = [label(run)]
    while run.parent_id is not None and run.parent_id in by_id:
        run = by_id[run.parent_id]
        names.append(label(run))
    return " > ".join(reversed(names))


def duration_text(length: Micros) -> str:
    """Return a length of time for people: `12 ms`, `3.4 s`, `2 min 05 s`, `1 h 02 min`."""
    if length < 1_000_000:
        return f"{length // 1000} ms"
    seconds = length / 1_000_000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def changed(before: Mapping[str, StateType], task_runs: Iterable[TaskRun]) -> list[TaskRun]:
    """Return the task runs whose state is another than before."""
    return [run for run in task_runs if before.get(run.id) is not run.state.current]


def _length(state: State, now: Instant) -> Micros:
    return max(0, (state.end or now) - state.start)


def _short(value: str) -> str:
    return value if len(value) <= 40 else value[:39] + "…"
