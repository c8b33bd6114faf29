"""Changes of a PostgreSQL database. The database remembers, in a slot, what has been dealt with."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import psycopg
from psycopg import sql
from psycopg.pq import Format
from pydantic import Field

from penstock.builtin.debezium.capturing import CaptureTask, CaptureTrigger
from penstock.builtin.debezium.changes import CaptureError, ChangeSource, Following, Transaction, Wish
from penstock.builtin.debezium.pgoutput import transactions
from penstock.builtin.messages.receiving import MessageTrigger
from penstock.sdk import Property, RunContext

_LOOK, _CONNECT = 0.2, 10
_TOGETHER = 1_000
"""About how many changes are read at once; a transaction is read as a whole."""
_IDLE = 30.0
"""Seconds after which a database that has nothing to tell may forget what it keeps for us."""
_LONGEST_NAME = 63
_PEEK = (
    "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, NULL, %s, 'proto_version', '1', 'publication_names', %s)"
)


class Postgres(Following):
    """A PostgreSQL database.

    The server needs `wal_level = logical`, the user the right to replicate.
    """

    port: Property[int] = Field(Property.of(5432), description="Its port.")
    database: Property[str] = Field(description="The database.")
    slot_name: Property[str] | None = Field(
        None, description="The slot in which the database remembers what was dealt with; one of its own by default."
    )
    publication_name: Property[str] = Field(
        Property.of("kestra_publication"), description="The publication; made for `includedTables` if there is none."
    )
    plugin_name: Property[Literal["PGOUTPUT"]] = Field(
        Property.of("PGOUTPUT"), description="How the database tells of changes."
    )

    @contextmanager
    def subscription(self, context: RunContext) -> Iterator[SlotSource]:
        """Connect; the slot and the publication are made when they are not there."""
        slot = context.render(self.slot_name) or _slot(self.kept_as(context) or "")
        wish = self.wish(context)
        with _translated(), self._connected(context) as connection:
            publication = context.render(self.publication_name)
            _prepare(connection, slot, publication, wish.included)
            source = SlotSource(connection, slot, publication, wish)
            yield source
            source.settle()

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


class Capture(Postgres, CaptureTask):
    """Write the rows that were inserted, updated or deleted in a PostgreSQL database since the last time to files.

    It ends with the `maxRecords`th change, a transaction as a whole, after `maxDuration`, or when none has come for
    `maxWait`. The first time notes where to begin: rows that are there already count for nothing.

    ```yaml
    tasks:
      - id: changes
        type: io.kestra.plugin.debezium.postgres.Capture
        hostname: db.example.com
        database: shop
        username: robot
        password: "{{ secret('SHOP_PASSWORD') }}"
        includedTables: [public.orders]
        maxRecords: 1000
    ```

    Implements ENG-312, USE-071.
    """

    type_name = "io.kestra.plugin.debezium.postgres.Capture"


class Trigger(Postgres, CaptureTrigger):
    """Look for changes of a PostgreSQL database every `interval`, and start the flow with them.

    The flow reads `trigger.uris`, a file of rows for each table by its name, and `trigger.size`. The slot's place is
    moved on when the execution is stored.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.debezium.postgres.Trigger
        hostname: db.example.com
        database: shop
        username: robot
        password: "{{ secret('SHOP_PASSWORD') }}"
        includedTables: [public.orders]
        interval: PT1M
    ```

    Implements ENG-270, ENG-309, USE-071.
    """

    type_name = "io.kestra.plugin.debezium.postgres.Trigger"


class ChangeTrigger(Postgres, MessageTrigger):
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


class SlotSource(ChangeSource):
    """The changes behind a slot's place."""

    def __init__(self, connection: psycopg.Connection[Any], slot: str, publication: str, wish: Wish) -> None:
        super().__init__(slot, wish)
        self._connection = connection
        self._publication = publication
        self._seen = 0
        self._most = _TOGETHER

    def look(self, seconds: float) -> Sequence[Transaction]:
        """Return what has been committed behind that which is known; the slot gives all behind its place."""
        (here,) = self._row("SELECT pg_current_wal_lsn()::text")
        found = self._connection.execute(_PEEK, (self.name, self._most, self._publication)).fetchall()
        behind = transactions((bytes(row[0]) for row in found), self._load)
        fresh = [transaction for transaction in behind if _number(transaction.end) > self._seen]
        if fresh:
            self._seen = _number(fresh[-1].end)
            return fresh
        if len(found) >= self._most:
            self._most *= 2
        elif not found and time.monotonic() - self.moved > _IDLE:
            return [Transaction(None, here, datetime.now(UTC))]
        else:
            time.sleep(min(_LOOK, seconds))
        return []

    def move(self, place: str) -> None:
        """Have the database forget what is before a place."""
        self._row("SELECT pg_replication_slot_advance(%s, %s::pg_lsn)", self.name, place)
        self._most = _TOGETHER

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


def _number(place: str) -> int:
    high, _, low = place.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def _slot(name: str) -> str:
    """Return a name as those of slots may be."""
    plain = re.sub(r"[^a-z0-9_]", "_", name.lower())
    if len(plain) <= _LONGEST_NAME and plain == name:
        return plain
    return f"{plain[: _LONGEST_NAME - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
