"""What reaches the executor: an event for one execution, with whatever belongs into the same transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from penstock.engine.decision import Timer
from penstock.engine.events import Event
from penstock.engine.records import Execution, LogLine, Metric, TaskRun


class Receipt:
    """Tells its holder when a number of deliveries are stored, or that one was refused."""

    __slots__ = ("_future", "_open", "execution")

    def __init__(self, deliveries: int = 1) -> None:
        self._open = deliveries
        self._future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.execution: Execution | None = None
        """The execution after the event, of the delivery stored last."""

    def stored(self, execution: Execution | None) -> None:
        """One delivery has been stored."""
        self.execution = execution
        self._open -= 1
        if self._open <= 0 and not self._future.done():
            self._future.set_result(None)

    def refused(self, error: BaseException) -> None:
        """A delivery could not be carried out."""
        if not self._future.done():
            self._future.set_exception(error)

    async def wait(self) -> Execution | None:
        """Return when everything is stored; raises why not."""
        await self._future
        return self.execution


@dataclass(slots=True)
class Delivery:
    """One event on its way to a decision."""

    execution_id: str
    event: Event
    receipt: Receipt | None = None
    new: Execution | None = None
    """The execution itself, when the event brings it into being."""
    runs: Sequence[TaskRun] = field(default=())
    """Task runs a new execution begins with (a replay)."""
    logs: Sequence[LogLine] = field(default=())
    metrics: Sequence[Metric] = field(default=())
    job: tuple[str, int] | None = None
    """The job whose end the event reports: its row is deleted whatever is decided."""
    message_id: int | None = None
    """The stored message the event came from."""
    timer: Timer | None = None
    """The timer the event came from."""
