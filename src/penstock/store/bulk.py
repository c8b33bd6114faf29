"""Statements on the hot path: many rows at once, as driver SQL that is written when the module is loaded.

SQLite runs one prepared statement per row, straight on the driver, since what SQLAlchemy adds takes longer than a small
batch. PostgreSQL gets whole columns as arrays and runs one statement for all rows, so that a batch costs one round trip
however long it is.
"""

# ruff: noqa: S608 - names come from our own tables, values are parameters

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Double, Integer, SmallInteger, Table, Text

from penstock.base.codec import to_json_text
from penstock.store.sqlite import driver_of

Row = tuple[Any, ...]
_ARRAYS = {BigInteger: "int8", SmallInteger: "int2", Integer: "int4", Boolean: "bool", Double: "float8", Text: "text"}


@dataclass(frozen=True, slots=True)
class Bulk:
    """A statement for many rows, in the words of both databases."""

    sqlite: str
    postgres: str

    def run(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Run the statement for all rows; returns how many rows of the table it touched."""
        if not rows:
            return 0
        if connection.dialect.name == "sqlite":
            return driver_of(connection).executemany(self.sqlite, rows).rowcount
        return connection.exec_driver_sql(self.postgres, columns_of(rows)).rowcount


@dataclass(frozen=True, slots=True)
class KeyedQuery:
    """A query about many keys: `{keys}` in its text stands for `IN` or `ANY` with all of them as one parameter.

    Args:
        text: The query.
        lock: What PostgreSQL adds to lock the rows; SQLite has one writer and needs none.
    """

    text: str
    lock: str = ""

    def run(self, connection: Connection, keys: Iterable[str | int], *more: Any) -> Sequence[Any]:
        """Return the rows of all keys; `more` are the values of what the text says as `{value}` behind the keys."""
        if connection.dialect.name == "sqlite":
            text = self.text.format(keys="IN (SELECT value FROM json_each(?))", value="?")
            return driver_of(connection).execute(text, (to_json_text(list(keys)), *more)).fetchall()
        text = f"{self.text.format(keys='= ANY(%s)', value='%s')} {self.lock}"
        return connection.exec_driver_sql(text, (list(keys), *more)).fetchall()


def columns_of(rows: Sequence[Row]) -> tuple[list[Any], ...]:
    """Return rows turned into columns."""
    return tuple(map(list, zip(*rows, strict=True)))


def insert(table: Table, columns: Sequence[str], conflict: str = "") -> Bulk:
    """Return an INSERT of these columns, with an `ON CONFLICT ...` clause where wanted."""
    names = ", ".join(quoted(name) for name in columns)
    marks = ", ".join("?" for _ in columns)
    return Bulk(
        sqlite=f"INSERT INTO {table.name} ({names}) VALUES ({marks}) {conflict}",
        postgres=f"INSERT INTO {table.name} ({names}) SELECT * FROM {_unnest(table, columns)} {conflict}",
    )


def insert_with(execution: str, table: Table, columns: Sequence[str], conflict: str = "") -> Bulk:
    """Return an INSERT of rows that belong to executions: their partition is the one in which the execution is stored.

    The partition that is given counts where there is no such execution.

    Args:
        execution: The column with the execution's id.
        table: Where the rows go.
        columns: Their columns, `partition` among them.
        conflict: An `ON CONFLICT ...` clause.
    """
    names = _list(columns)
    place = f'(SELECT "partition" FROM executions WHERE executions.id = given.{quoted(execution)})'
    chosen = ", ".join(
        f"coalesce({place}, given.{quoted(name)})" if name == "partition" else f"given.{quoted(name)}"
        for name in columns
    )
    marks = ", ".join(f"? AS {quoted(name)}" for name in columns)
    head = f"INSERT INTO {table.name} ({names}) SELECT {chosen} FROM"
    return Bulk(
        sqlite=f"{head} (SELECT {marks}) AS given WHERE true {conflict}",
        postgres=f"{head} {_unnest(table, columns)} AS given({names}) {conflict}",
    )


def update(table: Table, columns: Sequence[str], keys: Sequence[str]) -> Bulk:
    """Return an UPDATE of columns by keys; a row gives the columns first, then the keys."""
    names = [*columns, *keys]
    setting = ", ".join(f"{quoted(name)} = ?" for name in columns)
    setting_from = ", ".join(f"{quoted(name)} = given.{quoted(name)}" for name in columns)
    return Bulk(
        sqlite=f"UPDATE {table.name} SET {setting} WHERE {_equal(keys)}",
        postgres=f"UPDATE {table.name} SET {setting_from} FROM {_unnest(table, names)} AS given({_list(names)}) "
        f"WHERE {_joined(table, keys)}",
    )


def delete(table: Table, keys: Sequence[str], only: str = "", or_nobody: str = "") -> Bulk:
    """Return a DELETE by keys, of rows that fulfil one more condition where wanted.

    `or_nobody` is one more key, given last, whose column may also be empty.
    """
    more = f" AND {only}" if only else ""
    given = [*keys, or_nobody] if or_nobody else keys
    mine, joined = more, more
    if or_nobody:
        name = f"{table.name}.{quoted(or_nobody)}"
        mine += f" AND ({name} IS NULL OR {name} = ?)"
        joined += f" AND ({name} IS NULL OR {name} = given.{quoted(or_nobody)})"
    return Bulk(
        sqlite=f"DELETE FROM {table.name} WHERE {_equal(keys)}{mine}",
        postgres=f"DELETE FROM {table.name} USING {_unnest(table, given)} AS given({_list(given)}) "
        f"WHERE {_joined(table, keys)}{joined}",
    )


def quoted(name: str) -> str:
    """Return a column's name as SQL; some of ours are words of the language (`partition`)."""
    return f'"{name}"'


def _list(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _equal(keys: Sequence[str]) -> str:
    return " AND ".join(f"{quoted(key)} = ?" for key in keys)


def _joined(table: Table, keys: Sequence[str]) -> str:
    return " AND ".join(f"{table.name}.{quoted(key)} = given.{quoted(key)}" for key in keys)


def _unnest(table: Table, columns: Sequence[str]) -> str:
    return f"unnest({', '.join(f'%b::{_array(table.c[name])}[]' for name in columns)})"


def _array(column: Column[Any]) -> str:
    # The first match: SmallInteger and BigInteger are Integers too.
    return next(name for kind, name in _ARRAYS.items() if isinstance(column.type, kind))
