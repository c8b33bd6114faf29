"""SQLite: `Query`, `Queries`, `Batch` and `Trigger`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.jdbc.batch import BatchTask
from penstock.builtin.jdbc.files import FileDatabase, FileFetched, FilesFetched
from penstock.builtin.jdbc.session import Session, kept
from penstock.builtin.jdbc.statements import SQLITE, Statement, Syntax
from penstock.builtin.jdbc.tasks import QueriesTask, QueryTask, QueryTrigger
from penstock.builtin.jdbc.values import Row, Values, bare
from penstock.sdk import Output, Property, RunContext


class SqliteSession(Session):
    """A connection to a file."""

    syntax: ClassVar[Syntax] = SQLITE

    def begin(self, *, whole: bool = False) -> None:
        """Begin a transaction; one that is to see the same rows keeps others from writing."""
        self.connection.execute("BEGIN IMMEDIATE" if whole else "BEGIN")

    def cancel(self) -> None:
        """Break off the statement that runs."""
        self.connection.interrupt()

    def rows(self, statement: Statement, text: str, values: Values, size: int) -> Iterator[Row] | None:
        """Run a statement with values that SQLite knows."""
        known = values and {name: bare(value) for name, value in values.items()}
        return super().rows(statement, text, known, size)

    def insert(self, text: str, rows: Sequence[Sequence[Any]]) -> int:
        """Insert values that SQLite knows."""
        return super().insert(text, [[bare(value) for value in row] for row in rows])


class Sqlite(FileDatabase):
    """A SQLite database."""

    syntax: ClassVar[Syntax] = SQLITE
    scheme: ClassVar[str] = "sqlite"

    url: Property[str] = Field(
        description="The database's file, as in jdbc:sqlite:/data/my.db; a path that is not absolute lies in the "
        "working directory. `jdbc:sqlite:` alone is a database in memory."
    )
    sqlite_file: Property[str] | None = Field(None, description="A database in internal storage to work on a copy of.")

    def given(self, context: RunContext) -> str | None:
        """Return the URI of the database to work on a copy of."""
        return context.render(self.sqlite_file)

    def session(self, context: RunContext) -> AbstractContextManager[Session]:
        """Open the file."""
        return kept(context, self._opened(context), "SQLite", (sqlite3.Error, sqlite3.Warning))

    @contextmanager
    def _opened(self, context: RunContext) -> Iterator[Session]:
        path = self.place(context) or ":memory:"
        with closing(sqlite3.connect(path, check_same_thread=False, isolation_level=None)) as connection:
            yield SqliteSession(connection)


class Query(Sqlite, QueryTask):
    """Run one statement in a SQLite database.

    ```yaml
    tasks:
      - id: users
        type: io.kestra.plugin.jdbc.sqlite.Query
        url: jdbc:sqlite:/data/shop.db
        sql: SELECT * FROM users WHERE country = :country
        parameters:
          country: "{{ inputs.country }}"
        fetchType: FETCH
    ```

    Implements ENG-323, ENG-324, MIG-054.
    """

    type_name = "io.kestra.plugin.jdbc.sqlite.Query"
    output_type: ClassVar[type[Output] | None] = FileFetched


class Queries(Sqlite, QueriesTask):
    """Run several statements in a SQLite database, all or none.

    Make a table and fill it, and keep the database file:

    ```yaml
    tasks:
      - id: shop
        type: io.kestra.plugin.jdbc.sqlite.Queries
        url: jdbc:sqlite:shop.db
        outputDbFile: true
        sql: |
          CREATE TABLE orders (article TEXT, amount INTEGER);
          INSERT INTO orders VALUES ('chair', 4), ('table', 1);
    ```

    Implements ENG-323, MIG-054.
    """

    type_name = "io.kestra.plugin.jdbc.sqlite.Queries"
    output_type: ClassVar[type[Output] | None] = FilesFetched


class Batch(Sqlite, BatchTask):
    """Insert the items of a file into a table of a SQLite database.

    Append the rows of a file to a table:

    ```yaml
    inputs:
      - id: readings
        type: FILE
    tasks:
      - id: append
        type: io.kestra.plugin.jdbc.sqlite.Batch
        url: jdbc:sqlite:/data/weather.db
        sql: INSERT INTO readings (station, celsius) VALUES (?, ?)
        from: "{{ inputs.readings }}"
    ```
    """

    type_name = "io.kestra.plugin.jdbc.sqlite.Batch"


class Trigger(Sqlite, QueryTrigger):
    """Start the flow when a query of a SQLite database gives rows.

    Run when it freezes somewhere, once for each reading:

    ```yaml
    triggers:
      - id: frost
        type: io.kestra.plugin.jdbc.sqlite.Trigger
        interval: PT10M
        url: jdbc:sqlite:/data/weather.db
        fetchType: FETCH
        sql: SELECT station, celsius FROM readings WHERE celsius < 0 AND told = 0
        afterSQL: UPDATE readings SET told = 1 WHERE celsius < 0
    ```

    Implements ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.jdbc.sqlite.Trigger"
