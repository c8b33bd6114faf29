"""Changes of a PostgreSQL database: `RealtimeTrigger`. The database remembers, in a slot, what has been dealt with."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

import psycopg
from psycopg import sql
from psycopg.pq import Format
from pydantic import Field

from penstock.builtin.debezium.pgoutput import Change, Transaction, transactions
from penstock.builtin.messages.receiving import MessageTrigger, Received
from penstock.sdk import PluginError, Property, RunContext

_LOOK, _CONNECT = 0.2, 10
_TOGETHER = 1_000
"""About how many changes are read at once; a transaction is read as a whole."""
_IDLE = 30.0
"""Seconds after which a database that has nothing to tell may forget what it keeps for us."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST_NAME = 63
_PEEK = (
    "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, NULL, %s, 'proto_version', '1', 'publication_names', %s)"
)


class CaptureError(PluginError):
    """The changes of a database cannot be followed."""

    code = "CAPTURE_FAILED"


@dataclass(frozen=True, slots=True)
class Wish:
    """How changes are told.

    Args:
        format: Whether a row stands for itself, in a field `record`, or with what it was before.
        deleted: What becomes of rows that are gone.
        has_metadata: Whether it is told where and when.
        included: The tables that count; all where there are none.
        excluded: Those that do not.
    """

    format: Literal["INLINE", "WRAP", "RAW"]
    deleted: Literal["ADD_FIELD", "NULL", "DROP"]
    has_metadata: bool
    included: list[str]
    excluded: list[str]

    def counts(self, change: Change) -> bool:
        """Return whether a change is told."""
        name = f"{change.table.schema}.{change.table.name}"
        is_meant = (not self.included or name in self.included) and name not in self.excluded
        return is_meant and not (change.operation == "d" and self.deleted == "DROP")

    def told(self, change: Change, transaction: Transaction) -> dict[str, Any] | None:
        """Return a change as flows read it."""
        instant = _EPOCH + timedelta(microseconds=transaction.instant)
        where = {"schema": change.table.schema, "table": change.table.name, "txId": transaction.number,
                 "lsn": transaction.end, "timestamp": instant}  # fmt: skip
        if self.format == "RAW":
            return {"op": change.operation, "before": change.before, "after": change.after, "source": where}
        is_gone = change.operation == "d"
        if is_gone and self.deleted == "NULL":
            return None
        row = dict((change.before if is_gone else change.after) or {})
        told: dict[str, Any] = {"record": row} if self.format == "WRAP" else row
        if self.deleted == "ADD_FIELD":
            told["deleted"] = is_gone
        if self.has_metadata:
            told["metadata"] = where
        return told


class ChangeTrigger(MessageTrigger):
    """Start the flow for each row that is inserted, updated or deleted in a PostgreSQL database.

    The flow reads `trigger.data`, the row with a field `deleted`, and `trigger.stream`, the table's name. The server
    needs `wal_level = logical`, the user the right to replicate. Rows that are there already start nothing. Of a row
    that is deleted the key is known, and all of it with `REPLICA IDENTITY FULL`.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.debezium.postgres.RealtimeTrigger
        hostname: db.example.com
        port: 5432
        database: shop
        username: robot
        password: "{{ secret('SHOP_PASSWORD') }}"
        includedTables: [public.orders]
    ```

    Implements ENG-311, ENG-312, USE-071.
    """

    type_name = "io.kestra.plugin.debezium.postgres.RealtimeTrigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"data", "stream"})

    hostname: Property[str] = Field(description="The server.")
    port: Property[int] = Field(Property.of(5432), description="Its port.")
    database: Property[str] = Field(description="The database.")
    username: Property[str] = Field(description="The user.")
    password: Property[str] | None = Field(None, description="The user's password.")
    ssl_mode: Property[Literal["DISABLE", "REQUIRE", "VERIFY_CA", "VERIFY_FULL"]] = Field(
        Property.of("DISABLE"), description="How far encryption is asked for and looked at."
    )
    slot_name: Property[str] | None = Field(
        None, description="The slot in which the database remembers what was dealt with; one of its own by default."
    )
    publication_name: Property[str] = Field(
        Property.of("kestra_publication"), description="The publication; made for `includedTables` if there is none."
    )
    included_tables: Property[list[str]] = Field(
        Property.of([]), description="The tables, as in public.orders; all by default."
    )
    excluded_tables: Property[list[str]] = Field(Property.of([]), description="Tables that do not count.")
    format: Property[Literal["INLINE", "WRAP", "RAW"]] = Field(
        Property.of("INLINE"),
        description="`data` is the row (INLINE), has it as `record` (WRAP), or has `op`, `before` and `after` (RAW).",
    )
    deleted: Property[Literal["ADD_FIELD", "NULL", "DROP"]] = Field(
        Property.of("ADD_FIELD"),
        description="What `data` says of deleted rows: a field `deleted`, nothing, or no event.",
    )
    metadata: Property[Literal["ADD_FIELD", "DROP"]] = Field(
        Property.of("ADD_FIELD"), description="Whether a field `metadata` says where and when."
    )
    plugin_name: Property[Literal["PGOUTPUT"]] = Field(
        Property.of("PGOUTPUT"), description="How the database tells of changes."
    )

    @contextmanager
    def subscription(self, context: RunContext) -> Iterator[ChangeSource]:
        """Connect; the slot and the publication are made when they are not there."""
        slot = context.render(self.slot_name) or _slot(self.kept_as(context) or "")
        wish = Wish(
            context.render(self.format),
            context.render(self.deleted),
            context.render(self.metadata) == "ADD_FIELD",
            context.render(self.included_tables),
            context.render(self.excluded_tables),
        )
        with _translated(), self._connected(context) as connection:
            publication = context.render(self.publication_name)
            _prepare(connection, slot, publication, wish.included)
            yield ChangeSource(connection, slot, publication, wish)

    def _connected(self, context: RunContext) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=context.render(self.hostname),
            port=context.render(self.port),
            dbname=context.render(self.database),
            user=context.render(self.username),
            password=context.render(self.password),
            sslmode=context.render(self.ssl_mode).lower().replace("_", "-"),
            connect_timeout=_CONNECT,
            autocommit=True,
        )


