"""PostgreSQL: a few threads, each transaction on a connection of the pool.

Writes and reads have threads of their own, so that a slow search never keeps a commit waiting. A transaction that lost
a deadlock, or whose connection was gone before it committed, is run once more: nothing of it had happened.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import psycopg
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from penstock.base.errors import UnavailableError
from penstock.store.database import Work

T = TypeVar("T")

CONNECTIONS = 10
ATTEMPTS = 5
CONNECT_SECONDS = 10
_AGAIN = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


class PostgresDatabase:
    """One PostgreSQL database.

    Args:
        url: Address in SQLAlchemy's form, with or without `+psycopg`.
        connections: How many connections there may be at once, for reading and writing together.
    """

    def __init__(self, url: str, *, connections: int = CONNECTIONS) -> None:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
        self._name = parsed.render_as_string(hide_password=True)
        self._engine: Engine = create_engine(
            parsed,
            pool_size=max(2, connections),
            max_overflow=0,
            connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "penstock"},
        )
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        writers = max(1, connections // 2)
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="postgres-writer")
        self._readers = ThreadPoolExecutor(max(1, connections - writers), thread_name_prefix="postgres-reader")
        self._closed = False

    @property
    def name(self) -> str:
        """The address without its password."""
        return self._name

    async def write(self, work: Work[T]) -> T:
        """Run the work in a transaction and commit it."""
        return await self._run(self._writers, self._engine, work)

    async def read(self, work: Work[T]) -> T:
        """Run the work on a snapshot."""
        return await self._run(self._readers, self._snapshots, work)

    async def close(self) -> None:
        """Finish what was handed in, then close all connections."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self._engine.dispose()

    async def _run(self, threads: ThreadPoolExecutor, engine: Engine, work: Work[T]) -> T:
        if self._closed:
            raise UnavailableError(f"the database {self._name} has been closed")
        return await asyncio.get_running_loop().run_in_executor(threads, self._transaction, engine, work)

    def _transaction(self, engine: Engine, work: Work[T]) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            is_committing = False
            try:
                with engine.connect() as connection, connection.begin() as transaction:
                    result = work(connection)
                    is_committing = True
                    transaction.commit()
                return result
            except (DBAPIError, PoolTimeoutError) as error:
                if attempt == ATTEMPTS or is_committing or not _worth_repeating(error):
                    raise self._translated(error) from error
            time.sleep(0.005 * attempt)
        raise AssertionError("the loop above returns or raises")

    def _translated(self, error: Exception) -> Exception:
        origin = error.orig if isinstance(error, DBAPIError) else None
        if isinstance(origin, psycopg.errors.DiskFull):
            return UnavailableError(
                f"the database {self._name} cannot grow: its disk is full",
                hint="make room on the disk of the database server; work goes on by itself then",
            )
        is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
        if is_lost or isinstance(error, PoolTimeoutError) or isinstance(origin, psycopg.OperationalError):
            reason = str(origin or error).strip().splitlines()[0]
            return UnavailableError(
                f"the database {self._name} does not answer ({reason})",
                hint="check that PostgreSQL runs and accepts connections, and that address and user are right",
            )
        return error


def _worth_repeating(error: Exception) -> bool:
    """Tell whether running it again may help: it lost a deadlock, or the pool gave out a dead connection."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or isinstance(error.orig, _AGAIN)


def is_postgres(connection: Connection) -> bool:
    """Tell which of the two databases a connection leads to."""
    return connection.dialect.name == "postgresql"
