"""How much waits in the queues."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from penstock.base.clock import Instant
from penstock.ports.depths import Depth
from penstock.store.database import Database
from penstock.store.switches import counts_txn
from penstock.store.tables import JOBS, MESSAGES, TIMERS, WORKERS
from penstock.store.triggers import due_triggers_txn


class SqlQueueDepths:
    """The `QueueDepths` port on a database. Implements the storage part of BEY-011, OPS-148."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def depths(self, now: Instant) -> Sequence[Depth]:
        """Return all queues."""
        return await self._database.read(lambda connection: depths_txn(connection, now))


def depths_txn(connection: Connection, now: Instant) -> list[Depth]:
    """Count what waits."""
    columns = JOBS.c
    jobs = select(columns.worker_group, func.count(), func.min(columns.created)).where(columns.owner.is_(None))
    found = {row[0]: Depth("jobs", *row) for row in connection.execute(jobs.group_by(columns.worker_group))}
    messages = connection.execute(select(func.count()).select_from(MESSAGES)).scalar_one()
    due = select(func.count(), func.min(TIMERS.c.due)).where(TIMERS.c.due <= now)
    timers, oldest = connection.execute(due).one()
    found.setdefault("", Depth("jobs", "", 0))
    late = [date for state in due_triggers_txn(connection, now) if (date := state.late_since(now)) is not None]
    return [
        *found.values(),
        Depth("messages", "", messages),
        Depth("timers", "", timers, oldest),
        Depth("triggers", "", len(late), min(late, default=None)),
        *_workers_txn(connection),
        *(Depth("switches", state, count) for state, count in counts_txn(connection, now)),
    ]


def _workers_txn(connection: Connection) -> list[Depth]:
    columns = WORKERS.c
    query = select(columns.worker_group, func.count(), func.min(columns.heartbeat)).group_by(columns.worker_group)
    return [Depth("workers", *row) for row in connection.execute(query)]