class ChangeSource:
    """The changes behind a slot's place."""

    def __init__(self, connection: psycopg.Connection[Any], slot: str, publication: str, wish: Wish) -> None:
        self._connection = connection
        self._slot = slot
        self._publication = publication
        self._wish = wish
        self._ready: list[Received] = []
        self._moved = time.monotonic()

    def receive(self, seconds: float) -> Received | None:
        """Return the next change."""
        deadline = time.monotonic() + seconds
        while not self._ready:
            self._look()
            if not self._ready:
                if time.monotonic() >= deadline:
                    return None
                time.sleep(min(_LOOK, max(deadline - time.monotonic(), 0.0)))
        return self._ready.pop(0)

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Have the database forget transactions of which these are the last changes."""
        for message in messages:
            if message.token is not None:
                self._advance(message.token)

    def _look(self) -> None:
        (here,) = self._row("SELECT pg_current_wal_lsn()::text")
        found = self._connection.execute(_PEEK, (self._slot, _TOGETHER, self._publication)).fetchall()
        behind = None
        for transaction in transactions((bytes(row[0]) for row in found), self._load):
            told = [change for change in transaction.changes if self._wish.counts(change)]
            for number, change in enumerate(told, 1):
                is_last = number == len(told)
                key = f"{self._slot}:{transaction.end}:{transaction.instant}:{number}"
                fields = {"stream": change.table.name, "data": self._wish.told(change, transaction)}
                self._ready.append(Received(fields, transaction.end if is_last else None, key))
            behind = None if self._ready else transaction.end
        if not self._ready and (behind or time.monotonic() - self._moved > _IDLE):
            self._advance(behind or here)  # nothing that counts is before it

    def _advance(self, place: str) -> None:
        self._row("SELECT pg_replication_slot_advance(%s, %s::pg_lsn)", self._slot, place)
        self._moved = time.monotonic()

    def _load(self, kind: int, text: bytes) -> Any:
        adapters = self._connection.adapters
        loader = adapters.get_loader(kind, Format.TEXT) or adapters.get_loader(0, Format.TEXT)
        return text.decode() if loader is None else loader(kind, self._connection).load(text)

    def _row(self, statement: str, *arguments: Any) -> tuple[Any, ...]:
        found = self._connection.execute(statement.encode(), arguments).fetchone()
        return found or (None,)


def _prepare(connection: psycopg.Connection[Any], slot: str, publication: str, tables: Sequence[str]) -> None:
    there = connection.execute("SELECT 1 FROM pg_publication WHERE pubname = %s", (publication,)).fetchone()
    if there is None:
        names = sql.SQL(", ").join(sql.Identifier(*name.split(".", 1)) for name in tables)
        what = sql.SQL("TABLE {}").format(names) if tables else sql.SQL("ALL TABLES")
        connection.execute(sql.SQL("CREATE PUBLICATION {} FOR {}").format(sql.Identifier(publication), what))
    there = connection.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", (slot,)).fetchone()
    if there is None:
        connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what the database complains of as CaptureError."""
    try:
        yield
    except psycopg.Error as error:
        hint = "the server needs wal_level = logical, and the user the right to replicate"
        raise CaptureError(f"the changes cannot be followed: {str(error).strip()}", hint=hint) from None


def _slot(name: str) -> str:
    """Return a name as those of slots may be."""
    plain = re.sub(r"[^a-z0-9_]", "_", name.lower())
    if len(plain) <= _LONGEST_NAME and plain == name:
        return plain
    return f"{plain[: _LONGEST_NAME - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
