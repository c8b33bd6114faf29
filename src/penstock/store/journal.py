"""The executor's memory on a database: one batch of decisions is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from sqlalchemy import Connection

from penstock.base.clock import Instant, Micros
from penstock.engine.decision import Message, Timer
from penstock.engine.records import Execution, LogLine, Metric, TaskRun
from penstock.ports.journal import Batch, CommitResult, KeyTaken, Lease, Loaded, Occupancy, StoredMessage
from penstock.store import executions, inbox, jobs, partitions, rows
from penstock.store.bulk import insert
from penstock.store.database import Database
from penstock.store.tables import LOGS, METRICS

_INSERT_LOGS = insert(LOGS, rows.LOG_COLUMNS)
_INSERT_METRICS = insert(METRICS, rows.METRIC_COLUMNS)


class SqlJournal:
    """The `Journal` port on a database. Implements BEY-006 (one execution per firing)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, execution_ids: Iterable[str]) -> Mapping[str, Loaded]:
        """Return the stored working sets of those executions that exist."""
        wanted = list(execution_ids)
        return await self._database.read(lambda connection: executions.load_txn(connection, wanted))

    async def commit(self, batch: Batch) -> CommitResult:
        """Write everything or nothing, durably, before returning."""
        return await self._database.write(lambda connection: commit_txn(connection, batch))

    async def messages(self, partitions: Iterable[int], after: int, limit: int) -> Sequence[StoredMessage]:
        """Return waiting messages, oldest first.

        On PostgreSQL a message may appear after one with a higher id, when its transaction took longer: a caller that
        moves `after` on must look from 0 again from time to time.
        """
        wanted = list(partitions)
        return await self._database.read(lambda connection: inbox.messages_txn(connection, wanted, after, limit))

    async def send(
        self,
        messages: Sequence[Message],
        *,
        new: Sequence[Execution] = (),
        runs: Sequence[TaskRun] = (),
        logs: Sequence[LogLine] = (),
        metrics: Sequence[Metric] = (),
        ended_jobs: Mapping[tuple[str, int], str | None] | None = None,
    ) -> Set[str]:
        """Put events into inboxes from outside an executor; those of executions that exist already are left out."""

        def send(connection: Connection) -> set[str]:
            jobs.end_jobs_txn(connection, ended_jobs or {})
            return send_txn(connection, messages, new, logs, metrics, runs)

        return await self._database.write(send)

    async def timers(self, partitions: Iterable[int], until: Instant, limit: int) -> Sequence[Timer]:
        """Return timers due until then, soonest first."""
        wanted = list(partitions)
        return await self._database.read(lambda connection: inbox.timers_txn(connection, wanted, until, limit))

    async def enrol(self, owner: str, ttl: Micros, now: Instant) -> int:
        """Say that an executor lives; returns how many do."""
        return await self._database.write(lambda connection: partitions.enrol_txn(connection, owner, ttl, now))

    async def lease(self, owner: str, wanted: int, ttl: Micros, now: Instant) -> Sequence[Lease]:
        """Renew what the owner holds, take over what is free, give back what is too much."""
        return await self._database.write(lambda connection: partitions.lease_txn(connection, owner, wanted, ttl, now))

    async def release(self, owner: str) -> None:
        """Give back all partitions of the owner at once; `*` stands for every owner."""
        await self._database.write(lambda connection: partitions.release_txn(connection, owner))

    async def occupancy(self, tenant: str, namespace: str, flow_id: str) -> Occupancy:
        """Return which executions of a flow run, and which are queued."""
        return await self._database.read(lambda connection: inbox.occupancy_txn(connection, tenant, namespace, flow_id))

    async def elsewhere(self, flows: Iterable[tuple[str, str, str]]) -> Mapping[str, tuple[str, str, str]]:
        """Return the executions of these flows that run outside the partition in which limits are counted."""
        wanted = set(flows)
        return await self._database.read(lambda connection: inbox.elsewhere_txn(connection, wanted))

    async def queued(self) -> Sequence[tuple[str, str, str]]:
        """Return the flows that have queued executions."""
        return await self._database.read(inbox.queued_txn)

    async def busy(self) -> Sequence[tuple[str, str, str]]:
        """Return the flows that have executions which have not ended."""
        return await self._database.read(inbox.busy_txn)

    async def live(self, partitions: Iterable[int], after: str, limit: int) -> Sequence[str]:
        """Return ids of executions that have not ended, paged by id."""
        wanted = list(partitions)
        return await self._database.read(lambda connection: inbox.live_txn(connection, wanted, after, limit))


