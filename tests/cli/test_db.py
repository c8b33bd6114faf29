"""`penstock db` on the database of a server that is down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path

from penstock.base.clock import SystemClock
from penstock.store import open_store
from penstock.testing.store import records
from penstock.wiring.lock import DatabaseLock
from tests.cli.conftest import Command


def filled(path: Path) -> None:
    """Make a database with an execution that ended long ago, as retention goes."""

    async def fill() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        store = await open_store(f"sqlite:///{path}", SystemClock())
        at = SystemClock().now() - 40 * 24 * 3600 * records.SECOND
        one = records.execution(
            id="one", created=at, state=records.state(*(change.state for change in records.SUCCESS.histories), at=at)
        )
        await records.stored(store.journal, one, logs=[records.line(one, date=at)])
        await store.close()

    asyncio.run(fill())


def test_db_purge_works_without_a_server(penstock: Command) -> None:
    """BEY-020, BEY-021."""
    filled(penstock.folder / "data" / "penstock.db")
    sizes = penstock("db", "size", "--data", "data")
    assert sizes.code == 0, sizes.err
    assert "a purge would remove 0 executions and 1 log lines" in sizes.out
    purged = penstock("db", "purge", "--data", "data", "--executions", "30d", "--compact", "--json")
    assert purged.code == 0, purged.err
    assert json.loads(purged.out)["executions"] == 1
    assert json.loads(purged.out)["logs"] == 1
    tables = json.loads(penstock("db", "size", "--data", "data", "--json").out)["tables"]
    assert {one["name"]: one["rows"] for one in tables}["executions"] == 0


def test_db_purge_of_a_folder_without_a_database_is_refused_and_makes_none(penstock: Command) -> None:
    """BEY-020: a wrong folder is told of, instead of an empty database purged there."""
    done = penstock("db", "purge", "--data", "dtaa")
    assert (done.code, (penstock.folder / "dtaa").exists()) == (1, False)
    assert "there is no database" in done.err


def test_db_purge_leaves_a_running_server_alone(penstock: Command) -> None:
    """BEY-020."""
    path = penstock.folder / "data" / "penstock.db"
    filled(path)
    lock = DatabaseLock(path)
    lock.acquire()
    done = penstock("db", "purge", "--data", "data")
    lock.release()
    assert done.code == 1
    assert "in use by another server" in done.err


def test_db_counts_are_checked_and_mended(penstock: Command) -> None:
    """BEY-022."""
    path = penstock.folder / "data" / "penstock.db"
    filled(path)
    assert "all counts are what the executions say" in penstock("db", "counts", "--data", "data").out
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE execution_counts SET number = 5")
        connection.commit()
    told = penstock("db", "counts", "--data", "data")
    assert told.code == 1
    assert "5 are counted, 1 there are" in told.out
    assert "have been mended" in penstock("db", "counts", "--data", "data", "--mend").out
    assert penstock("db", "counts", "--data", "data").code == 0


def test_db_purge_refuses_what_is_no_period(penstock: Command) -> None:
    """BEY-020."""
    done = penstock("db", "purge", "--data", "data", "--logs", "soon")
    assert done.code == 1
    assert "--logs soon is not a duration" in done.err


def test_db_rollback_brings_an_older_schema_back(penstock: Command) -> None:
    """BEY-071."""
    filled(penstock.folder / "data" / "penstock.db")
    assert "no minor release before" in penstock("db", "rollback", "--data", "data").err
    done = penstock("db", "rollback", "--data", "data", "--to", "0003_pre_namespaces")
    assert "0003_pre_namespaces" in done.out
    assert "run `penstock migrate`" in penstock("migrate", "--data", "data", "--status").out
