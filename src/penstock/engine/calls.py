"""What the tasks of a called flow see: that flow's names, inputs, variables and outputs, as if it ran by itself.

The call's task run keeps them: its memory holds the inputs, and the variables once a task has changed them.
Implements BEY-037.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.engine.flow import ResolvedFlow, ResolvedTask
from penstock.engine.records import TaskRun
from penstock.engine.working_set import ExecutionState

INPUTS = "inputs"
VARIABLES = "vars"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is under way."""

    task_id: str
    run: TaskRun
    flow: ResolvedFlow
    """The called flow."""

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The values of the called flow's inputs."""
        return self._kept.get(INPUTS) or {}

    @property
    def variables(self) -> Mapping[str, Any]:
        """The called flow's variables, as its tasks have changed them."""
        changed: Mapping[str, Any] | None = self._kept.get(VARIABLES)
        return self.flow.variables if changed is None else changed

    @property
    def _kept(self) -> Mapping[str, Any]:
        return self.run.cursor.memory if self.run.cursor is not None else {}


def call_around(
    flow: ResolvedFlow, state: ExecutionState, run: TaskRun | None, task: ResolvedTask | None
) -> Call | None:
    """Return the innermost call that a task run belongs to; None in the flow itself."""
    if task is None or run is None or not task.call:
        return None
    called = flow.tasks[task.call].called
    around = next((above for above in state.ancestors(run) if above.task_id == task.call), None)
    return None if called is None or around is None else Call(task.call, around, called)


def call_of(run: TaskRun, task: ResolvedTask) -> Call:
    """Return the call that a task makes."""
    assert task.called is not None
    return Call(task.id, run, task.called)


def own_name(task_id: str) -> str:
    """Return the id that a task has in the flow that declares it."""
    return task_id.rpartition(".")[2]


def beside(task_id: str, name: str) -> str:
    """Return the id of a task that runs in the same call as another one."""
    call, dot, _ = task_id.rpartition(".")
    return f"{call}{dot}{name}"


class CalledOutputs(Mapping[str, Any]):
    """`outputs` inside a call: by the called flow's own task ids, without the loop values around the call."""

    __slots__ = ("_all", "_path", "_prefix")

    def __init__(self, state: ExecutionState, call: Call) -> None:
        self._all = state.outputs
        self._prefix = f"{call.task_id}."
        self._path = state.path(call.run)

    def __getitem__(self, name: str) -> Any:
        level = self._all[f"{self._prefix}{name}"]
        for value in self._path:
            level = level[value]
        return level

    def __iter__(self) -> Iterator[str]:
        for task_id in list(self._all):
            name = task_id[len(self._prefix) :]
            if task_id.startswith(self._prefix) and name in self:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)
