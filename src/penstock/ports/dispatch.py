"""The door to the executor: hand in an execution or an event; durable when the call returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from penstock.engine.events import AnyEvent
from penstock.engine.records import Execution, TaskRun


class Dispatcher(Protocol):
    """Local when the executor that owns the execution lives in this process, through the database otherwise."""

    async def create(self, execution: Execution, *, reject: str | None = None, runs: Sequence[TaskRun] = ()) -> bool:
        """Bring an execution into being and let it begin; it is stored when this returns.

        Args:
            execution: The new execution in state CREATED.
            reject: Refuse it before its first task, and this is why.
            runs: Task runs it begins with (a replay).

        Returns:
            False when its firing key exists already (nothing was written).
        """
        ...

    async def send(self, execution_id: str, event: AnyEvent) -> Execution | None:
        """Let something happen to an execution; stored when this returns.

        Returns:
            The execution after the event when this process decided it, None when another one will.

        Raises:
            NotFoundError: There is no such execution.
            ConflictError: Its state does not allow the event (only known when this process decides).
        """
        ...
