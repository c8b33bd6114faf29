"""What becomes of the rows of a statement: nothing, outputs, or a file. Implements ENG-323, ENG-324, PLG-026."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, Literal

from pydantic import AliasChoices, Field, PositiveInt

from penstock.builtin.jdbc.session import passed
from penstock.builtin.jdbc.statements import SqlError
from penstock.builtin.jdbc.values import Row, as_json
from penstock.builtin.serdes.files import store_items
from penstock.sdk import Output, PluginModel, Property, RunContext

FetchType = Literal["NONE", "FETCH", "FETCH_ONE", "STORE"]


class Fetched(Output):
    """What a statement gives; what was not asked for is not there."""

    row: Row | None = Field(None, description="The first row, with FETCH_ONE.")
    rows: list[Row] | None = Field(None, description="All rows, with FETCH.")
    uri: str | None = Field(None, description="A file with a row on each line as Ion, with STORE.")
    size: int | None = Field(None, description="How many rows were fetched.")


class Fetching(PluginModel):
    """What to do with rows."""

    fetch_type: Property[FetchType] | None = Field(
        None,
        validation_alias=AliasChoices("fetchType", "storeType"),
        description="FETCH: all rows as output `rows`; FETCH_ONE: the first as `row`; STORE: a file as `uri`; NONE.",
    )
    fetch: Property[bool] | None = Field(None, description="The older form of `fetchType: FETCH`.")
    fetch_one: Property[bool] | None = Field(None, description="The older form of `fetchType: FETCH_ONE`.")
    store: Property[bool] | None = Field(None, description="The older form of `fetchType: STORE`.")
    fetch_size: Property[PositiveInt] = Field(
        Property.of(10_000), description="How many rows are asked for, and kept in memory, together."
    )

    def kind(self, context: RunContext, default: FetchType) -> FetchType:
        """Return what to do.

        Raises:
            SqlError: The older forms say several things.
        """
        older: dict[FetchType, Property[bool] | None] = {
            "FETCH": self.fetch,
            "FETCH_ONE": self.fetch_one,
            "STORE": self.store,
        }
        chosen = [kind for kind, wanted in older.items() if context.render(wanted)]
        if len(chosen) > 1:
            raise SqlError("`fetch`, `fetchOne` and `store` exclude each other", hint="write one `fetchType` instead")
        return chosen[0] if chosen else context.render(self.fetch_type, default)


def taken(context: RunContext, rows: Iterator[Row] | None, kind: FetchType, name: str = "rows.ion") -> Fetched:
    """Read the rows of a statement to their end and return what is wanted of them; a file gets the name."""
    if rows is None:
        return Fetched()
    if kind == "NONE":
        passed(context, rows)
        return Fetched()
    found = _wanted(context, rows, kind, name)
    context.counter("fetch.size", found.size or 0, {"fetch.type": kind})
    return found


def _wanted(context: RunContext, rows: Iterator[Row], kind: FetchType, name: str) -> Fetched:
    if kind == "STORE":
        uri, size = store_items(context, rows, name)
        return Fetched(uri=uri, size=size)
    if kind == "FETCH":
        every = [as_json(row) for row in rows]
        return Fetched(rows=every, size=len(every))
    first: Any = next(rows, None)
    passed(context, rows)
    return Fetched(size=0) if first is None else Fetched(row=as_json(first), size=1)


def started_by(context: RunContext, rows: Iterator[Row] | None, kind: FetchType) -> Fetched | None:
    """Return what a trigger hands on of rows; None when there are none."""
    first = None if rows is None else next(rows, None)
    if first is None or rows is None:
        return None
    return taken(context, chain((first,), rows), kind)
