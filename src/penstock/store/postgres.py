"""PostgreSQL: a few threads, each transaction on a connection of the pool.

Writes and reads have threads of their own, so that a slow search never keeps a commit waiting. A transaction that lost
a deadlock, or whose connection was gone before it committed, is run once more: nothing of it had happened.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
import psycopg.conninfo
from sqlalchemy import URL, Dialect, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from penstock.base.errors import InvalidRequestError, UnavailableError
from penstock.ports.pools import PoolFigures
from penstock.store.database import Work, unfit
from penstock.store.meter import Meter

T = TypeVar("T")

CONNECTIONS = 10
ATTEMPTS = 5
CONNECT_SECONDS = 10
IDLE_SECONDS = 10
"""How long a transaction may do nothing: one of a process that stands still must not keep its locks."""
KEEPALIVES = {
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "target_session_attrs": "read-write",
}
"""A server that is gone without a word is noticed within seconds, and one that only reads is not used."""
_AGAIN = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
_UNFIT = (
    psycopg.errors.NumericValueOutOfRange,
    psycopg.errors.UntranslatableCharacter,
    psycopg.errors.CharacterNotInRepertoire,
)
"""What the server says of values that a caller may have given; other errors of data are of statements, thus ours."""


class PostgresDatabase:
    """One PostgreSQL database.

    Args:
        url: Address in SQLAlchemy's form, with or without `+psycopg`.
        connections: How many connections there may be at once, for reading and writing together.
        idle_seconds: How long a transaction may do nothing before the server ends it.
    """

    def __init__(self, url: str, *, connections: int = CONNECTIONS, idle_seconds: float = IDLE_SECONDS) -> None:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
        self._name = parsed.render_as_string(hide_password=True)
        self._engine: Engine = create_engine(
            parsed,
            pool_size=max(2, connections),
            max_overflow=0,
            hide_parameters=True,  # errors are logged, and values may be confidential
            connect_args={
                **_without_given(KEEPALIVES, parsed),
                "connect_timeout": CONNECT_SECONDS,
                "application_name": "penstock",
            },
        )
        self._most = max(2, connections)
        self._meter = Meter()
        event.listen(self._engine, "do_connect", self._connect)
        event.listen(self._engine, "connect", _SessionSettings(idle_seconds))
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
        asked = self._meter.asked()
        return await asyncio.get_running_loop().run_in_executor(threads, self._transaction, engine, work, asked)

    def figures(self) -> PoolFigures:
        """Return how its connections are used now."""
        pool = self._engine.pool
        is_open = pool.checkedin() + pool.checkedout() if isinstance(pool, QueuePool) else 0
        return self._meter.figures(is_open=is_open, most=self._most, least=0)

    def _connect(self, dialect: Dialect, record: object, arguments: Sequence[Any], named: Mapping[str, Any]) -> object:
        return self._meter.connecting(lambda: dialect.connect(*arguments, **named))

    def _transaction(self, engine: Engine, work: Work[T], asked: float) -> T:
        self._meter.got(asked)
        for attempt in range(1, ATTEMPTS + 1):
            is_committing = False
            try:
                with self._meter.using(), engine.connect() as connection, connection.begin() as transaction:
                    result = work(connection)
                    is_committing = True
                    transaction.commit()
                return result
            except (DBAPIError, PoolTimeoutError) as error:
                if isinstance(error, PoolTimeoutError):
                    self._meter.timed_out()
                if _only_reads(error):
                    engine.dispose()  # the server has become a standby: its connections are of no use any more
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
        if _is_unfit(origin):
            return unfit()
        if isinstance(origin, psycopg.errors.InvalidRegularExpression):
            reason = origin.diag.message_primary
            return InvalidRequestError(f"PostgreSQL takes no such pattern: {reason}", hint="write it in another way")
        is_lost = isinstance(error, DBAPIError) and (error.connection_invalidated or _only_reads(error))
        if is_lost or isinstance(error, PoolTimeoutError) or isinstance(origin, psycopg.OperationalError):
            reason = str(origin or error).strip().splitlines()[0]
            return UnavailableError(
                f"the database {self._name} does not answer ({reason})",
                hint="check that PostgreSQL runs and accepts connections, and that address and user are right",
            )
        return error


def _is_unfit(origin: BaseException | None) -> bool:
    """Tell whether a value is none that a column can hold; the driver itself refuses NUL, without a code."""
    if isinstance(origin, _UNFIT):
        return True
    return type(origin) is psycopg.DataError and "NUL" in str(origin)


def _worth_repeating(error: Exception) -> bool:
    """Tell whether running it again may help: it lost a deadlock, or the pool gave out a dead connection."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or isinstance(error.orig, _AGAIN)


def conninfo(url: str) -> str:
    """Return an address as libpq takes it."""
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    _, options = parsed.get_dialect()().create_connect_args(parsed)
    return psycopg.conninfo.make_conninfo(**options)


def _only_reads(error: Exception) -> bool:
    """Tell whether the server refuses to write, as a standby does."""
    return isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.errors.ReadOnlySqlTransaction)


def _without_given(defaults: Mapping[str, object], url: URL) -> dict[str, object]:
    """Return what the address does not say otherwise."""
    return {name: value for name, value in defaults.items() if name not in url.query}


class _SessionSettings:
    """Sets what holds for a session. Not by the option of a connection, which connection poolers refuse."""

    def __init__(self, idle_seconds: float) -> None:
        self._statement = f"SET idle_in_transaction_session_timeout = {round(idle_seconds * 1000)}".encode()

    def __call__(self, connection: psycopg.Connection[object], record: object) -> None:
        """Set up a new connection."""
        connection.autocommit = True
        connection.execute(self._statement)
        connection.autocommit = False
