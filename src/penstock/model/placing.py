"""Where the tasks of a flow stand to one another: around, before, after. For what expressions can see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from penstock.model.checking import KnownTask
from penstock.model.problems import Path

_LATE = {"errors": 1, "finally": 2, "afterExecution": 3}
"""Lists that begin when those before them have ended."""


@dataclass(frozen=True)
class TaskTree:
    """The tasks of a flow by the place of their definitions."""

    tasks: Sequence[KnownTask]

    @cached_property
    def _by_path(self) -> dict[Path, KnownTask]:
        return {task.path: task for task in self.tasks}

    def owner(self, path: Path) -> KnownTask | None:
        """Return the task in whose definition a value stands, the innermost of them."""
        for length in range(len(path), 0, -1):
            found = self._by_path.get(path[:length])
            if found is not None:
                return found
        return None

    def around(self, task: KnownTask) -> list[KnownTask]:
        """Return the tasks around a task, nearest first."""
        prefixes = (task.path[:length] for length in range(len(task.path) - 1, 0, -1))
        return [self._by_path[prefix] for prefix in prefixes if prefix in self._by_path]

    def always_runs(self, task: KnownTask) -> bool:
        """Return whether no execution succeeds without running the task, and its failure fails the execution."""
        lineage = [task, *self.around(task)]
        if any(_flag(one, "disabled") or _flag(one, "allowFailure") or "runIf" in one.definition for one in lineage):
            return False
        plain = all(step not in _LATE for step in task.path)
        return plain and all(
            one.path[len(outer.path) : len(outer.path) + 1] == ("tasks",)
            and not trait(outer, "is_loop", False)
            # An If has no `tasks`, and what fails in an AllowFailure does no harm.
            and not trait(outer, "forgives", False)
            for one, outer in pairwise(lineage)
        )

    def cannot_precede(self, other: KnownTask, task: KnownTask) -> bool:
        """Return whether a task surely has not run before another begins."""
        if other is task:
            return not any(one.path[: len(task.path)] == task.path and one is not task for one in self.tasks)
        near, far = task.path, other.path
        if near[: len(far)] == far or far[: len(near)] == near:
            return False
        common = [one for one in self.around(task) if far[: len(one.path)] == one.path]
        if any(trait(one, "is_loop", False) or trait(one, "repeats", False) or one.entry is None for one in common):
            return False
        start = len(common[0].path) if common else 0
        mine, its = near[start:], far[start:]
        if mine[0] != its[0]:
            return _LATE.get(str(its[0]), 0) > _LATE.get(str(mine[0]), 0)
        if common and not trait(common[0], "in_order", True):
            return False
        first, second = next(pair for pair in zip(mine, its, strict=False) if pair[0] != pair[1])
        return isinstance(first, int) and isinstance(second, int) and second > first


def trait(task: KnownTask, name: str, default: bool) -> bool:
    """Return what a task's type says of itself."""
    value: Any = getattr(task.entry.cls, name, default) if task.entry is not None else default
    return bool(value)


def _flag(task: KnownTask, name: str) -> bool:
    return task.definition.get(name) not in (None, False)
