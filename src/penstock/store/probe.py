"""What a database tells about itself, to those who look after it: nothing is made or changed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from penstock.base.errors import UnavailableError
from penstock.store.schema import SchemaStatus, schema_status_txn

PATIENCE_SECONDS = 10
"""How long a database may take to answer."""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What was seen.

    Args:
        version: The program's version, as numbers.
        schema: Where the schema stands.
        clock: The database's own time in seconds since 1970; None where it has no clock of its own.
        may_create: Whether the user may create tables.
    """

    version: tuple[int, ...]
    schema: SchemaStatus
    clock: float | None = None
    may_create: bool = True


def probe(url: str) -> DatabaseFacts:
    """Look at the database at this address. The file of an embedded one has to be there.

    Raises:
        UnavailableError: It does not answer.
    """
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite:
        engine = create_engine(parsed)
    else:
        address = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(address, connect_args={"connect_timeout": PATIENCE_SECONDS})
    try:
        with engine.connect() as connection:
            return _sqlite_facts(connection) if is_sqlite else _postgres_facts(connection)
    except DBAPIError as error:
        raise UnavailableError(str(error.orig).strip().splitlines()[-1]) from error
    finally:
        engine.dispose()


def _sqlite_facts(connection: Connection) -> DatabaseFacts:
    version = str(connection.execute(text("SELECT sqlite_version()")).scalar_one())
    return DatabaseFacts(tuple(int(part) for part in version.split(".")), schema_status_txn(connection))


def _postgres_facts(connection: Connection) -> DatabaseFacts:
    asked = (
        "SELECT current_setting('server_version_num')::int, extract(epoch FROM clock_timestamp())::float8, "
        "coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"
    )
    number, clock, may_create = connection.execute(text(asked)).one()
    version = (number // 10_000, number % 10_000)
    return DatabaseFacts(version, schema_status_txn(connection), clock, may_create)
