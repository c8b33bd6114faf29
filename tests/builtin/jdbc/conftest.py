"""Databases of four kinds, and tasks on them run in a worker's context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from penstock.builtin.jdbc import duckdb, mysql, postgresql, sqlite
from penstock.sdk import ion_values
from penstock.services.worker.context import WorkerRunContext
from penstock.testing.run_context import RunContextFactory
from tests.builtin.polling.conftest import polled
from tests.support.mariadb import PASSWORD, USER

__all__ = ["polled"]
KINDS: Mapping[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql, "duckdb": duckdb, "mysql": mysql}


@dataclass(frozen=True)
class Database:
    """A database of some kind, and what runs its tasks."""

    kind: str
    properties: Mapping[str, str]
    """Where it is and who asks."""
    contexts: RunContextFactory

    def make(self, name: str, **properties: Any) -> Any:
        """Return a task or trigger by the last part of its type."""
        cls = getattr(KINDS[self.kind], name)
        return cls.model_validate({"id": "t", "type": cls.type_name, **self.properties, **properties})

    def run(self, name: str, sql: str = "", context: WorkerRunContext | None = None, **properties: Any) -> Any:
        """Run a task and return its outputs."""
        given = {"sql": sql, **properties} if sql else properties
        return self.make(name, **given).run(context or self.contexts.of())

    def rows(self, sql: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.run("Query", sql, fetchType="FETCH").rows
        return found

    def stored(self, uri: str) -> list[Any]:
        return ion_values(self.contexts.gateway.files[uri].decode())


@pytest.fixture
def database_of(
    contexts: RunContextFactory, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[[str], Database]:
    def make(kind: str) -> Database:
        if kind in ("sqlite", "duckdb"):
            properties = {"url": f"jdbc:{kind}:{tmp_path / 'data.db'}"}
        elif kind == "postgresql":
            properties = {"url": f"jdbc:{request.getfixturevalue('postgres_dsn')}"}
        else:
            properties = {
                "url": request.getfixturevalue("maria_database"),
                "username": USER,
                "password": PASSWORD,
            }
        return Database(kind, properties, contexts)

    return make


@pytest.fixture(params=sorted(KINDS))
def database(request: pytest.FixtureRequest, database_of: Callable[[str], Database]) -> Database:
    return database_of(request.param)
