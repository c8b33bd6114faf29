"""Fixtures every part of the test suite may use: a PostgreSQL server and a browser."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from scripts.tooling import browser_executable, mariadb_directory, redis_executable
from tests.support.kafka import KAFKA, EventHubs, event_hubs_for, kafka_for
from tests.support.mariadb import MariaServer, maria_server_for, stop_maria_server
from tests.support.missing import missing
from tests.support.postgres import Database, PostgresMissingError, PostgresServer, server_for, stop_server
from tests.support.pubsub import PUBSUB, pubsub_for
from tests.support.rabbitmq import RABBITMQ, RabbitMq, rabbitmq_for
from tests.support.second_try import allow_second_tries, show_first_tries
from tests.support.shared import stop_shared

# Before anything imports them: suites are shown like tests when they fail.
pytest.register_assert_rewrite("penstock.testing.store")

# The same examples on every run where a failure would block others; fresh ones wherever somebody can look at them.
# A machine that is busy with other things makes no test wrong.
_SLOW = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("fresh", deadline=None, suppress_health_check=_SLOW)
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=_SLOW)
hypothesis.settings.load_profile("repeatable" if os.environ.get("CI") else "fresh")

RUN_DIRECTORY = pytest.StashKey[Path]()
RUN_DIRECTORY_VARIABLE = "PENSTOCK_TEST_RUN_DIRECTORY"


def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than there are cores: tests of whole servers wait for them half of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Give all worker processes of this run one shared folder, whose owner is the first process."""
    if hasattr(config, "workerinput"):
        return
    directory = Path(tempfile.mkdtemp(prefix="penstock-tests-"))
    directory.chmod(0o755)  # PostgreSQL, started by root, runs as somebody else
    config.stash[RUN_DIRECTORY] = directory
    os.environ[RUN_DIRECTORY_VARIABLE] = str(directory)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests are tried once more when they fail."""
    allow_second_tries(items, Path(__file__).parent)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show why tests were tried once more."""
    show_first_tries(terminalreporter)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the run shared and remove its folder."""
    directory = config.stash.get(RUN_DIRECTORY, None)
    if directory is not None:
        stop_server(directory)
        stop_maria_server(directory)
        stop_shared(directory, RABBITMQ)
        stop_shared(directory, KAFKA)
        stop_shared(directory, PUBSUB)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> PostgresServer:
    """Return the PostgreSQL server all workers of this run share."""
    try:
        return server_for(Path(os.environ[RUN_DIRECTORY_VARIABLE]))
    except PostgresMissingError as error:
        missing(str(error))


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[Database]:
    """Give the test an empty database of its own."""
    database = postgres_server.create()
    yield database
    postgres_server.drop(database)


@pytest.fixture
def postgres_url(postgres_database: Database) -> str:
    """Return the SQLAlchemy URL of the test's own empty database."""
    return postgres_database.url


@pytest.fixture
def postgres_dsn(postgres_database: Database) -> str:
    """Return the libpq address of the test's own empty database."""
    return postgres_database.dsn


@pytest.fixture(scope="session")
def chromium_executable() -> Path:
    """Return the path of a Chromium that starts."""
    found = browser_executable()
    if found is None:
        missing("no Chromium found: run `make setup`, or name one in PENSTOCK_CHROMIUM")
    return found


@pytest.fixture(scope="session", name="redis_executable")
def _redis_executable() -> Path:
    """Return the path of a Redis server's program."""
    found = redis_executable()
    if found is None:
        missing("no redis-server found: run `make setup`")
    return found


@pytest.fixture(scope="session")
def maria_server() -> MariaServer:
    """Return the MariaDB server all workers of this run share."""
    programs = mariadb_directory()
    if programs is None:
        missing("no MariaDB found: run `make setup`")
    return maria_server_for(Path(os.environ[RUN_DIRECTORY_VARIABLE]), programs)


@pytest.fixture
def maria_database(maria_server: MariaServer) -> Iterator[str]:
    """Give the address of an empty database of the test's own."""
    with maria_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq() -> RabbitMq:
    """Return the RabbitMQ all workers of this run share."""
    return rabbitmq_for(Path(os.environ[RUN_DIRECTORY_VARIABLE]))


@pytest.fixture(scope="session")
def kafka() -> str:
    """Return the address of the Apache Kafka all workers of this run share."""
    return kafka_for(Path(os.environ[RUN_DIRECTORY_VARIABLE]))


@pytest.fixture(scope="session")
def event_hubs() -> EventHubs:
    """Return the namespace of Event Hubs all workers of this run share."""
    return event_hubs_for(Path(os.environ[RUN_DIRECTORY_VARIABLE]))


@pytest.fixture(scope="session")
def pubsub_url() -> str:
    """Return the address of the Pub/Sub server all workers of this run share."""
    return pubsub_for(Path(os.environ[RUN_DIRECTORY_VARIABLE]))
