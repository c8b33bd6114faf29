"""Children at the same time: `Parallel`, `Dag`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from pydantic import Field, field_validator

from penstock.sdk.flow import EndedChild, Launch, Scope, Step
from penstock.sdk.task import FlowableTask, PluginModel, TaskDefinition, TaskList


class Parallel(FlowableTask):
    """Run tasks at the same time.

    Load two tables at the same time:

    ```yaml
    tasks:
      - id: load
        type: io.kestra.plugin.core.flow.Parallel
        tasks:
          - id: orders
            type: io.kestra.plugin.core.log.Log
            message: Loads orders
          - id: customers
            type: io.kestra.plugin.core.log.Log
            message: Loads customers
    ```

    Implements ENG-069.
    """

    type_name = "io.kestra.plugin.core.flow.Parallel"
    type_aliases = ("io.kestra.core.tasks.flows.Parallel",)
    in_order = False

    tasks: TaskList = Field(min_length=1, description="What to run; none of them can read another's outputs.")
    concurrent: int = Field(0, ge=0, description="How many run at most at a time; 0 means all.")

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the children."""
        return {"tasks": self.tasks}

    def side_by_side(self) -> bool:
        """Return True: children run at the same time."""
        return True

    def most_at_a_time(self) -> int:
        """Return the limit."""
        return self.concurrent

    def start(self, scope: Scope) -> Step:
        """Begin with as many children as may run at a time."""
        children = scope.task.lists["tasks"]
        first = children[: self.concurrent] if self.concurrent else children
        return Step(launches=tuple(Launch(child) for child in first), memory={"next": len(first)})

    def child_ended(self, scope: Scope, child: EndedChild) -> Step:
        """Begin with the next child, unless one has failed."""
        children = scope.task.lists["tasks"]
        position = scope.memory["next"]
        if scope.failed or position >= len(children):
            return Step()
        return Step(launches=(Launch(children[position]),), memory={"next": position + 1})


_BLOCKED, _READY, _BEGUN, _DONE = b".rbd"
"""A Dag's memory has one of these letters for each task, so that it stays small however many there are."""


class DagTask(PluginModel):
    """A task and what it waits for."""

    task: TaskDefinition
    depends_on: list[str] | None = Field(None, description="Ids of tasks of the same Dag that must have ended first.")


def _cycle(dependencies: Mapping[str, Sequence[str]]) -> list[str] | None:
    """Return the ids along a cycle, the first repeated at the end; None when there is none."""
    done: set[str] = set()
    for root in dependencies:
        path: list[str] = []
        stack = [(root, iter(dependencies[root]))] if root not in done else []
        path = [root] if stack else []
        while stack:
            name, rest = stack[-1]
            for other in rest:
                if other in path:
                    return [*path[path.index(other) :], other]
                if other not in done:
                    stack.append((other, iter(dependencies.get(other, ()))))
                    path.append(other)
                    break
            else:
                done.add(name)
                stack.pop()
                path.pop()
    return None


class Dag(FlowableTask):
    """Run tasks as soon as those they depend on have ended.

    Run tasks as soon as those they depend on have ended:

    ```yaml
    tasks:
      - id: build
        type: io.kestra.plugin.core.flow.Dag
        tasks:
          - task:
              id: orders
              type: io.kestra.plugin.core.log.Log
              message: Loads orders
          - task:
              id: customers
              type: io.kestra.plugin.core.log.Log
              message: Loads customers
          - task:
              id: report
              type: io.kestra.plugin.core.log.Log
              message: Needs both
            dependsOn:
              - orders
              - customers
    ```

    Implements ENG-070.
    """

    type_name = "io.kestra.plugin.core.flow.Dag"
    type_aliases = ("io.kestra.core.tasks.flows.Dag",)
    in_order = False

    tasks: list[DagTask] = Field(min_length=1, description="The tasks and their dependencies.")
    concurrent: int = Field(0, ge=0, description="How many run at most at a time; 0 means all that can.")

    @field_validator("tasks")
    @classmethod
    def _is_acyclic(cls, tasks: list[DagTask]) -> list[DagTask]:
        dependencies = {str(one.task.get("id")): one.depends_on or [] for one in tasks}
        wrong = [
            f"task `{name}` depends on `{other}`, which is no task of this Dag"
            for name, wanted in dependencies.items()
            for other in wanted
            if other not in dependencies
        ]
        known = {name: [other for other in wanted if other in dependencies] for name, wanted in dependencies.items()}
        if cycle := _cycle(known):
            wrong.append(f"the dependencies form a cycle: {' -> '.join(cycle)}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return tasks

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the tasks."""
        return {"tasks": [one.task for one in self.tasks]}

    def side_by_side(self) -> bool:
        """Return True: children run at the same time."""
        return True

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        """Where in the list each task stands."""
        return {str(one.task["id"]): position for position, one in enumerate(self.tasks)}

    @cached_property
    def _dependents(self) -> Sequence[Sequence[int]]:
        """By position, the positions of the tasks that wait for it."""
        result: list[list[int]] = [[] for _ in self.tasks]
        for position, one in enumerate(self.tasks):
            for name in one.depends_on or ():
                result[self._positions[name]].append(position)
        return result

    def start(self, scope: Scope) -> Step:
        """Begin with the tasks that wait for nothing."""
        return self._begin(scope, bytearray(_BLOCKED if one.depends_on else _READY for one in self.tasks))

    def child_ended(self, scope: Scope, child: EndedChild) -> Step:
        """Begin with the tasks that waited for this one last; after a failure nothing new begins."""
        if child.failed:
            return Step()
        letters = bytearray(scope.memory["tasks"].encode())
        position = self._positions[child.task.name]
        letters[position] = _DONE
        for other in self._dependents[position]:
            wanted = self.tasks[other].depends_on or ()
            if letters[other] == _BLOCKED and all(letters[self._positions[name]] == _DONE for name in wanted):
                letters[other] = _READY
        if scope.failed:
            return Step(memory={"tasks": letters.decode()})
        return self._begin(scope, letters)

    def _begin(self, scope: Scope, letters: bytearray) -> Step:
        """Begin with as many of the tasks that are ready as may run at a time."""
        free = max(0, self.concurrent - scope.active) if self.concurrent else len(letters)
        children = scope.task.lists["tasks"]
        launches: list[Launch] = []
        position = letters.find(_READY)
        while position >= 0 and len(launches) < free:
            letters[position] = _BEGUN
            launches.append(Launch(children[position]))
            position = letters.find(_READY, position + 1)
        return Step(launches=tuple(launches), memory={"tasks": letters.decode()})
