"""A connection to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, ClassVar

import psycopg
from psycopg import capabilities
from psycopg.abc import Buffer
from psycopg.pq import Conninfo
from psycopg.types.datetime import DateLoader, TimeLoader, TimestampLoader, TimestamptzLoader, TimetzLoader
from psycopg.types.string import TextLoader

from penstock.builtin.jdbc.address import Address
from penstock.builtin.jdbc.session import Session
from penstock.builtin.jdbc.statements import POSTGRESQL, Statement, Syntax
from penstock.builtin.jdbc.values import Row, Values, plain
from penstock.sdk import RunContext

_CONNECT = 10
_NAMES = {"ApplicationName": "application_name", "connectTimeout": "connect_timeout", "sslMode": "sslmode"}
"""What drivers of Java call otherwise."""


class PostgresSession(Session):
    """A connection to a server."""

    syntax: ClassVar[Syntax] = POSTGRESQL

    def begin(self, *, whole: bool = False) -> None:
        """Begin a transaction with the next statement."""
        self.connection.autocommit = False
        if whole:
            self.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

    def cancel(self) -> None:
        """Break off the statement that runs."""
        self.connection.cancel_safe(timeout=_CONNECT)

    def rows(self, statement: Statement, text: str, values: Values, size: int) -> Iterator[Row] | None:
        """Run a statement; rows come as they are read, and are never all in memory."""
        if not statement.gives_rows:
            return super().rows(statement, text, values, size)
        return self._streamed(text, values, size)

    def _streamed(self, text: str, values: Values, size: int) -> Iterator[Row]:
        together = size if capabilities.has_stream_chunked() else 1
        with self.connection.cursor() as cursor:
            names: list[str] = []
            for row in cursor.stream(text, values, size=together):
                names = names or [column.name for column in cursor.description]
                yield dict(zip(names, map(plain, row), strict=True))


@contextmanager
def connected(context: RunContext, address: Address, zone: str, files: Mapping[str, str]) -> Iterator[PostgresSession]:
    """Give a connection.

    Args:
        context: The task's, for what its logs are told.
        address: Where the server is.
        zone: The time zone of the session.
        files: Paths of certificates and keys, by what libpq calls them.
    """
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    schema = address.options.get("currentSchema")
    options = {_NAMES.get(name, name): value for name, value in address.options.items()}
    if options.pop("ssl", "").lower() == "true":
        options.setdefault("sslmode", "require")
    for name in sorted(set(options) - known - {"currentSchema"}):
        context.logger.debug(f"`{name}` in the address has no effect")
    where: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "dbname": address.database or None,
        "user": address.username,
        "password": address.password,
        "connect_timeout": _CONNECT,
        **{name: value for name, value in options.items() if name in known},
        **files,
    }
    given = {name: value for name, value in where.items() if value}
    connection = psycopg.connect(autocommit=True, prepare_threshold=None, **given)
    with closing(connection):
        connection.execute("SELECT set_config('TimeZone', %s, false)", [zone])
        if schema:
            connection.execute("SELECT set_config('search_path', %s, false)", [schema])
        for kind in _LOADERS:
            connection.adapters.register_loader(*kind)
        yield PostgresSession(connection)


def _or_text(base: type[Any]) -> type[Any]:
    """Return a loader that keeps what Python has no date for, such as `infinity`, as text."""

    class Loader(base):  # type: ignore[misc]  # a base given by value
        def load(self, data: Buffer) -> Any:
            try:
                return super().load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return Loader


_LOADERS: tuple[tuple[str, type[Any]], ...] = (
    ("date", _or_text(DateLoader)),
    ("time", _or_text(TimeLoader)),
    ("timetz", _or_text(TimetzLoader)),
    ("timestamp", _or_text(TimestampLoader)),
    ("timestamptz", _or_text(TimestamptzLoader)),
    ("interval", TextLoader),  # months and years have no length
    *((f"{kind}range", TextLoader) for kind in ("int4", "int8", "num", "date", "ts", "tstz")),
)
