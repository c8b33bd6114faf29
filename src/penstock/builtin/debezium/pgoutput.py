"""The changes of transactions, as PostgreSQL's own `pgoutput` tells of them: version 1 of its protocol."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from penstock.builtin.debezium.changes import Change, Transaction

Load = Callable[[int, bytes], Any]
"""Gives what a text of a type, by its number, stands for."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_OPERATIONS: Mapping[bytes, str] = {b"I": "c", b"U": "u", b"D": "d"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its type's number, and whether it tells rows from each other."""

    name: str
    kind: int
    is_key: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table."""

    schema: str
    name: str
    columns: tuple[Column, ...]


class _Reader:
    """Takes a message apart."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        """Return the next numbers."""
        found = struct.unpack_from(f">{form}", self._data, self._at)
        self._at += struct.calcsize(f">{form}")
        return found

    def bytes(self, count: int) -> bytes:
        """Return the next bytes."""
        self._at += count
        return self._data[self._at - count : self._at]

    def text(self) -> str:
        """Return the next text, which a zero ends."""
        end = self._data.index(b"\0", self._at)
        found, self._at = self._data[self._at : end], end + 1
        return found.decode()


def transactions(messages: Iterable[bytes], load: Load) -> Iterator[Transaction]:
    """Yield the transactions of messages, all of which are there from their beginning to their end."""
    tables: dict[int, Table] = {}
    changes: list[Change] = []
    number = 0
    for message in messages:
        kind, reader = message[:1], _Reader(message[1:])
        if kind == b"B":
            number, changes = reader.take("qqI")[2], []
        elif kind == b"R":
            oid, table = _table(reader)
            tables[oid] = table
        elif kind in _OPERATIONS:
            changes.append(_change(kind, reader, tables, load))
        elif kind == b"C":
            _, _, end, instant = reader.take("bqqq")
            place = f"{end >> 32:X}/{end & 0xFFFFFFFF:X}"
            yield Transaction(number, place, _EPOCH + timedelta(microseconds=instant), tuple(changes), {"lsn": place})


def _table(reader: _Reader) -> tuple[int, Table]:
    (oid,) = reader.take("I")
    schema, name = reader.text(), reader.text()
    _, count = reader.take("bH")
    columns = []
    for _ in range(count):
        (flags,) = reader.take("b")
        column = reader.text()
        kind, _ = reader.take("Ii")
        columns.append(Column(column, kind, bool(flags & 1)))
    return oid, Table(schema or "pg_catalog", name, tuple(columns))


def _change(kind: bytes, reader: _Reader, tables: Mapping[int, Table], load: Load) -> Change:
    table = tables[reader.take("I")[0]]
    rows: dict[bytes, Mapping[str, Any]] = {}
    part = reader.bytes(1)
    while part:
        rows[part] = _row(reader, table, load, keys_only=part == b"K")
        part = reader.bytes(1)
    return Change(_OPERATIONS[kind], table.schema, table.name, rows.get(b"O", rows.get(b"K")), rows.get(b"N"))


def _row(reader: _Reader, table: Table, load: Load, *, keys_only: bool) -> Mapping[str, Any]:
    (count,) = reader.take("H")
    row: dict[str, Any] = {}
    for column in table.columns[:count]:
        form, value = reader.bytes(1), None
        if form == b"t":
            (length,) = reader.take("I")
            value = load(column.kind, reader.bytes(length))
        if form != b"u" and (column.is_key or not keys_only):
            row[column.name] = value
    return row
