"""What is large about executions of older databases goes where it is now, and back; what has ended is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from penstock.base.clock import SystemClock
from penstock.ports.queries import PageRequest
from penstock.store import open_store
from penstock.store.schema import migrate, rollback
from tests.support.postgres import PostgresServer

OLD = "0013_pre_preferences"
BIRTH = {
    "original_created": 5,
    "inputs": {"rate": 1.0, "text": "\u00e4"},
    "trigger": {"id": "hook", "type": "Webhook", "variables": {"body": 1e3}},
    "parent_outputs": {"x": None},
}
PROGRESS = {
    "histories": [["CREATED", 5], ["SUCCESS", 9]],
    "variables": {"v": [1]},
    "outputs": {"o": "p"},
}
ROWS = {"plain": ({"original_created": 5}, {"histories": PROGRESS["histories"]}), "full": (BIRTH, PROGRESS)}
"""Birth and progress by id, as they were stored before."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Return the address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'old.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    database = server.create()
    yield database.url
    server.drop(database)


def fill(connection: Connection) -> None:
    """Store executions as the release before did."""
    statement = text(
        'INSERT INTO executions (id, tenant, namespace, flow_id, flow_revision, created, start_date, "partition", '
        "original_id, kind, birth, state, end_date, live, version, labels, progress, parent_execution_id) VALUES "
        "(:id, 'main', 'a.b', 'flow', 1, 5, 5, 0, :id, 'NORMAL', :birth, 'SUCCESS', 9, false, 1, '[]', :progress, 'p')"
    )
    for name, (birth, progress) in ROWS.items():
        connection.execute(statement, {"id": name, "birth": json.dumps(birth), "progress": json.dumps(progress)})


def stored(connection: Connection) -> dict[str, Any]:
    """Return birth and progress by id."""
    found = connection.execute(text("SELECT id, birth, progress FROM executions"))
    return {row.id: (json.loads(row.birth), json.loads(row.progress)) for row in found}


async def test_bodies_of_an_older_database_are_moved_counted_and_brought_back(url: str) -> None:
    """BEY-022, BEY-071."""
    migrate(url, OLD)
    engine = create_engine(url)
    with engine.begin() as connection:
        fill(connection)
    migrate(url)
    with engine.begin() as connection:
        birth, progress = stored(connection)["full"]
        assert not {"inputs", "parent_outputs"} & set(birth)
        assert set(progress) == {"histories"}
    store = await open_store(url, SystemClock())
    found = {one.id: one for one in (await store.queries.search("main", [], PageRequest())).results}
    full, plain = found["full"], found["plain"]
    assert full.trigger is not None
    assert full.parent is not None
    assert (full.inputs, full.variables, full.outputs) == (BIRTH["inputs"], {"v": [1]}, {"o": "p"})
    assert (full.trigger.variables, full.parent.outputs) == ({"body": 1000.0}, {"x": None})
    assert (plain.inputs, plain.trigger, plain.outputs) == (None, None, None)
    assert await store.queries.counts("main") == {"SUCCESS": 2}
    assert not await store.counts.wrong()
    await store.close()
    rollback(url, OLD)
    with engine.begin() as connection:
        assert stored(connection) == ROWS
    engine.dispose()
