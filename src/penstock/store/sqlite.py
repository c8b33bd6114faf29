"""SQLite: one writer thread that commits in groups, and a few readers that never wait for it (WAL).

Everything handed in while a commit is under way forms the next group: one transaction, one wait for the disk. Each
piece of work runs in a savepoint, so one that fails takes nobody with it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import regex
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from penstock.base.errors import UnavailableError
from penstock.ports.pools import PoolFigures
from penstock.store.database import Work, unfit
from penstock.store.meter import Meter

T = TypeVar("T")

BUSY_SECONDS = 5
READERS = 4
REGEX_SECONDS = 0.05
_MEGABYTE = 1024 * 1024


class Waiting(Generic[T]):
    """A piece of work on its way through the writer, and the future that learns of its outcome."""

    __slots__ = ("error", "future", "loop", "result", "work")

    def __init__(self, work: Work[T], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.future: asyncio.Future[T] = loop.create_future()
        self.result: T | None = None
        self.error: BaseException | None = None

    def deliver(self) -> None:
        """Tell the waiter, who may have gone away; runs on its loop."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


def _make_private(path: Path) -> None:
    """Create a file that its owner alone can read; SQLite gives the files beside it the same rights.

    One that exists keeps its rights, which somebody may have chosen. What hinders this is told by SQLite.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


class SqliteDatabase:
    """One SQLite file.

    Args:
        path: The file; it is created when it does not exist.
        durable: Wait for the disk at each commit. Off only for files that nobody needs after the process.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._durable = durable
        self._meter = Meter()
        self._engine = self._make_engine()
        self._local = threading.local()
        self._opened: list[Connection] = []
        self._queue: SimpleQueue[Waiting[Any] | None] = SimpleQueue()
        self._closed = False
        try:
            self._connection = self._engine.connect()
            self._driver = driver_of(self._connection)
            # Shows at once whether somebody else keeps the file locked.
            self._driver.execute("BEGIN IMMEDIATE")
            self._driver.execute("ROLLBACK")
        except (sqlite3.Error, DBAPIError) as error:
            raise self._translated(error) from error
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._writer = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._writer.start()

    @property
    def name(self) -> str:
        """The path of the file."""
        return str(self._path)

    async def write(self, work: Work[T]) -> T:
        """Run the work in the next group; durable when this returns."""
        if self._closed:
            raise UnavailableError(f"the database {self._path} has been closed")
        waiting = Waiting(work, asyncio.get_running_loop())
        self._queue.put(waiting)
        return await waiting.future

    async def read(self, work: Work[T]) -> T:
        """Run the work on a snapshot in a reader thread."""
        if self._closed:
            raise UnavailableError(f"the database {self._path} has been closed")
        asked = self._meter.asked()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work, asked)

    def figures(self) -> PoolFigures:
        """Return how its connections are used now: one that writes, and those of the threads that read."""
        return self._meter.figures(is_open=1 + len(self._opened), most=1 + READERS, least=1)

    async def close(self) -> None:
        """Commit what was handed in, then close the file."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._writer.join()
        self._readers.shutdown()
        for connection in self._opened:
            connection.close()
        self._connection.close()
        self._engine.dispose()

    def _make_engine(self) -> Engine:
        def connect() -> sqlite3.Connection:
            _make_private(self._path)
            driver = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            configure(driver, durable=self._durable)
            return driver

        def measured() -> sqlite3.Connection:
            return self._meter.connecting(connect)

        # NullPool: each thread keeps its one connection open by itself. AUTOCOMMIT: BEGIN and COMMIT are said here.
        # Errors are logged without parameters: values may be confidential.
        return create_engine(
            "sqlite://", creator=measured, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True
        )

    # -- reading

    def _read(self, work: Work[T], asked: float) -> T:
        self._meter.got(asked)
        try:
            connection = self._reader()
            driver = driver_of(connection)
            with self._meter.using():
                driver.execute("BEGIN")
                try:
                    return work(connection)
                finally:
                    driver.execute("ROLLBACK")
        except (sqlite3.Error, DBAPIError, OverflowError) as error:
            raise self._translated(error) from error

    def _reader(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._engine.connect()
            driver = driver_of(connection)
            driver.create_function("regexp", 2, matches, deterministic=True)
            driver.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            self._opened.append(connection)
        return connection

    # -- writing

    def _serve(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            group, is_last = [first], False
            with suppress(Empty):
                while not is_last:
                    following = self._queue.get_nowait()
                    if following is None:
                        is_last = True
                    else:
                        group.append(following)
            with self._meter.using():
                self._commit(group)
            deliver(group)
            if is_last:
                return

    def _commit(self, group: Sequence[Waiting[Any]]) -> None:
        """Run a group's work in one transaction; afterwards each has its result or its error."""
        try:
            self._driver.execute("BEGIN IMMEDIATE")
            for waiting in group:
                self._attempt(waiting)
            self._driver.execute("COMMIT")
        except Exception as error:  # the thread must live on, whatever the group met
            with suppress(sqlite3.Error):
                if self._driver.in_transaction:
                    self._driver.execute("ROLLBACK")
            translated = self._translated(error)
            for waiting in group:
                if waiting.error is None:
                    waiting.error = translated

    def _attempt(self, waiting: Waiting[Any]) -> None:
        driver = self._driver
        driver.execute("SAVEPOINT work")
        try:
            waiting.result = waiting.work(self._connection)
        except Exception as error:
            waiting.error = self._translated(error)
            if not driver.in_transaction:
                # SQLite gave the whole transaction up (a full disk): the group is lost with it.
                raise
            driver.execute("ROLLBACK TO work")
        driver.execute("RELEASE work")

    def _translated(self, error: BaseException) -> BaseException:
        origin = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(origin, OverflowError) and "SQLite" in str(origin):  # the driver's own, of a number too large
            return unfit()
        if not isinstance(origin, sqlite3.Error):
            return error
        return translate(origin, self._path) or error


