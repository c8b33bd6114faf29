"""Changes of MySQL and MariaDB. A key-value pair remembers what has been dealt with. Needs the extra `mysql-cdc`."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.debezium.binlog import EXTRA, BinlogReader, Connector, Place
from penstock.builtin.debezium.capturing import CaptureTask, CaptureTrigger
from penstock.builtin.debezium.changes import CaptureError, ChangeSource, Following, Transaction, Wish
from penstock.builtin.jdbc.mysql import encryption
from penstock.builtin.messages.receiving import MessageTrigger
from penstock.builtin.serdes.files import library
from penstock.sdk import Property, RunContext

_CONNECT = 10


class Mysql(Following):
    """A MySQL or MariaDB server."""

    port: Property[int] = Field(Property.of(3306), description="Its port.")
    server_id: Property[int] | None = Field(
        None, description="A number that no other replica of the server has; one made of the flow's name by default."
    )
    included_databases: Property[list[str]] = Field(Property.of([]), description="The databases; all by default.")
    excluded_databases: Property[list[str]] = Field(Property.of([]), description="Databases that do not count.")
    state_name: Property[str] | None = Field(
        None, description="The key of the pair that says what was dealt with; one of its own by default."
    )

    @contextmanager
    def subscription(self, context: RunContext) -> Iterator[LogSource]:
        """Connect. The first time notes where the log ends."""
        name = context.render(self.state_name) or self.kept_as(context) or ""
        server = context.render(self.server_id) or 2**31 + zlib.crc32(name.encode()) // 2
        memory, wish = _Memory(context, name), self.wish(context)
        connector = Connector(self._settings(context))
        with _translated(name):
            end = connector.end()
            place = memory.place()
            if place is None:
                place = end
                memory.note(place)
            with closing(BinlogReader(connector, server, place, self._meant(context, wish))) as reader:
                source = LogSource(name, wish, reader, memory)
                yield source
                source.settle()

    def _settings(self, context: RunContext) -> Mapping[str, Any]:
        mode = context.render(self.ssl_mode)
        return {
            "host": context.render(self.hostname),
            "port": context.render(self.port),
            "user": context.render(self.username),
            "password": context.render(self.password, default=""),
            "charset": "utf8mb4",
            "autocommit": True,
            "connect_timeout": _CONNECT,
            "ssl": None if mode == "DISABLE" else encryption(verifies=mode != "REQUIRE", host=mode == "VERIFY_FULL"),
        }

    def _meant(self, context: RunContext, wish: Wish) -> Callable[[str, str], bool]:
        """Return what knows the tables that count."""
        included, excluded = context.render(self.included_databases), context.render(self.excluded_databases)

        def is_meant(database: str, table: str) -> bool:
            is_ours = (not included or database in included) and database not in excluded
            return is_ours and wish.is_meant(f"{database}.{table}")

        return is_meant


class Capture(Mysql, CaptureTask):
    """Write the rows that were inserted, updated or deleted in a MySQL database since the last time to files.

    It ends with the `maxRecords`th change, a transaction as a whole, after `maxDuration`, or when none has come for
    `maxWait`. The first time notes where to begin: rows that are there already count for nothing. Needs
    `penstock[mysql-cdc]`.

    ```yaml
    tasks:
      - id: changes
        type: io.kestra.plugin.debezium.mysql.Capture
        hostname: db.example.com
        username: robot
        password: "{{ secret('SHOP_PASSWORD') }}"
        includedTables: [shop.orders]
        maxRecords: 1000
    ```

    Implements ENG-312, USE-071.
    """

    type_name = "io.kestra.plugin.debezium.mysql.Capture"


class Trigger(Mysql, CaptureTrigger):
    """Look for changes of a MySQL database every `interval`, and start the flow with them.

    The flow reads `trigger.uris`, a file of rows for each table by its name, and `trigger.size`. What was dealt with
    is noted when the execution is stored. Needs `penstock[mysql-cdc]`.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.debezium.mysql.Trigger
        hostname: db.example.com
        username: robot
        password: "{{ secret('SHOP_PASSWORD') }}"
        includedTables: [shop.orders]
        interval: PT1M
    ```

    Implements ENG-270, ENG-309, USE-071.
    """

    type_name = "io.kestra.plugin.debezium.mysql.Trigger"


class ChangeTrigger(Mysql, MessageTrigger):
    """Start the flow for each row that is inserted, updated or deleted in a MySQL or MariaDB database.

    The flow reads `trigger.data`, the row with a field `deleted`, and `trigger.stream`, the table's name. The server
    needs `log_bin`, `binlog_format = ROW` and `binlog_row_metadata = FULL`, the user the rights REPLICATION SLAVE and
    REPLICATION CLIENT. Rows that are there already start nothing. Needs `penstock[mysql-cdc]`.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.debezium.mysql.RealtimeTrigger
        serverId: 123456789
        hostname: db.example.com
        port: 3306
        username: robot
        password: "{{ secret('SHOP_PASSWORD') }}"
        includedTables: [shop.orders]
    ```

    Implements ENG-311, ENG-312, USE-071.
    """

    type_name = "io.kestra.plugin.debezium.mysql.RealtimeTrigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"data", "stream"})


class LogSource(ChangeSource):
    """The changes behind a place of the binary log."""

    patience: ClassVar[float] = 30.0

    def __init__(self, name: str, wish: Wish, reader: BinlogReader, memory: _Memory) -> None:
        super().__init__(name, wish)
        self._found = reader.read()
        self._memory = memory

    def look(self, seconds: float) -> Sequence[Transaction]:
        """Return the next transaction, or nothing when the server has none to tell of."""
        found = next(self._found)
        return [] if found is None else [found]

    def move(self, place: Place) -> None:
        """Note that what is before a place has been dealt with."""
        self._memory.note(place)


class _Memory:
    """A key-value pair that says what has been dealt with."""

    def __init__(self, context: RunContext, key: str) -> None:
        self._context = context
        self._key = key

    def place(self) -> Place | None:
        """Return the place up to which everything was; None when there is none yet."""
        found = self._context.call("kv", key=self._key, errorOnMissing=False)
        if found is None:
            return None
        try:
            return Place(str(found["file"]), int(found["position"]))
        except (KeyError, TypeError, ValueError):
            raise CaptureError(f"the pair `{self._key}` says no place", hint="name another with `stateName`") from None

    def note(self, place: Place) -> None:
        """Remember a place."""
        value = {"file": place.file, "position": place.position}
        self._context.call("kvSet", key=self._key, value=value, type="JSON")


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Raise what the database complains of as CaptureError."""
    driver = library("pymysql", EXTRA)
    try:
        yield
    except driver.Error as error:
        hint = "the user needs the rights REPLICATION SLAVE and REPLICATION CLIENT; when the log that is gone on with "
        hint += f"has been removed, remove the pair `{name}`, too"
        raise CaptureError(f"the changes cannot be followed: {error.args[-1]}", hint=hint) from None
