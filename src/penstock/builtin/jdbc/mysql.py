"""MySQL and MariaDB: `Query`, `Queries`, `Batch` and `Trigger`. Needs the extra `mysql`."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime, tzinfo
from types import ModuleType
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from penstock.builtin.jdbc.address import Address
from penstock.builtin.jdbc.batch import BatchTask
from penstock.builtin.jdbc.session import Session, kept
from penstock.builtin.jdbc.statements import MYSQL, Syntax
from penstock.builtin.jdbc.tasks import Connected, QueriesTask, QueryTask, QueryTrigger
from penstock.builtin.jdbc.values import plain
from penstock.builtin.serdes.files import library
from penstock.sdk import RunContext

SCHEMES = ("mysql", "mariadb")
_CONNECT, _PORT = 10, 3306
_TINY, _TIMESTAMP, _BIT, _JSON = 1, 7, 16, 245
"""Types of columns by their numbers in the protocol."""


class MysqlSession(Session):
    """A connection to a server; rows come as they are read."""

    syntax: ClassVar[Syntax] = MYSQL

    def __init__(self, connection: Any, another: Callable[[], Any], zone: str) -> None:
        super().__init__(connection)
        self._another = another
        self._zone = zone

    def begin(self, *, whole: bool = False) -> None:
        """Begin a transaction; one that is to see the same rows keeps others from writing what it has read."""
        if whole:
            with self.connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        self.connection.begin()

    def cancel(self) -> None:
        """Break off the statement that runs, by way of a connection of its own."""
        with closing(self._another()) as connection, connection.cursor() as cursor:
            cursor.execute(f"KILL QUERY {int(self.connection.thread_id())}")

    def converter(self, column: Sequence[Any]) -> Callable[[Any], Any]:
        """Return what knows the booleans, dates with a zone and JSON that MySQL writes otherwise."""
        kind, length = column[1], column[3]
        if kind in (_TINY, _BIT) and length == 1:
            return lambda value: None if value is None else value not in (0, b"\0")
        if kind == _JSON:
            return lambda value: None if value is None else json.loads(value)
        if kind == _TIMESTAMP:
            zone = _zone(self._zone)
            return lambda value: value.replace(tzinfo=zone) if isinstance(value, datetime) else plain(value)
        return plain


class Mysql(Connected):
    """A database of a MySQL or MariaDB server."""

    syntax: ClassVar[Syntax] = MYSQL

    def session(self, context: RunContext) -> AbstractContextManager[Session]:
        """Connect to the server."""
        driver = library("pymysql", "mysql")
        return kept(context, self._connected(context, driver), "MySQL", (driver.Error,))

    @contextmanager
    def _connected(self, context: RunContext, driver: ModuleType) -> Iterator[Session]:
        address = self.server(context, SCHEMES)

        def connect() -> Any:
            return driver.connect(
                host=address.host,
                port=address.port or _PORT,
                user=address.username,
                password=address.password or "",
                database=address.database or None,
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=_CONNECT,
                cursorclass=driver.cursors.SSCursor,
                ssl=_encryption(address),
            )

        zone = self.zone(context)
        with closing(connect()) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SET time_zone = %s", ["+00:00" if zone == "UTC" else zone])
            yield MysqlSession(connection, connect, zone)


class Query(Mysql, QueryTask):
    """Run one statement in a MySQL database.

    ```yaml
    tasks:
      - id: customer
        type: io.kestra.plugin.jdbc.mysql.Query
        url: jdbc:mysql://db.example.com:3306/shop
        username: reader
        password: "{{ secret('SHOP_PASSWORD') }}"
        sql: SELECT * FROM customers WHERE id = :id
        parameters:
          id: "{{ inputs.customer }}"
        fetchType: FETCH_ONE
    ```

    Implements ENG-323, ENG-324, MIG-054.
    """

    type_name = "io.kestra.plugin.jdbc.mysql.Query"


class Queries(Mysql, QueriesTask):
    """Run several statements in a MySQL database, all or none.

    Ask for two numbers at once:

    ```yaml
    tasks:
      - id: month
        type: io.kestra.plugin.jdbc.mysql.Queries
        url: jdbc:mysql://statistics.example.com:3306/visits
        password: "{{ secret('STATISTICS_PASSWORD') }}"
        username: counter
        fetchType: FETCH_ONE
        sql: |
          SELECT count(*) AS pages FROM visits;
          SELECT max(times) AS most FROM visits;
    ```

    Implements ENG-323, MIG-054.
    """

    type_name = "io.kestra.plugin.jdbc.mysql.Queries"


class Batch(Mysql, BatchTask):
    """Insert the items of a file into a table of a MySQL database.

    Count each row of a file, with a statement of your own:

    ```yaml
    tasks:
      - id: visits
        type: io.kestra.plugin.core.http.Download
        uri: https://example.com/visits.ion
      - id: count
        type: io.kestra.plugin.jdbc.mysql.Batch
        url: jdbc:mysql://statistics.example.com:3306/visits
        password: "{{ secret('STATISTICS_PASSWORD') }}"
        username: counter
        sql: INSERT INTO visits (page, day) VALUES (?, ?) ON DUPLICATE KEY UPDATE times = times + 1
        from: "{{ outputs.visits.uri }}"
    ```
    """

    type_name = "io.kestra.plugin.jdbc.mysql.Batch"


class Trigger(Mysql, QueryTrigger):
    """Start the flow when a query of a MySQL database gives rows.

    Run while there are tickets that nobody has answered for a day:

    ```yaml
    triggers:
      - id: complaints
        type: io.kestra.plugin.jdbc.mysql.Trigger
        interval: PT5M
        url: jdbc:mysql://help.example.com:3306/tickets
        password: "{{ secret('HELP_PASSWORD') }}"
        username: reader
        fetchType: STORE
        sql: SELECT id, subject FROM tickets WHERE answered_at IS NULL AND created_at < now() - INTERVAL 1 DAY
    ```

    Implements ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.jdbc.mysql.Trigger"


def _zone(name: str) -> tzinfo | None:
    """Return a time zone by its name, or by its offset as in +02:00."""
    return datetime.strptime(name, "%z").tzinfo if name[:1] in ("+", "-") else ZoneInfo(name)


def _encryption(address: Address) -> ssl.SSLContext | None:
    """Return how the connection is encrypted, as the address asks for; None when it does not."""
    options: Mapping[str, str] = {name.lower(): value for name, value in address.options.items()}
    mode = options.get("sslmode", "").upper().replace("-", "_")
    if mode in ("VERIFY_CA", "VERIFY_IDENTITY", "VERIFY_FULL"):
        return encryption(verifies=True, host=True)
    if mode not in ("REQUIRED", "TRUST") and "true" not in (options.get("usessl"), options.get("requiressl")):
        return None
    return encryption(verifies=False, host=False)


def encryption(*, verifies: bool, host: bool) -> ssl.SSLContext:
    """Return how a connection is encrypted: whether the server's certificate is looked at, and its name."""
    context = ssl.create_default_context()
    context.check_hostname = host
    if not verifies:
        context.verify_mode = ssl.CERT_NONE
    return context
