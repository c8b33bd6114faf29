"""Two ways to the executor (the `Dispatcher` port): straight, when it lives in this process and holds the partition;
through the database otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from penstock.base.errors import NotFoundError
from penstock.engine.decision import Message
from penstock.engine.events import AnyEvent, Created, TaskEnded
from penstock.engine.records import Execution, TaskRun
from penstock.ports.gateway import Report
from penstock.ports.journal import Journal, LeaseLost, StaleReports, partition_of
from penstock.ports.notifier import Notifier
from penstock.services.executor.delivery import Delivery, Receipt
from penstock.services.executor.executor import Executor

log = structlog.get_logger(__name__)


class StoredDispatcher:
    """Puts events into the inboxes in the database, for an executor elsewhere."""

    def __init__(self, journal: Journal, notifier: Notifier) -> None:
        self._journal = journal
        self._notifier = notifier

    async def create(self, execution: Execution, *, reject: str | None = None, runs: Sequence[TaskRun] = ()) -> bool:
        """Store the execution with a `Created` message."""
        message = Message(execution.id, Created(reject))
        if await self._journal.send([message], new=[execution], runs=runs):
            return False
        await self._wake([execution.id])
        return True

    async def send(self, execution_id: str, event: AnyEvent) -> Execution | None:
        """Store the event."""
        if not await self._journal.load([execution_id]):
            raise NotFoundError(f"there is no execution {execution_id}")
        await self._journal.send([Message(execution_id, event)])
        await self._wake([execution_id])
        return None

    async def report(self, reports: Sequence[Report]) -> None:
        """Store what workers report, with their lines and numbers; but for ends of jobs that others have by now."""
        try:
            await self._store(reports)
        except StaleReports as stale:
            log.warning("late ends dropped", action="executor.late", jobs=sorted(stale.holders))
            in_time = [one for one in reports if not stale.is_late(one.job.key, one.event.worker_id)]
            await self.report(in_time)

    async def _store(self, reports: Sequence[Report]) -> None:
        logs = [line for report in reports for line in report.logs]
        await self._journal.send(
            [Message(report.job.execution_id, report.event) for report in reports],
            logs=logs,
            metrics=[metric for report in reports for metric in report.metrics],
            ended_jobs={one.job.key: one.event.worker_id for one in reports if isinstance(one.event, TaskEnded)},
        )
        await self._wake([report.job.execution_id for report in reports])
        if logs:
            await self._notifier.publish("logs", sorted({line.execution_id for line in logs if line.execution_id}))

    async def _wake(self, execution_ids: Sequence[str]) -> None:
        await self._notifier.publish("messages", sorted({str(partition_of(one)) for one in execution_ids}))


class LocalDispatcher:
    """Hands events to the executor of this process when it holds the partition, and stores them otherwise."""

    def __init__(self, executor: Executor, stored: StoredDispatcher) -> None:
        self._executor = executor
        self._stored = stored

    async def create(self, execution: Execution, *, reject: str | None = None, runs: Sequence[TaskRun] = ()) -> bool:
        """Bring an execution into being."""
        if self._executor.owns(execution.id):
            try:
                return await self._executor.create(execution, reject=reject, runs=runs)
            except LeaseLost:
                await asyncio.sleep(0)
        return await self._stored.create(execution, reject=reject, runs=runs)

    async def send(self, execution_id: str, event: AnyEvent) -> Execution | None:
        """Let something happen to an execution."""
        if self._executor.owns(execution_id):
            receipt = Receipt()
            self._executor.deliver([Delivery(execution_id, event, receipt)])
            try:
                return await receipt.wait()
            except LeaseLost:
                await asyncio.sleep(0)
        return await self._stored.send(execution_id, event)

    async def report(self, reports: Sequence[Report]) -> None:
        """Take what workers report."""
        local = [report for report in reports if self._executor.owns(report.job.execution_id)]
        remote = [report for report in reports if not self._executor.owns(report.job.execution_id)]
        if local:
            try:
                await self._executor.report(local)
            except LeaseLost:
                remote.extend(local)
        if remote:
            await self._stored.report(remote)
