"""What reaches the executor: an event for one execution, with whatever belongs into the same transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from penstock.base.errors import ConflictError, PenstockError
from penstock.engine.confidential import handed_on
from penstock.engine.decision import ChildFlow, Killed, Message, Timer
from penstock.engine.events import AnyEvent, ChildEnded, ChildStarted, Restart, TaskEnded
from penstock.engine.records import Execution, LogLine, Metric, TaskRun
from penstock.engine.states import StateType
from penstock.ports.gateway import Report
from penstock.ports.journal import StoredMessage


class DuplicateFiring(ConflictError):
    """An execution with the same firing key exists already."""

    code = "DUPLICATE_FIRING"

    def __init__(self, execution_id: str) -> None:
        super().__init__(f"execution {execution_id} repeats a firing that has happened already")


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
    event: AnyEvent
    receipt: Receipt | None = None
    new: Execution | None = None
    """The execution itself, when the event brings it into being."""
    runs: Sequence[TaskRun] = field(default=())
    """Task runs a new execution begins with (a replay)."""
    logs: Sequence[LogLine] = field(default=())
    metrics: Sequence[Metric] = field(default=())
    job: tuple[str, int] | None = None
    """The job whose end the event reports: its row is deleted whatever is decided."""
    worker: str | None = None
    """The worker that reports this end, and must have the job still."""
    message_id: int | None = None
    """The stored message the event came from."""
    origin: int | None = None
    """The partition in whose inbox that message is."""
    timer: Timer | None = None
    """The timer the event came from."""


def of_report(report: Report, receipt: Receipt | None) -> Delivery:
    """Return the delivery of what a worker reports."""
    delivery = Delivery(report.job.execution_id, report.event, receipt, logs=report.logs, metrics=report.metrics)
    if isinstance(report.event, TaskEnded):
        delivery.job, delivery.worker = report.job.key, report.event.worker_id
    return delivery


def of_message(message: Message | StoredMessage) -> Delivery:
    """Return the delivery of an event for an execution, stored in its inbox or not."""
    event = message.event
    job = (event.task_run_id, event.attempt) if isinstance(event, TaskEnded) else None
    delivery = Delivery(message.execution_id, event, job=job)
    if isinstance(message, StoredMessage):
        delivery.message_id, delivery.origin = message.id, message.partition
    return delivery


def of_kill(order: Killed, now: int) -> Delivery:
    """Return the delivery of the end of a job that nobody had begun."""
    event = TaskEnded(order.task_run_id, order.attempt, StateType.KILLED, now, now)
    return Delivery(order.execution_id, event, job=(order.task_run_id, order.attempt))


def of_refused_restart(delivery: Delivery, error: PenstockError) -> list[Delivery]:
    """Return what tells a task run that wanted an execution restarted, and waits for it, that this is refused."""
    if not isinstance(delivery.event, Restart) or delivery.event.parent is None:
        return []
    parent, child_id = delivery.event.parent, delivery.event.child_id
    ended = ChildEnded(parent.task_run_id, child_id, StateType.FAILED, iteration=parent.iteration, error=str(error))
    return [Delivery(parent.execution_id, ended)]


def of_repetition(parent: Execution, wanted: ChildFlow, first: Execution) -> Delivery:
    """Return what tells a task run that the execution it wants is there already: its end, where that is waited for.

    Nobody can wait for one that runs: it may have somebody to tell of its end already.
    """
    run_id, start = wanted.task_run_id, wanted.start
    if not start.wait:
        return Delivery(parent.id, ChildStarted(run_id, first.id))
    state, error = first.state.current, None
    if first.cursor.phase != "done":
        flow = f"{first.namespace}.{first.flow_id}"
        state, error = StateType.FAILED, f"flow {flow} was started with the same key, as execution {first.id}"
        error += f", which is {first.state.current} and not over; a `retry` on the task waits for it"
    ended = ChildEnded(
        run_id, wanted.execution_id, state, first.outputs, start.iteration, error, first.id, handed_on(first)
    )
    return Delivery(parent.id, ended)
