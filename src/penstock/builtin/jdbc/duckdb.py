"""DuckDB: `Query`, `Queries`, `Batch` and `Trigger`. Needs the extra `duckdb`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.jdbc.batch import BatchTask
from penstock.builtin.jdbc.files import FileDatabase, FileFetched, FilesFetched
from penstock.builtin.jdbc.session import Session, kept
from penstock.builtin.jdbc.statements import DUCKDB, Statement, Syntax
from penstock.builtin.jdbc.tasks import QueriesTask, QueryTask, QueryTrigger
from penstock.builtin.jdbc.values import Row, Values, plain
from penstock.builtin.scripts.input_files import put_input_files
from penstock.builtin.serdes.files import library
from penstock.sdk import Output, Property, RunContext


class DuckFetched(FileFetched):
    """What a statement gives, and the files it has written."""

    output_files: dict[str, str] | None = Field(None, description="The URIs of the `outputFiles`, by name.")


class DucksFetched(FilesFetched):
    """What several statements give, and the files they have written."""

    output_files: dict[str, str] | None = Field(None, description="The URIs of the `outputFiles`, by name.")


class DuckSession(Session):
    """A connection to a database within this process."""

    syntax: ClassVar[Syntax] = DUCKDB

    def begin(self, *, whole: bool = False) -> None:
        """Begin a transaction; all of them see the rows of their beginning."""
        self.connection.begin()

    def cancel(self) -> None:
        """Break off the statement that runs."""
        self.connection.interrupt()

    def cursor(self) -> Any:
        """Return the connection itself: a cursor of it would be a connection of its own."""
        return self.connection

    def rows(self, statement: Statement, text: str, values: Values, size: int) -> Iterator[Row] | None:
        """Run a statement; to one that gives no rows DuckDB answers with their number."""
        (parsed,) = self.connection.extract_statements(text)
        kinds = {kind.name for kind in parsed.expected_result_type}
        rows = super().rows(statement, text, values, size)
        return rows if kinds == {"QUERY_RESULT"} or "RETURNING" in statement.words else None

    def converter(self, column: Sequence[Any]) -> Callable[[Any], Any]:
        """Return what reads JSON where a column holds it."""
        return _json if str(column[1]) == "JSON" else plain

    def insert(self, text: str, rows: Sequence[Sequence[Any]]) -> int:
        """Insert rows; DuckDB does not count them."""
        self.connection.executemany(text, rows)
        return len(rows)


class Duckdb(FileDatabase):
    """A DuckDB database."""

    syntax: ClassVar[Syntax] = DUCKDB
    scheme: ClassVar[str] = "duckdb"

    url: Property[str] = Field(
        Property.of("jdbc:duckdb:"),
        description="The database's file, as in jdbc:duckdb:/data/my.db; a path that is not absolute lies in the "
        "working directory. In memory by default.",
    )
    database_uri: Property[str] | None = Field(None, description="A database in internal storage to work on a copy of.")
    input_files: Property[dict[str, str]] | None = Field(
        None, description="Files of the working directory by name: contents, or URIs of stored files."
    )
    output_files: Property[list[str]] | None = Field(
        None, description="Names of files that SQL writes to `{{ outputFiles.name }}`, stored afterwards."
    )

    def given(self, context: RunContext) -> str | None:
        """Return the URI of the database to work on a copy of."""
        return context.render(self.database_uri)

    def session(self, context: RunContext) -> AbstractContextManager[Session]:
        """Open the database."""
        driver = library("duckdb", "duckdb")
        library("pytz", "duckdb")  # asked for by DuckDB when it meets a date with a zone
        return kept(context, self._opened(context, driver), "DuckDB", (driver.Error,))

    @contextmanager
    def _opened(self, context: RunContext, driver: Any) -> Iterator[Session]:
        files = context.render(self.input_files)
        put_input_files(context, files or {})
        with closing(driver.connect(self.place(context) or ":memory:")) as connection:
            connection.execute(f"SET file_search_path = {_quoted(str(context.working_directory))}")
            connection.execute(f"SET TimeZone = {_quoted(self.zone(context))}")
            yield DuckSession(connection)

    def more_variables(self, context: RunContext) -> Mapping[str, Any]:
        """Return the place of files, and the paths of those to write."""
        names = context.render(self.output_files, [])
        return {
            **super().more_variables(context),
            "outputFiles": {name: self._written(context, name) for name in names},
        }

    def left(self, context: RunContext) -> Mapping[str, Any]:
        """Return the files written, and the database when it is wanted."""
        names = context.render(self.output_files)
        if names is None:
            return super().left(context)
        stored = {name: context.put_file(context.resolve(self._written(context, name)), name) for name in names}
        return {**super().left(context), "outputFiles": stored}

    def _written(self, context: RunContext, name: str) -> str:
        path = context.resolve(f".penstock/written/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(path)


class Query(Duckdb, QueryTask):
    """Run one statement in a DuckDB database, for instance over a file.

    ```yaml
    tasks:
      - id: by_country
        type: io.kestra.plugin.jdbc.duckdb.Query
        inputFiles:
          orders.csv: "{{ outputs.download.uri }}"
        sql: SELECT country, sum(total) AS total FROM read_csv_auto('{{ workingDir }}/orders.csv') GROUP BY country
        fetchType: STORE
    ```

    Implements ENG-323, ENG-324, MIG-054.
    """

    type_name = "io.kestra.plugin.jdbc.duckdb.Query"
    output_type: ClassVar[type[Output] | None] = DuckFetched


class Queries(Duckdb, QueriesTask):
    """Run several statements in a DuckDB database, all or none.

    Make a table and read from it, in one go:

    ```yaml
    tasks:
      - id: totals
        type: io.kestra.plugin.jdbc.duckdb.Queries
        fetchType: FETCH
        sql: |
          CREATE TABLE orders AS SELECT * FROM (VALUES ('chair', 4), ('table', 1)) AS t(article, amount);
          SELECT sum(amount) AS pieces FROM orders;
    ```

    Implements ENG-323, MIG-054.
    """

    type_name = "io.kestra.plugin.jdbc.duckdb.Queries"
    output_type: ClassVar[type[Output] | None] = DucksFetched


class Batch(Duckdb, BatchTask):
    """Insert the items of a file into a table of a DuckDB database.

    Write the rows of a file into a table of a database file:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: load
        type: io.kestra.plugin.jdbc.duckdb.Batch
        url: jdbc:duckdb:/data/shop.db
        from: "{{ inputs.orders }}"
        table: orders
    ```
    """

    type_name = "io.kestra.plugin.jdbc.duckdb.Batch"


class Trigger(Duckdb, QueryTrigger):
    """Start the flow when a query of a DuckDB database gives rows.

    Run when a database has orders that nobody has handled:

    ```yaml
    triggers:
      - id: new_orders
        type: io.kestra.plugin.jdbc.duckdb.Trigger
        url: jdbc:duckdb:/data/shop.db
        interval: PT1M
        sql: SELECT * FROM orders WHERE NOT handled
        afterSQL: UPDATE orders SET handled = true
        fetchType: FETCH
    ```

    Implements ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.jdbc.duckdb.Trigger"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _json(value: Any) -> Any:
    return None if value is None else json.loads(value)
