"""Removing old records for good, some rows in each transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, or_, select, tuple_

from penstock.base.clock import Instant
from penstock.ports.purging import EndedExecution, Position
from penstock.ports.queries import Filter
from penstock.store.database import Database
from penstock.store.filters import Condition
from penstock.store.lines import log_search
from penstock.store.queries import execution_search
from penstock.store.tables import EXECUTION_LABELS, EXECUTIONS, JOBS, LOGS, MESSAGES, METRICS, TASK_RUNS, TIMERS

E = EXECUTIONS.c
_ENDED = (E.live.is_(False), E.end_date.is_not(None))


class SqlPurgeStore:
    """The `PurgeStore` port on a database. Implements the storage part of OPS-166, OPS-169."""

    def __init__(self, database: Database, system_namespace: str) -> None:
        self._database = database
        self._executions = execution_search(system_namespace)
        self._logs = log_search(system_namespace)

    async def ended(
        self, tenant: str, filters: Sequence[Filter], until: Instant | None, after: Position, limit: int
    ) -> Sequence[EndedExecution]:
        """Return executions that have ended, until then, and fit: the oldest ends first, from behind a position on."""
        end, execution_id = after
        walked: list[Condition] = [E.tenant == tenant, E.end_date.is_not(None), E.end_date >= end]
        if until is not None:
            walked.append(E.end_date <= until)
        fitting = [or_(E.end_date > end, E.id > execution_id), E.live.is_(False), *self._executions.conditions(filters)]
        found = await self._database.read(lambda connection: ended_txn(connection, walked, fitting, limit))
        return [EndedExecution(*row) for row in found]

    async def remove_logs_of(self, execution_ids: Sequence[str], limit: int) -> int:
        """Remove log lines of executions."""
        return await self._some(LOGS, [LOGS.c.execution_id.in_(execution_ids)], limit)

    async def remove_metrics_of(self, execution_ids: Sequence[str], limit: int) -> int:
        """Remove metrics of executions."""
        return await self._some(METRICS, [METRICS.c.execution_id.in_(execution_ids)], limit)

    async def remove_task_runs_of(self, execution_ids: Sequence[str], limit: int) -> int:
        """Remove task runs of executions that do not run."""
        ended = select(E.id).where(E.id.in_(execution_ids), *_ENDED)
        return await self._some(TASK_RUNS, [TASK_RUNS.c.execution_id.in_(ended)], limit)

    async def remove(self, tenant: str, execution_ids: Sequence[str]) -> int:
        """Remove executions that do not run."""
        return await self._database.write(lambda connection: remove_txn(connection, tenant, execution_ids))

    async def remove_logs(self, tenant: str, filters: Sequence[Filter], limit: int) -> int:
        """Remove log lines that fit."""
        return await self._some(LOGS, [LOGS.c.tenant == tenant, *self._logs.conditions(filters)], limit)

    async def _some(self, table: Table, conditions: Sequence[Condition], limit: int) -> int:
        """Remove up to `limit` rows, chosen by their key: SQLite knows no other way to bound a removal."""
        columns: list[ColumnElement[Any]] = list(table.primary_key.columns)
        chosen = select(*columns).where(*conditions).limit(limit)
        key = columns[0] if len(columns) == 1 else tuple_(*columns)
        statement = delete(table).where(key.in_(chosen))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)


def ended_txn(
    connection: Connection, walked: Sequence[Condition], fitting: Sequence[Condition], limit: int
) -> Sequence[Any]:
    """Return ended executions along the index by their end."""
    if connection.dialect.name == "sqlite":
        fitting = [func.coalesce(and_(*fitting), False)]  # within a function no index is looked for
    query = select(E.id, E.namespace, E.flow_id, E.end_date).where(*walked, *fitting)
    return connection.execute(query.order_by(E.end_date, E.id).limit(limit)).all()


def remove_txn(connection: Connection, tenant: str, execution_ids: Sequence[str]) -> int:
    """Remove those of some executions that have ended, with what is kept beside them."""
    query = select(E.id).where(E.tenant == tenant, E.id.in_(execution_ids), *_ENDED).order_by(E.id)
    doomed = [row[0] for row in connection.execute(query.with_for_update())]
    for table in (EXECUTION_LABELS, TASK_RUNS, JOBS, TIMERS, MESSAGES):
        connection.execute(delete(table).where(table.c.execution_id.in_(doomed)))
    return connection.execute(delete(EXECUTIONS).where(E.id.in_(doomed))).rowcount