def deliver(group: Sequence[Waiting[Any]]) -> None:
    """Tell all waiters of a group, with one call per event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Waiting[Any]]] = {}
    for waiting in group:
        loops.setdefault(waiting.loop, []).append(waiting)
    for loop, members in loops.items():
        with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            loop.call_soon_threadsafe(_deliver_all, members)


def _deliver_all(members: Sequence[Waiting[Any]]) -> None:
    for waiting in members:
        waiting.deliver()


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return the sqlite3 connection below a SQLAlchemy one."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def configure(driver: sqlite3.Connection, *, durable: bool) -> None:
    """Set a fresh connection up: room that can be given back, write-ahead log, waiting for the disk, memory."""
    if driver.execute("PRAGMA page_count").fetchone()[0] == 0:  # later it is not heard, and waits for a writer
        driver.execute("PRAGMA auto_vacuum = INCREMENTAL")
    driver.execute("PRAGMA journal_mode = WAL")
    driver.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
    driver.execute("PRAGMA temp_store = MEMORY")
    driver.execute(f"PRAGMA cache_size = {-32 * 1024}")
    driver.execute(f"PRAGMA mmap_size = {256 * _MEGABYTE}")
    driver.execute(f"PRAGMA journal_size_limit = {64 * _MEGABYTE}")
    driver.execute("PRAGMA wal_autocheckpoint = 4000")


def matches(pattern: str, value: object) -> bool:
    """Tell whether a column's value matches; a pattern that takes too long on it does not (SQL `REGEXP`)."""
    if value is None:
        return False
    try:
        return regex.search(pattern, str(value), timeout=REGEX_SECONDS) is not None
    except TimeoutError:
        return False


def translate(error: sqlite3.Error, path: Path) -> UnavailableError | None:
    """Return what a driver's error means for the caller; None when it is the caller's own mistake."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return UnavailableError(
            f"the database {path} is locked by another process",
            hint="stop the other server, or give this one a database file of its own",
        )
    if code == sqlite3.SQLITE_FULL:
        return UnavailableError(
            f"the database {path} cannot grow: the disk is full",
            hint="make room on its disk; work goes on by itself then",
        )
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return UnavailableError(
            f"the database {path} cannot be written or read ({error})",
            hint="check that its folder exists, that this user may write there, and that the disk has room",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return UnavailableError(
            f"the file {path} is no sound SQLite database ({error})",
            hint="restore it from a backup, or name another file",
        )
    return None
