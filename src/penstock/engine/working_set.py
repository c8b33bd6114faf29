"""One execution with all its task runs in memory, indexed for decisions and for expressions.

`decide` reads a working set and never changes it; the shell applies the decision after it is written, by replacing
records. Nothing is copied that did not change, so ten thousand children do not cost ten thousand copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from penstock.engine.decision import Decision
from penstock.engine.records import Execution, TaskRun


class Live(dict[str, Any]):
    """A dictionary that may grow while another thread reads it: iteration walks over a copy of the keys."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(dict.keys(self)))

    def items(self) -> Any:
        """Return the pairs as they are now."""
        return list(dict.items(self))

    def values(self) -> Any:
        """Return the values as they are now."""
        return list(dict.values(self))

    def keys(self) -> Any:
        """Return the keys as they are now."""
        return list(dict.keys(self))


class ExecutionState:
    """The working set of one execution."""

    __slots__ = ("_paths", "by_task", "execution", "is_new", "outputs", "task_runs")

    def __init__(self, execution: Execution, *, is_new: bool = False) -> None:
        self.execution = execution
        self.is_new = is_new
        """Whether the execution's row does not exist yet."""
        self.task_runs: dict[str, TaskRun] = {}
        self.by_task: dict[str, list[str]] = {}
        """Task id -> ids of its task runs in creation order."""
        self.outputs: dict[str, Any] = Live()
        """`outputs` of the expression context (ENG-081): by task id, in loops one more level per loop value."""
        self._paths: dict[str, tuple[str, ...]] = {}

    @classmethod
    def of(cls, execution: Execution, task_runs: Iterable[TaskRun]) -> ExecutionState:
        """Return the working set of a stored execution."""
        state = cls(execution)
        for run in sorted(task_runs, key=lambda run: run.sequence):
            state.put(run)
        return state

    def put(self, run: TaskRun) -> None:
        """Insert or replace a task run."""
        known = run.id in self.task_runs
        before = self.task_runs.get(run.id)
        self.task_runs[run.id] = run
        if not known:
            self.by_task.setdefault(run.task_id, []).append(run.id)
        if run.outputs is not None:
            self._put_outputs(run)
        elif before is not None and before.outputs is not None:
            self._drop_outputs(run)

    def apply(self, decision: Decision) -> None:
        """Take over what a decision changed."""
        if decision.execution is not None:
            self.execution = decision.execution
        for run in decision.created:
            self.put(run)
        for run in decision.changed:
            self.put(run)

    def path(self, run: TaskRun) -> tuple[str, ...]:
        """Return the loop values that lead to a task run, outermost first. Deep nesting needs no deep stack."""
        inside: list[TaskRun] = []
        one: TaskRun | None = run
        while one is not None and one.id not in self._paths:
            inside.append(one)
            one = None if one.parent_id is None else self.task_runs.get(one.parent_id)
        path = () if one is None else self._paths[one.id]
        for one in reversed(inside):
            path = path if one.value is None else (*path, one.value)
            self._paths[one.id] = path
        return path

    def ancestors(self, run: TaskRun) -> Iterator[TaskRun]:
        """Yield the enclosing task runs, nearest first."""
        parent_id = run.parent_id
        while parent_id is not None:
            parent = self.task_runs[parent_id]
            yield parent
            parent_id = parent.parent_id

    def _put_outputs(self, run: TaskRun) -> None:
        path = self.path(run)
        if not path:
            self.outputs[run.task_id] = run.outputs
            return
        level = self.outputs.setdefault(run.task_id, Live())
        for value in path[:-1]:
            level = level.setdefault(value, Live())
        level[path[-1]] = run.outputs

    def _drop_outputs(self, run: TaskRun) -> None:
        path = self.path(run)
        if not path:
            self.outputs.pop(run.task_id, None)
            return
        level = self.outputs.get(run.task_id)
        for value in path[:-1]:
            level = level.get(value) if isinstance(level, dict) else None
        if isinstance(level, dict):
            level.pop(path[-1], None)
