"""The official Python client against one server a database for a whole test run; each test has its own namespace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from kestrapy import KestraClient
from kestrapy.base_api import BaseApi

from penstock.services.encryption import Encryption
from tests.support.listening import listening_server
from tests.support.live import USER
from tests.support.postgres import PostgresServer
from tests.support.second_try import is_second_try
from tests.support.waiting import PATIENCE

_numbers = count(1)
TENANT = "main"


@dataclass(frozen=True)
class Sdk:
    """The client, and a namespace that nobody else uses."""

    api: KestraClient
    namespace: str

    def flow(self, source: str, **values: str) -> Any:
        """Create a flow in the namespace."""
        text = source.replace("NAMESPACE", self.namespace)
        for name, value in values.items():
            text = text.replace(name, value)
        return self.api.flows.create_flow(TENANT, text)

    def run(self, flow_id: str, **options: Any) -> Any:
        """Execute a flow of the namespace and wait for its end."""
        return self.api.executions.create_execution(TENANT, self.namespace, flow_id, wait=True, **options)

    def start(self, flow_id: str, **options: Any) -> Any:
        """Start a flow of the namespace."""
        return self.api.executions.create_execution(TENANT, self.namespace, flow_id, **options)

    def state(self, execution_id: str) -> str:
        """Return the state of an execution."""
        return str(self.api.executions.execution(execution_id, TENANT).state.current.value)

    def until(self, execution_id: str, *states: str) -> Any:
        """Return the execution once it is in one of the states."""
        current = self.api.executions.execution(execution_id, TENANT)
        if current.state.current.value in states:
            return current
        for seen in self.api.executions.follow_execution(execution_id, TENANT):
            if seen.state.current.value in states:
                return seen
        return self.api.executions.execution(execution_id, TENANT)

    @property
    def here(self) -> list[dict[str, Any]]:
        """A filter for what belongs to the namespace."""
        return [{"field": "NAMESPACE", "operation": "EQUALS", "value": self.namespace}]


@pytest.fixture(scope="session", params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.postgres)])
def kind(request: pytest.FixtureRequest) -> str:
    """Return each kind of database in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def shared_client(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KestraClient]:
    """Return the client of a server on each database. Implements API-200, OPS-018."""
    with _client(kind, request, tmp_path_factory.mktemp("sdk")) as client:
        yield client


@pytest.fixture
def client(
    shared_client: KestraClient, kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KestraClient]:
    """Give the client of all tests; a second try has a server of its own, without what the first has left behind."""
    if not is_second_try(request.node):
        yield shared_client
        return
    with _client(kind, request, tmp_path_factory.mktemp("sdk")) as fresh:
        yield fresh


@contextmanager
def _client(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[KestraClient]:
    with (
        _database(kind, request) as database,
        listening_server(folder, database=database, encryption=Encryption.passing()) as url,
    ):
        client = KestraClient(host=url, username=USER.username, password=USER.password, timeout=PATIENCE)
        yield client
        client._session.close()


@contextmanager
def _database(kind: str, request: pytest.FixtureRequest) -> Iterator[str | None]:
    if kind == "SQLite":
        yield None
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    database = server.create()
    yield database.url
    server.drop(database)


@pytest.fixture
def sdk(client: KestraClient, strictly: None) -> Sdk:
    return Sdk(client, f"sdk{next(_numbers)}.tests")


@pytest.fixture
def strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the client refuse answers that its models do not describe, which it would take as they are."""

    def refuse(data: Any, return_type: Any) -> Callable[..., Any]:
        return_type.from_dict(data)  # fails again, with the reason
        raise AssertionError(f"{return_type.__name__} does not describe {data}")

    monkeypatch.setattr(BaseApi, "_construct_model", staticmethod(refuse))
