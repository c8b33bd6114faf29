"""The working sets an executor keeps in memory: those it works on, and the most recent others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container

from penstock.engine.working_set import ExecutionState
from penstock.ports.journal import COUNTED, partition_of


class WorkingSets:
    """A bounded cache. Whatever is in it equals what is stored; whoever fails to store drops what he changed."""

    def __init__(self, task_runs: int = 500_000) -> None:
        self._states: OrderedDict[str, ExecutionState] = OrderedDict()
        self._bound = task_runs
        self._weight = 0
        self._weights: dict[str, int] = {}
        self._counted: set[str] = set()

    def place(self, execution_id: str) -> int:
        """Return the partition of an execution; of one that is not held, the one in which it came into being."""
        return COUNTED if execution_id in self._counted else partition_of(execution_id)

    def count(self, execution_id: str) -> None:
        """Note that an execution belongs to the partition in which limits are counted, as long as it is held."""
        self._counted.add(execution_id)

    def get(self, execution_id: str) -> ExecutionState | None:
        """Return a working set, and count it as used."""
        state = self._states.get(execution_id)
        if state is not None:
            self._states.move_to_end(execution_id)
        return state

    def put(self, state: ExecutionState) -> None:
        """Keep a working set; the ones used longest ago make room."""
        execution_id = state.execution.id
        self._states[execution_id] = state
        self._states.move_to_end(execution_id)
        weight = len(state.task_runs) + 1
        self._weight += weight - self._weights.get(execution_id, 0)
        self._weights[execution_id] = weight
        while self._weight > self._bound and len(self._states) > 1:
            self.drop(next(iter(self._states)))

    def drop(self, execution_id: str) -> None:
        """Forget a working set."""
        self._counted.discard(execution_id)
        if self._states.pop(execution_id, None) is not None:
            self._weight -= self._weights.pop(execution_id)

    def drop_all(self, partitions: Container[int]) -> None:
        """Forget all working sets of these partitions."""
        for execution_id in [one for one in self._states if self.place(one) in partitions]:
            self.drop(execution_id)

    def __len__(self) -> int:
        return len(self._states)
