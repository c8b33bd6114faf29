"""Reads for people end in time: what takes longer is broken off, and says so, before it keeps others waiting.

Lists, charts and counts may be asked for anything. A question that no index answers must not occupy one of the few
connections for minutes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from penstock.base.errors import UnavailableError
from penstock.ports.pools import PoolFigures
from penstock.store.database import Database, Work
from penstock.store.sqlite import driver_of

T = TypeVar("T")

LIST_SECONDS = 30.0
"""How long a read for people may take."""
_QUERY_CANCELED = "57014"
_STEPS = 20_000
"""Instructions of SQLite between two looks at the clock: less than a millisecond."""


class TooSlow(UnavailableError):
    """A question takes the database too long."""

    code = "QUERY_TOO_SLOW"


class TimeLimited:
    """A database whose reads are broken off when they take too long. Implements the time-out of BEY-022.

    Args:
        database: The database.
        seconds: How long a read may take.
    """

    def __init__(self, database: Database, seconds: float = LIST_SECONDS) -> None:
        self._database = database
        self._seconds = seconds

    @property
    def name(self) -> str:
        """Where the database is."""
        return self._database.name

    async def write(self, work: Work[T]) -> T:
        """Run the work in a transaction, for as long as it takes."""
        return await self._database.write(work)

    async def read(self, work: Work[T]) -> T:
        """Run the work on a snapshot.

        Raises:
            TooSlow: It takes too long.
            UnavailableError: The database does not answer.
        """

        def in_time(connection: Connection) -> T:
            with _limit(connection, self._seconds):
                return work(connection)

        return await self._database.read(in_time)

    def figures(self) -> PoolFigures:
        """Return how its connections are used now."""
        return self._database.figures()

    async def close(self) -> None:
        """Let go of the database."""
        await self._database.close()


@contextmanager
def _limit(connection: Connection, seconds: float) -> Iterator[None]:
    try:
        if connection.dialect.name == "sqlite":
            with _watched(connection, seconds):
                yield
        else:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")
            yield
    except (DBAPIError, sqlite3.Error) as error:
        if not _is_broken_off(error.orig if isinstance(error, DBAPIError) else error):
            raise
        raise TooSlow(
            f"the database takes longer than {seconds:g} s to answer this",
            hint="ask for a shorter time, or narrow it by namespace, flow or state",
        ) from error


@contextmanager
def _watched(connection: Connection, seconds: float) -> Iterator[None]:
    driver = driver_of(connection)
    end = time.monotonic() + seconds
    driver.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


def _is_broken_off(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT
    return getattr(error, "sqlstate", None) == _QUERY_CANCELED  # its driver is slow to import: not for a class of it
