from __future__ import annotations

from pathlib import Path

import pytest

from penstock.wiring.config import ConfigurationError, Settings
from penstock.wiring.datasource import database_url


def settings(kind: str | None, queue: str | None = None, **source: str) -> Settings:
    return Settings.model_validate(
        {
            "kestra": {"repository": {"type": kind}, "queue": {"type": queue or kind}},
            "datasources": {kind: source} if kind and source else {},
        }
    )


def test_datasource_postgres_jdbc_address_becomes_own_address() -> None:
    """OPS-017."""
    url = database_url(settings("postgres", url="jdbc:postgresql://db:5432/kestra", username="u@x", password="p/w"))
    assert url == "postgresql://u%40x:p%2Fw@db:5432/kestra"


def test_datasource_postgres_address_keeps_its_options() -> None:
    url = database_url(settings("postgres", url="jdbc:postgresql://db/kestra?sslmode=require", username="u"))
    assert url == "postgresql://u@db/kestra?sslmode=require"


def test_postgres_address_of_several_servers_names_them_all() -> None:
    """OPS-017."""
    address = "jdbc:postgresql://one:5432,two:5433/kestra?sslmode=require"
    url = database_url(settings("postgres", url=address, username="u", password="p"))
    assert url == "postgresql://u:p@/kestra?host=one:5432&host=two:5433&sslmode=require"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("jdbc:h2:mem:public;DB_CLOSE_DELAY=-1;DB_CLOSE_ON_EXIT=FALSE", "sqlite://"),
        ("jdbc:h2:file:/app/data/database;TIME ZONE=UTC", "sqlite:////app/data/database.db"),
        ("jdbc:h2:./here", f"sqlite:///{Path('here.db').resolve()}"),
        ("sqlite:////x/y.db", "sqlite:////x/y.db"),
    ],
)
def test_datasource_h2_becomes_an_embedded_database(address: str, expected: str) -> None:
    """OPS-017."""
    assert database_url(settings("h2", url=address)) == expected


def test_datasource_memory_pair_needs_no_datasource() -> None:
    """OPS-051."""
    assert database_url(settings("memory")) == "sqlite://"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (settings(None), "kestra.repository.type is missing"),
        (settings("postgres"), "datasources.postgres.url is missing"),
        (settings("postgres", queue="memory"), "kestra.queue.type is memory"),
        (settings("elasticsearch", queue="elasticsearch"), "not available"),
        (settings("postgres", url="jdbc:oracle:thin"), "no PostgreSQL address"),
        (settings("h2", url="jdbc:x"), "no address of an embedded database"),
    ],
)
def test_datasource_wrong_settings_are_named(given: Settings, message: str) -> None:
    """OPS-016, OPS-051."""
    with pytest.raises(ConfigurationError, match=message):
        database_url(given)
