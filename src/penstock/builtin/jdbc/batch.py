"""Items of a file inserted into a table, many at a time: `Batch`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar

from pydantic import Field, PositiveInt

from penstock.builtin.jdbc.session import Session
from penstock.builtin.jdbc.statements import SqlError, only_statement
from penstock.builtin.jdbc.tasks import Connected
from penstock.builtin.jdbc.values import bindable
from penstock.builtin.serdes.files import items
from penstock.sdk import MetricNote, Output, Property, RunContext, Task
from penstock.sdk.items import stop_if_killed


class Inserted(Output):
    """What `Batch` gives."""

    row_count: int = Field(description="How many items were given to the database.")
    updated_count: int = Field(description="How many rows it says it has changed.")


class BatchTask(Connected, Task):
    """Runs a statement with the values of each item of a file."""

    output_type: ClassVar[type[Output] | None] = Inserted
    type_metrics = (MetricNote("updated", "counter", "How many rows were changed."),)

    from_: Property[str] = Field(alias="from", description="The file of items in internal storage.")
    table: Property[str] | None = Field(None, description="The table to insert into, when `sql` is not given.")
    sql: Property[str] | None = Field(
        None, description="The statement, with a `?` for each value: INSERT INTO users VALUES (?, ?)."
    )
    columns: Property[list[str]] | None = Field(
        None, description="The fields of items to use, in their order; all by default."
    )
    chunk: Property[PositiveInt] = Field(Property.of(1_000), description="How many items are inserted together.")

    def run(self, context: RunContext) -> Inserted:
        """Insert chunk by chunk, in one transaction."""
        columns, size = context.render(self.columns), context.render(self.chunk)
        found = items(context, context.render(self.from_))
        count = updated = 0
        with self.session(context) as session:
            text, marks = self._statement(context, session, columns)
            session.begin()
            while chunk := [_values(item, columns, marks, count + n) for n, item in enumerate(islice(found, size), 1)]:
                stop_if_killed(context)
                updated += session.insert(text, chunk)
                count += len(chunk)
            session.commit()
        context.counter("updated", updated)
        return Inserted(row_count=count, updated_count=updated).model_copy(update=self.left(context))

    def _statement(self, context: RunContext, session: Session, columns: list[str] | None) -> tuple[str, int]:
        """Return the statement as the driver wants it, and how many values it takes."""
        sql, table = context.render(self.sql), context.render(self.table)
        if sql is None:
            if table is None:
                raise SqlError("say what to run or where to insert", hint="set `sql` or `table`")
            marks = ", ".join("?" * (len(columns) if columns else session.columns(table)))
            names = f" ({', '.join(columns)})" if columns else ""
            sql = f"INSERT INTO {table}{names} VALUES ({marks})"  # noqa: S608  # the author's own words
        return only_statement(sql, self.syntax).marked(self.syntax)


def _values(item: Any, columns: Sequence[str] | None, marks: int, number: int) -> list[Any]:
    """Return the values of an item.

    Raises:
        SqlError: They are not as many as the statement takes.
    """
    if columns and isinstance(item, Mapping):
        found = [item.get(name) for name in columns]
    elif isinstance(item, Mapping):
        found = list(item.values())
    else:
        found = list(item) if isinstance(item, list) else [item]
    if len(found) != marks:
        raise SqlError(
            f"item {number} has {len(found)} values, and the statement takes {marks}",
            hint="name the fields to use in `columns`, as many as there are `?`",
        )
    return [bindable(value) for value in found]
