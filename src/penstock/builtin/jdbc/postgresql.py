"""PostgreSQL: `Query`, `Queries`, `Batch` and `Trigger`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar, Literal

import psycopg
from pydantic import Field

from penstock.builtin.jdbc.batch import BatchTask
from penstock.builtin.jdbc.postgresql_session import PostgresSession, connected
from penstock.builtin.jdbc.session import Session, kept
from penstock.builtin.jdbc.statements import POSTGRESQL, Syntax
from penstock.builtin.jdbc.tasks import Connected, QueriesTask, QueryTask, QueryTrigger
from penstock.sdk import Property, RunContext

SslMode = Literal["DISABLE", "ALLOW", "PREFER", "REQUIRE", "VERIFY_CA", "VERIFY_FULL"]
SCHEMES = ("postgresql", "postgres")


class Postgres(Connected):
    """A database of a PostgreSQL server."""

    syntax: ClassVar[Syntax] = POSTGRESQL

    ssl: Property[bool] = Field(Property.of(False), description="Whether the connection must be encrypted.")
    ssl_mode: Property[SslMode] | None = Field(None, description="How far encryption is asked for and looked at.")
    ssl_root_cert: Property[str] | None = Field(None, description="The certificates to trust, as PEM.")
    ssl_cert: Property[str] | None = Field(None, description="The client's certificate, as PEM.")
    ssl_key: Property[str] | None = Field(None, description="The client's key, as PEM.")
    ssl_key_password: Property[str] | None = Field(None, description="The password of the client's key.")

    def session(self, context: RunContext) -> AbstractContextManager[Session]:
        """Connect to the server."""
        return kept(context, self._connected(context), "PostgreSQL", (psycopg.Error,))

    @contextmanager
    def _connected(self, context: RunContext) -> Iterator[PostgresSession]:
        address = self.server(context, SCHEMES)
        with connected(context, address, self.zone(context), self._encryption(context)) as session:
            yield session

    def _encryption(self, context: RunContext) -> Mapping[str, str]:
        """Return what libpq is to know of encryption; certificates and keys are files for it."""
        found: dict[str, str] = {}
        if context.render(self.ssl):
            found["sslmode"] = "require"
        mode = context.render(self.ssl_mode)
        if mode is not None:
            found["sslmode"] = mode.lower().replace("_", "-")
        for name, given in (("sslrootcert", self.ssl_root_cert), ("sslcert", self.ssl_cert), ("sslkey", self.ssl_key)):
            text = context.render(given)
            if text is not None:
                path = context.resolve(f".penstock/{name}.pem")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600)
                path.write_text(text, encoding="utf-8")
                found[name] = str(path)
        word = context.render(self.ssl_key_password)
        if word is not None:
            context.mask(word)
            found["sslpassword"] = word
        return found


class Query(Postgres, QueryTask):
    """Run one statement in a PostgreSQL database.

    ```yaml
    tasks:
      - id: orders
        type: io.kestra.plugin.jdbc.postgresql.Query
        url: jdbc:postgresql://db.example.com:5432/shop
        username: reader
        password: "{{ secret('SHOP_PASSWORD') }}"
        sql: SELECT * FROM orders WHERE customer = :customer
        parameters:
          customer: "{{ inputs.customer }}"
        fetchType: STORE
    ```

    Implements ENG-323, ENG-324, MIG-054.
    """

    type_name = "io.kestra.plugin.jdbc.postgresql.Query"


class Queries(Postgres, QueriesTask):
    """Run several statements in a PostgreSQL database, all or none.

    Move handled orders away, all or none:

    ```yaml
    tasks:
      - id: archive
        type: io.kestra.plugin.jdbc.postgresql.Queries
        url: jdbc:postgresql://shop.example.com:5432/shop
        username: importer
        password: "{{ secret('SHOP_PASSWORD') }}"
        sql: |
          INSERT INTO archive SELECT * FROM orders WHERE handled;
          DELETE FROM orders WHERE handled;
    ```

    Implements ENG-323, MIG-054.
    """

    type_name = "io.kestra.plugin.jdbc.postgresql.Queries"


class Batch(Postgres, BatchTask):
    """Insert the items of a file into a table of a PostgreSQL database.

    Insert the rows of a file, a thousand at a time:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: load
        type: io.kestra.plugin.jdbc.postgresql.Batch
        url: jdbc:postgresql://shop.example.com:5432/shop
        username: importer
        password: "{{ secret('SHOP_PASSWORD') }}"
        from: "{{ inputs.orders }}"
        table: orders
        chunk: 1000
    ```
    """

    type_name = "io.kestra.plugin.jdbc.postgresql.Batch"


class Trigger(Postgres, QueryTrigger):
    """Start the flow when a query of a PostgreSQL database gives rows.

    ```yaml
    triggers:
      - id: new_orders
        type: io.kestra.plugin.jdbc.postgresql.Trigger
        interval: PT30S
        url: jdbc:postgresql://db.example.com:5432/shop
        username: reader
        password: "{{ secret('SHOP_PASSWORD') }}"
        sql: SELECT * FROM orders WHERE NOT seen
        afterSQL: UPDATE orders SET seen = true WHERE NOT seen
    ```

    Implements ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.jdbc.postgresql.Trigger"
