"""PostgreSQL's own way to move whole tables: `CopyIn` and `CopyOut`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from typing import Literal as OneOf

from psycopg.sql import SQL, Composable, Identifier, Literal
from pydantic import Field

from penstock.builtin.jdbc.postgresql import Postgres
from penstock.builtin.jdbc.statements import SqlError, only_statement
from penstock.builtin.serdes.files import new_file
from penstock.sdk import MetricNote, Output, Property, RunContext, Task
from penstock.sdk.items import stop_if_killed

Format = OneOf["TEXT", "CSV", "BINARY"]


class CopiedIn(Output):
    """What `CopyIn` gives."""

    row_count: int = Field(description="How many rows were copied.")


class CopiedOut(CopiedIn):
    """What `CopyOut` gives."""

    uri: str = Field(description="The file in internal storage.")


class Copy(Postgres, Task):
    """What both ways have in common: the format of the file."""

    format: Property[Format] = Field(Property.of("TEXT"), description="The format of the file.")
    delimiter: Property[str] | None = Field(None, description="What separates the columns.")
    null_string: Property[str] | None = Field(None, description="What stands for nothing.")
    header: Property[bool] | None = Field(None, description="Whether the first line holds the names of the columns.")
    quote: Property[str] | None = Field(None, description="What encloses a value.")
    escape: Property[str] | None = Field(None, description="What stands before a quote within a value.")
    encoding: Property[str] | None = Field(None, description="The encoding of the file.")
    freeze: Property[bool] | None = Field(None, description="Whether the rows are written as if already frozen.")
    force_quote: Property[list[str]] | None = Field(None, description="Columns whose values are always quoted.")
    force_not_null: Property[list[str]] | None = Field(None, description="Columns in which nothing is empty text.")
    force_null: Property[list[str]] | None = Field(None, description="Columns in which a quoted `nullString` counts.")

    def options(self, context: RunContext) -> Composable:
        """Return the options of the statement."""
        values: Mapping[str, Any] = {
            "DELIMITER": context.render(self.delimiter),
            "NULL": context.render(self.null_string),
            "HEADER": context.render(self.header),
            "QUOTE": context.render(self.quote),
            "ESCAPE": context.render(self.escape),
            "ENCODING": context.render(self.encoding),
            "FREEZE": context.render(self.freeze),
        }
        lists: Mapping[str, list[str] | None] = {
            "FORCE_QUOTE": context.render(self.force_quote),
            "FORCE_NOT_NULL": context.render(self.force_not_null),
            "FORCE_NULL": context.render(self.force_null),
        }
        written = [SQL("FORMAT ") + SQL(context.render(self.format))]
        written += [SQL(f"{name} ") + Literal(value) for name, value in values.items() if value is not None]
        written += [SQL(f"{name} ") + _names(names) for name, names in lists.items() if names]
        return SQL("(") + SQL(", ").join(written) + SQL(")")

    def columns_of(self, names: list[str] | None) -> Composable:
        """Return the columns of the table, all of them when none are named."""
        return _names(names) if names else SQL("")


class CopyIn(Copy):
    """Copy a file into a table of a PostgreSQL database.

    ```yaml
    tasks:
      - id: load
        type: io.kestra.plugin.jdbc.postgresql.CopyIn
        url: jdbc:postgresql://db.example.com:5432/shop
        username: writer
        password: "{{ secret('SHOP_PASSWORD') }}"
        from: "{{ outputs.download.uri }}"
        table: orders
        format: CSV
        header: true
    ```
    """

    type_name = "io.kestra.plugin.jdbc.postgresql.CopyIn"
    output_type: ClassVar[type[Output] | None] = CopiedIn
    type_metrics = (MetricNote("rows", "counter", "How many rows were copied."),)

    from_: Property[str] = Field(alias="from", description="The file in internal storage.")
    table: Property[str] = Field(description="The table, with its schema where that is needed.")
    columns: Property[list[str]] | None = Field(None, description="The columns the file holds; all by default.")

    def run(self, context: RunContext) -> CopiedIn:
        """Hand the file on piece by piece."""
        table = Identifier(*context.render(self.table).split("."))
        columns = self.columns_of(context.render(self.columns))
        command = SQL("COPY {} {} FROM STDIN {}").format(table, columns, self.options(context))
        with self.session(context) as session, session.connection.cursor() as cursor:
            with cursor.copy(command) as copy:
                for piece in context.stream_file(context.render(self.from_)):
                    stop_if_killed(context)
                    copy.write(piece)
            context.counter("rows", cursor.rowcount)
            return CopiedIn(row_count=cursor.rowcount)


class CopyOut(Copy):
    """Copy a table, or what a query gives, from a PostgreSQL database into a file.

    Export a table as CSV with a header:

    ```yaml
    tasks:
      - id: export
        type: io.kestra.plugin.jdbc.postgresql.CopyOut
        url: jdbc:postgresql://shop.example.com:5432/shop
        username: reader
        password: "{{ secret('SHOP_PASSWORD') }}"
        table: orders
        format: CSV
        header: true
    ```
    """

    type_name = "io.kestra.plugin.jdbc.postgresql.CopyOut"
    output_type: ClassVar[type[Output] | None] = CopiedOut
    type_metrics = (MetricNote("rows", "counter", "How many rows were copied."),)

    sql: Property[str] | None = Field(None, description="The query whose rows are copied.")
    table: Property[str] | None = Field(None, description="The table to copy, when `sql` is not given.")
    columns: Property[list[str]] | None = Field(None, description="The columns of the table; all by default.")

    def run(self, context: RunContext) -> CopiedOut:
        """Write the file piece by piece."""
        command = SQL("COPY {} TO STDOUT {}").format(self._source(context), self.options(context))
        local = new_file(context, "rows.copy")
        with self.session(context) as session, session.connection.cursor() as cursor:
            with local.open("wb") as file, cursor.copy(command) as copy:
                for piece in copy:
                    file.write(piece)
            count = cursor.rowcount
        context.counter("rows", count)
        return CopiedOut(uri=context.put_file(local, "rows.copy"), row_count=count)

    def _source(self, context: RunContext) -> Composable:
        query, table = context.render(self.sql), context.render(self.table)
        if query is not None:
            statement = only_statement(query, self.syntax).text
            return SQL("(") + SQL(statement) + SQL(")")  # the author's own words
        if table is None:
            raise SqlError("say what to copy", hint="set `sql` or `table`")
        return Identifier(*table.split(".")) + self.columns_of(context.render(self.columns))


def _names(names: list[str]) -> Composable:
    return SQL("({})").format(SQL(", ").join(map(Identifier, names)))
