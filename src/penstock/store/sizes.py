"""How much room the tables take, and how many rows are old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, LargeBinary, cast, func, literal_column, select, text
from sqlalchemy.exc import OperationalError

from penstock.base.clock import Instant
from penstock.ports.queries import Filter
from penstock.ports.sizes import Part, TableSize
from penstock.store.database import Database
from penstock.store.purging import Old
from penstock.store.tables import EXECUTIONS, LOGS, METADATA

_OF_EXECUTIONS = [EXECUTIONS, *(table for table in METADATA.sorted_tables if "execution_id" in table.c)]
E = EXECUTIONS.c
L = LOGS.c
_SQLITE_PAGES = text(
    "SELECT schema.tbl_name, SUM(sizes.pgsize) FROM (SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE) AS sizes "
    "JOIN sqlite_schema AS schema ON schema.name = sizes.name GROUP BY schema.tbl_name"
)


class SqlSizeStore:
    """The `SizeStore` port on a database. Implements the storage part of BEY-021."""

    def __init__(self, database: Database, system_namespace: str) -> None:
        self._database = database
        self._old = Old(system_namespace)

    async def tables(self) -> Sequence[TableSize]:
        """Return all tables, the largest first."""
        found = await self._database.read(tables_txn)
        return sorted(found, key=lambda table: (-(table.bytes or 0), table.name))

    async def total(self) -> int:
        """Return the bytes of the whole database."""
        return await self._database.read(total_txn)

    async def created_since(self, since: Instant) -> tuple[int, int]:
        """Return how many executions and log lines are from since then."""
        executions = select(func.count()).select_from(EXECUTIONS).where(E.start_date >= since)
        lines = select(func.count()).select_from(LOGS).where(L.date >= since)
        return await self._database.read(
            lambda connection: (connection.execute(executions).scalar_one(), connection.execute(lines).scalar_one())
        )

    async def of(self, execution_id: str) -> Sequence[Part]:
        """Return what an execution has in each table, the largest first."""
        found = await self._database.read(lambda connection: parts_txn(connection, execution_id))
        return sorted((part for part in found if part.count), key=lambda part: (-part.bytes, part.name))

    async def oldest(self) -> Instant | None:
        """Return when the oldest execution was created."""
        query = select(func.min(E.start_date))
        return await self._database.read(lambda connection: connection.execute(query).scalar())

    async def ended_until(
        self, tenant: str, filters: Sequence[Filter], until: Instant, unless: Sequence[Sequence[Filter]]
    ) -> int:
        """Return how many executions that fit have ended until then."""
        walked = [E.tenant == tenant, E.end_date.is_not(None), E.end_date <= until, E.live.is_(False)]
        query = select(func.count()).select_from(EXECUTIONS).where(*walked, *self._old.executions(filters, unless))
        return await self._database.read(lambda connection: int(connection.execute(query).scalar_one()))

    async def lines_until(
        self, tenant: str, filters: Sequence[Filter], until: Instant, unless: Sequence[Sequence[Filter]]
    ) -> int:
        """Return how many log lines that fit were written until then."""
        walked = [L.tenant == tenant, L.date <= until]
        query = select(func.count()).select_from(LOGS).where(*walked, *self._old.lines(filters, unless))
        return await self._database.read(lambda connection: int(connection.execute(query).scalar_one()))


def tables_txn(connection: Connection) -> list[TableSize]:
    """Return rows and bytes of all tables."""
    sizes = _sqlite_bytes(connection) if connection.dialect.name == "sqlite" else _postgres_bytes(connection)
    found = []
    for table in METADATA.sorted_tables:
        rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
        found.append(TableSize(table.name, rows, sizes.get(table.name)))
    return found


def parts_txn(connection: Connection, execution_id: str) -> list[Part]:
    """Return rows and bytes of one execution in all tables."""
    found = []
    for table in _OF_EXECUTIONS:
        key = table.c.id if table is EXECUTIONS else table.c.execution_id
        if connection.dialect.name == "sqlite":
            taken: Any = sum(func.coalesce(func.length(cast(column, LargeBinary)), 0) for column in table.c)
        else:
            taken = func.pg_column_size(literal_column(table.name))
        query = select(func.count(), func.coalesce(func.sum(taken), 0)).select_from(table).where(key == execution_id)
        found.append(Part(str(table.name), *connection.execute(query).one()))
    return found


def total_txn(connection: Connection) -> int:
    """Return the bytes of the database."""
    if connection.dialect.name == "sqlite":
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    return int(connection.execute(select(func.pg_database_size(func.current_database()))).scalar_one())


def _sqlite_bytes(connection: Connection) -> Mapping[str, int]:
    try:
        return {row[0]: row[1] for row in connection.execute(_SQLITE_PAGES)}
    except OperationalError:  # this build of SQLite was made without the table that tells
        return {}


def _postgres_bytes(connection: Connection) -> Mapping[str, int]:
    names = [table.name for table in METADATA.sorted_tables]
    sizes = select(*(func.pg_total_relation_size(name) for name in names))
    return dict(zip(names, connection.execute(sizes).one(), strict=True))
