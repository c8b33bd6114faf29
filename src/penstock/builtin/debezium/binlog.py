"""The binary log of MySQL and MariaDB: where it stands, and what was committed behind a place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from penstock.builtin.debezium.changes import CaptureError, Change, Transaction
from penstock.builtin.jdbc.values import plain
from penstock.builtin.serdes.files import library

EXTRA = "mysql-cdc"
_HEARTBEAT = 0.2
"""Seconds after which a server with nothing to tell says so."""
_SILENCE = 30
_TIMESTAMP, _TIMESTAMP2 = 7, 17
"""Types of columns, by their numbers in the protocol, whose values are instants."""
_UNKNOWN_VARIABLE, _SYNTAX = 1193, 1064
_STREAM_AND_CONTROL = 2
_UNTOLD, _EMPTY = "cols bitmap", "empty set"
"""Why there is no value: the log does not tell it, or it is a set of nothing."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the log, between two transactions."""

    file: str
    position: int

    def __str__(self) -> str:
        return f"{self.file}:{self.position}"


class Connector:
    """Opens connections to a server.

    Args:
        settings: Where it is and who asks, as PyMySQL calls that.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._driver = library("pymysql", EXTRA)

    def connect(self, db: str | None = None, **more: Any) -> Any:
        """Open one."""
        return self._driver.connect(**{**self._settings, **more, "database": db})

    def end(self) -> Place:
        """Return where the log ends now.

        Raises:
            CaptureError: The server does not write rows as they have to be for this.
        """
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            self._check(cursor)
            try:
                cursor.execute("SHOW BINARY LOG STATUS")
            except self._driver.ProgrammingError as error:
                if error.args[0] != _SYNTAX:
                    raise
                cursor.execute("SHOW MASTER STATUS")  # as all but MySQL's newest call it
            file, position = cursor.fetchone()[:2]
            return Place(file, position)

    def _check(self, cursor: Any) -> None:
        try:
            cursor.execute("SELECT @@global.log_bin, @@global.binlog_format, @@global.binlog_row_metadata")
        except self._driver.OperationalError as error:
            if error.args[0] != _UNKNOWN_VARIABLE:
                raise
            raise CaptureError("the server is too old", hint="use MySQL 8.0.14, MariaDB 10.5 or later") from None
        is_on, form, metadata = cursor.fetchone()
        if not is_on or (form, metadata) != ("ROW", "FULL"):
            raise CaptureError(
                "the server's binary log does not tell of rows",
                hint="it needs log_bin, binlog_format = ROW and binlog_row_metadata = FULL",
            )


class BinlogReader:
    """Reads what was committed behind a place.

    Args:
        connector: Opens connections.
        server: What the reader is called among the server's replicas, of which each has a number of its own.
        place: Where to begin.
        is_meant: Says by the names of a database and a table whether its rows count.
    """

    def __init__(self, connector: Connector, server: int, place: Place, is_meant: Callable[[str, str], bool]) -> None:
        events, rows = library("pymysqlreplication.event", EXTRA), library("pymysqlreplication.row_event", EXTRA)
        self._events = events
        self._operations = {rows.WriteRowsEvent: "c", rows.UpdateRowsEvent: "u", rows.DeleteRowsEvent: "d"}
        self._numbers = (events.MariadbGtidEvent, events.GtidEvent)
        self._connector = connector
        self._is_meant = is_meant
        self._connected = 0
        self._stream = library("pymysqlreplication", EXTRA).BinLogStreamReader(
            {"read_timeout": _SILENCE},
            server_id=server,
            resume_stream=True,
            blocking=True,
            log_file=place.file,
            log_pos=place.position,
            slave_heartbeat=_HEARTBEAT,
            only_events=[*self._operations, *self._numbers, events.XidEvent, events.XAPrepareEvent, events.QueryEvent,
                         events.HeartbeatLogEvent],
            pymysql_wrapper=self._connection,
            enable_logging=False,
        )  # fmt: skip

    def close(self) -> None:
        """Close the connections."""
        self._stream.close()

    def read(self) -> Iterator[Transaction | None]:
        """Yield what was committed, and None now and then when there is nothing to tell."""
        number: Any = None
        changes: list[Change] = []
        while True:
            event = self._stream.fetchone()
            if isinstance(event, self._events.HeartbeatLogEvent):
                yield None
            elif isinstance(event, self._numbers):
                number = str(event.gtid)
            elif type(event) in self._operations:
                changes.extend(self._changes(event))
            elif not _begins(event):
                yield self._transaction(number, changes, event.timestamp)
                changes = []

    def _transaction(self, number: Any, changes: list[Change], seconds: int) -> Transaction:
        place = Place(self._stream.log_file, self._stream.log_pos)
        source = {"file": place.file, "pos": place.position}
        return Transaction(number, place, datetime.fromtimestamp(seconds, UTC), tuple(changes), source)

    def _changes(self, event: Any) -> Iterator[Change]:
        if not self._is_meant(event.schema, event.table):
            return
        kinds = {column.name: column.type for column in event.columns}
        operation = self._operations[type(event)]
        for row in event.rows:
            if operation == "u":
                yield Change(
                    operation,
                    event.schema,
                    event.table,
                    _row(row["before_values"], row["before_none_sources"], kinds),
                    _row(row["after_values"], row["after_none_sources"], kinds),
                )
            else:
                values = _row(row["values"], row["none_sources"], kinds)
                before, after = (None, values) if operation == "c" else (values, None)
                yield Change(operation, event.schema, event.table, before, after)

    def _connection(self, **settings: Any) -> Any:
        """Connect for the stream and for what it asks besides; not again, in the midst of a transaction."""
        self._connected += 1
        if self._connected > _STREAM_AND_CONTROL:
            raise CaptureError("the connection to the server broke off", hint="see whether the server runs")
        return self._connector.connect(**settings)


def _begins(event: Any) -> bool:
    """Return whether an event opens a transaction, or a part of one that may be taken back."""
    query = getattr(event, "query", "COMMIT").upper()
    return query == "BEGIN" or query.startswith(("SAVEPOINT", "ROLLBACK TO", "XA START", "XA END"))


def _row(values: Mapping[str, Any], nothing: Mapping[str, str], kinds: Mapping[str, int]) -> dict[str, Any]:
    """Return a row's values, without those that the log does not tell."""
    return {
        name: [] if nothing.get(name) == _EMPTY else _value(value, kinds[name])
        for name, value in values.items()
        if nothing.get(name) != _UNTOLD
    }


def _value(value: Any, kind: int) -> Any:
    if isinstance(value, datetime) and kind in (_TIMESTAMP, _TIMESTAMP2):
        return value.replace(tzinfo=UTC)
    return sorted(value) if isinstance(value, set) else plain(value)