def commit_txn(connection: Connection, batch: Batch) -> CommitResult:
    """Write a batch."""
    partitions.check_fences_txn(connection, batch.fences)
    duplicates = executions.insert_txn(connection, batch.new_executions.values(), batch.share)
    if duplicates & batch.firsts:
        raise KeyTaken("an execution with the same key was started at this moment")
    if duplicates:
        batch = _without(batch, duplicates)
    executions.update_txn(connection, batch.executions.values(), batch.share, batch.before)
    executions.insert_runs_txn(connection, batch.new_task_runs.values())
    executions.update_runs_txn(connection, batch.task_runs.values())
    jobs.end_jobs_txn(connection, batch.ended_jobs)
    jobs.put_jobs_txn(connection, batch.jobs.values())
    unclaimed, claimed = jobs.kill_txn(connection, batch.kills)
    inbox.count_txn(connection, batch.counted)
    inbox.cancel_timers_txn(connection, batch.cancelled_timers)
    inbox.put_timers_txn(connection, batch.timers.values())
    inbox.consume_txn(connection, batch.consumed)
    inbox.put_messages_txn(connection, batch.messages)
    lines_txn(connection, batch.logs, batch.metrics)
    return CommitResult(unclaimed, claimed, sorted(duplicates))


def send_txn(
    connection: Connection,
    messages: Sequence[Message],
    new: Sequence[Execution],
    logs: Sequence[LogLine],
    metrics: Sequence[Metric],
    runs: Sequence[TaskRun] = (),
) -> set[str]:
    """Write events with what belongs to them; returns the ids of executions that existed already."""
    known = executions.insert_txn(connection, new)
    executions.insert_runs_txn(connection, [run for run in runs if run.execution_id not in known])
    inbox.put_messages_txn(connection, [message for message in messages if message.execution_id not in known])
    lines_txn(connection, [line for line in logs if line.execution_id not in known], metrics)
    return known


def lines_txn(connection: Connection, logs: Iterable[LogLine], metrics: Iterable[Metric]) -> None:
    """Append log lines and metrics."""
    _INSERT_LOGS.run(connection, [rows.log_row(line) for line in logs])
    _INSERT_METRICS.run(connection, [rows.metric_row(metric) for metric in metrics])


def _without(batch: Batch, left_out: set[str]) -> Batch:
    """Return the batch without anything of executions that were not written."""
    return Batch(
        share=batch.share,
        counted=batch.counted - left_out,
        executions={key: one for key, one in batch.executions.items() if key not in left_out},
        before=batch.before,
        new_task_runs={key: run for key, run in batch.new_task_runs.items() if run.execution_id not in left_out},
        task_runs={key: run for key, run in batch.task_runs.items() if run.execution_id not in left_out},
        jobs={key: pair for key, pair in batch.jobs.items() if pair[0].execution_id not in left_out},
        ended_jobs=batch.ended_jobs,
        kills=batch.kills,
        timers={key: timer for key, timer in batch.timers.items() if timer.execution_id not in left_out},
        cancelled_timers=batch.cancelled_timers,
        messages=[message for message in batch.messages if message.execution_id not in left_out],
        consumed=batch.consumed,
        logs=[line for line in batch.logs if line.execution_id not in left_out],
        metrics=[metric for metric in batch.metrics if metric.execution_id not in left_out],
    )
