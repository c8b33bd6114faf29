"""An open, empty store on each of the two databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from penstock.base.clock import SystemClock
from penstock.store import Store, open_store
from penstock.store.schema import migrate
from penstock.store.tables import METADATA
from tests.support.postgres import Database, PostgresServer


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(scope="session")
def shared_database(postgres_server: PostgresServer) -> Iterator[Database]:
    """Return a migrated database for all tests of this process: emptying it is quicker than making another."""
    database = postgres_server.create()
    migrate(database.url)
    yield database
    postgres_server.drop(database)


@pytest.fixture
def emptied_postgres_url(shared_database: Database) -> str:
    tables = ", ".join(table.name for table in METADATA.sorted_tables if table.name != "partitions")
    with psycopg.connect(shared_database.dsn, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {tables}")
        connection.execute("UPDATE partitions SET owner = NULL, token = 0, expires = 0")
    return shared_database.url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    name = "sqlite_url" if request.param == "sqlite" else "emptied_postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await open_store(url, SystemClock())
    yield opened
    await opened.close()
