"""Removing old records for good, some rows in each transaction."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, func, not_, or_, select, tuple_

from penstock.base.clock import Instant
from penstock.ports.purging import EndedExecution, LinePosition, Position
from penstock.ports.queries import Filter
from penstock.store.counts import fold_txn, removed_txn
from penstock.store.database import Database
from penstock.store.filters import Condition, Search
from penstock.store.filters import namespace as namespace_field
from penstock.store.lines import log_search
from penstock.store.queries import execution_search
from penstock.store.tables import EXECUTION_LABELS, EXECUTIONS, JOBS, LOGS, MESSAGES, METRICS, TASK_RUNS, TIMERS

E = EXECUTIONS.c
_ENDED = (E.live.is_(False), E.end_date.is_not(None))
L = LOGS.c
_LOG_NAMESPACE = Search("log lines", {"namespace": namespace_field(L.namespace)}, {})


class Old:
    """The conditions of what is old, for whoever removes it and whoever counts it.

    Args:
        system_namespace: The namespace of the system's own executions.
    """

    def __init__(self, system_namespace: str) -> None:
        self._executions = execution_search(system_namespace)

    def executions(self, filters: Sequence[Filter], unless: Sequence[Sequence[Filter]]) -> list[Condition]:
        """Return the conditions of executions that fit all filters, but all of none of `unless`."""
        conditions = self._executions.conditions(filters)
        return conditions + [not_(and_(*self._executions.conditions(one))) for one in unless]

    def lines(self, filters: Sequence[Filter], unless: Sequence[Sequence[Filter]]) -> list[Condition]:
        """Return the conditions of log lines whose namespace and whose execution do."""
        return self._of_lines(filters) + [not_(and_(*self._of_lines(one))) for one in unless]

    def _of_lines(self, filters: Sequence[Filter]) -> list[Condition]:
        place = [one for one in filters if one.field == "namespace"]
        others = [one for one in filters if one.field != "namespace"]
        conditions = _LOG_NAMESPACE.conditions(place)
        if others:
            conditions.append(exists().where(E.id == L.execution_id, *self._executions.conditions(others)))
        return conditions


class SqlPurgeStore:
    """The `PurgeStore` port on a database. Implements the storage part of OPS-166, OPS-169, BEY-020."""

    def __init__(self, database: Database, system_namespace: str) -> None:
        self._database = database
        self._old = Old(system_namespace)
        self._logs = log_search(system_namespace)

    async def ended(
        self,
        tenant: str,
        filters: Sequence[Filter],
        until: Instant | None,
        after: Position,
        limit: int,
        unless: Sequence[Sequence[Filter]] = (),
    ) -> Sequence[EndedExecution]:
        """Return executions that have ended, until then, and fit: the oldest ends first, from behind a position on."""
        end, execution_id = after
        walked: list[Condition] = [E.tenant == tenant, E.end_date.is_not(None), E.end_date >= end]
        if until is not None:
            walked.append(E.end_date <= until)
        fitting = [or_(E.end_date > end, E.id > execution_id), E.live.is_(False)]
        fitting += self._old.executions(filters, unless)
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

    async def old_lines(
        self,
        tenant: str,
        filters: Sequence[Filter],
        until: Instant,
        after: LinePosition,
        limit: int,
        unless: Sequence[Sequence[Filter]] = (),
    ) -> Sequence[LinePosition]:
        """Return log lines written until then along the index by their date."""
        date, number = after
        walked: list[Condition] = [L.tenant == tenant, L.date >= date, L.date <= until]
        fitting = [or_(L.date > date, L.id > number), *self._old.lines(filters, unless)]
        query = select(L.date, L.id).where(*walked, func.coalesce(and_(*fitting), False))
        query = query.order_by(L.date, L.id).limit(limit)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [(row.date, row.id) for row in found]

    async def remove_lines(self, numbers: Sequence[int]) -> int:
        """Remove log lines by their numbers."""
        statement = delete(LOGS).where(L.id.in_(numbers))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def known(self, tenant: str, execution_ids: Sequence[str]) -> Set[str]:
        """Return which of these executions exist."""
        query = select(E.id).where(E.tenant == tenant, E.id.in_(execution_ids))
        return await self._database.read(lambda connection: set(connection.execute(query).scalars()))

    async def fold_counts(self, before: Instant, limit: int) -> int:
        """Bring counts of ended executions of hours that are over to one row each, so many rows at a time."""
        return await self._database.write(lambda connection: fold_txn(connection, before, limit))

    async def reclaim(self, pages: int) -> int:
        """Give free pages of an SQLite file back to the disk; PostgreSQL sees to that itself."""
        return await self._database.write(lambda connection: reclaim_txn(connection, pages))

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
    removed_txn(connection, doomed)
    for table in (EXECUTION_LABELS, TASK_RUNS, JOBS, TIMERS, MESSAGES):
        connection.execute(delete(table).where(table.c.execution_id.in_(doomed)))
    return connection.execute(delete(EXECUTIONS).where(E.id.in_(doomed))).rowcount


def reclaim_txn(connection: Connection, pages: int) -> int:
    """Shorten an SQLite file by some of its free pages; a file made before there was a way to do so stays as it is."""
    if connection.dialect.name != "sqlite":
        return 0
    freed = min(pages, free_pages_txn(connection))
    for _ in range(freed):  # one page a statement: the driver takes the first step of each and no other
        connection.exec_driver_sql("PRAGMA incremental_vacuum(1)")
    return freed


def free_pages_txn(connection: Connection) -> int:
    """Return how many pages of an SQLite file can be given back."""
    if connection.exec_driver_sql("PRAGMA auto_vacuum").scalar_one() == 0:
        return 0
    return int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
