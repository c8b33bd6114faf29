"""A connection to a database for the length of one task, which a kill breaks off."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, ClassVar

from penstock.builtin.jdbc.statements import Statement, Syntax
from penstock.builtin.jdbc.values import Row, Values, plain
from penstock.sdk import PluginError, RunContext
from penstock.sdk.items import stop_if_killed

_AGAIN, _TIMES = 0.5, 60


class DatabaseError(PluginError):
    """The database did not do what it was asked for."""

    code = "DATABASE_FAILED"


class Session(ABC):
    """An open connection, by the interface that Python's drivers share; each driver adds what is its own."""

    syntax: ClassVar[Syntax]

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    @abstractmethod
    def begin(self, *, whole: bool = False) -> None:
        """Begin a transaction; without one each statement is its own.

        Args:
            whole: Whether all statements are to see the same rows, whatever others write meanwhile.
        """

    def commit(self) -> None:
        """Keep what the transaction has done."""
        self.connection.commit()

    @abstractmethod
    def cancel(self) -> None:
        """Break off the statement that runs. Called from another thread."""

    def close(self) -> None:
        """Close the connection; a transaction that is open has done nothing."""
        self.connection.close()

    def run(self, statement: Statement, values: Values, size: int) -> Iterator[Row] | None:
        """Run a statement and return its rows, fetched so many at a time; None when it is none that gives rows.

        Rows must be read to the end before the next statement.

        Args:
            statement: The statement.
            values: The values of its parameters; None when a colon is to mean nothing.
            size: How many rows are fetched together.
        """
        text, used = (statement.text, None) if values is None else statement.bound(self.syntax, values)
        return self.rows(statement, text, used, size)

    def rows(self, statement: Statement, text: str, values: Values, size: int) -> Iterator[Row] | None:
        """Run a statement as the driver wants it."""
        cursor = self.cursor()
        cursor.execute(text, values) if values else cursor.execute(text)
        return None if cursor.description is None else self.read(cursor, size)

    def cursor(self) -> Any:
        """Return what runs a statement."""
        return self.connection.cursor()

    def read(self, cursor: Any, size: int) -> Iterator[Row]:
        """Yield the rows of a statement that has been run."""
        names = [column[0] for column in cursor.description]
        converters = [self.converter(column) for column in cursor.description]
        while found := cursor.fetchmany(size):
            for values in found:
                yield {name: convert(value) for name, convert, value in zip(names, converters, values, strict=True)}

    def converter(self, column: Sequence[Any]) -> Callable[[Any], Any]:
        """Return what makes values of a column, as the driver describes it, into those of flows."""
        return plain

    def insert(self, text: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run a statement for each of some rows and return how many rows it has changed in all."""
        cursor = self.cursor()
        cursor.executemany(text, rows)
        return max(int(cursor.rowcount), 0)

    def columns(self, table: str) -> int:
        """Return how many columns a table has."""
        cursor = self.cursor()
        cursor.execute(f"SELECT * FROM {table} WHERE 1 = 0")  # noqa: S608  # who may name a table may write SQL
        cursor.fetchall()
        return len(cursor.description)


def passed(context: RunContext, rows: Iterable[Row]) -> int:
    """Read rows to their end for nothing but their number."""
    number = 0
    for number, _ in enumerate(rows, 1):
        if number % 1_000 == 0:
            stop_if_killed(context)
    return number


@contextmanager
def kept(
    context: RunContext, connected: AbstractContextManager[Session], name: str, errors: tuple[type[Exception], ...]
) -> Iterator[Session]:
    """Give a session that a kill breaks off and that is closed at the end.

    Args:
        context: The task's.
        connected: Makes the session and closes it.
        name: Of the database, for messages.
        errors: What the driver raises; that is told as DatabaseError.
    """
    guard, is_over, own = threading.Lock(), threading.Event(), threading.get_ident()

    def break_off(session: Session) -> None:
        if threading.get_ident() == own:
            return  # killed already: nothing runs yet
        for _ in range(_TIMES):  # a kill may come just before a statement, which would then run on
            with guard:
                if is_over.is_set():
                    return
                with suppress(*errors):
                    session.cancel()
            if is_over.wait(_AGAIN):
                return

    try:
        with connected as session:
            try:
                context.on_kill(lambda: break_off(session))
                stop_if_killed(context)
                yield session
            finally:
                with guard:
                    is_over.set()
    except errors as error:
        if context.is_killed:
            raise DatabaseError(f"{name}: the statement was broken off") from None
        raise DatabaseError(f"{name}: {str(error).strip() or type(error).__name__}") from None
