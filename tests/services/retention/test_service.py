"""Retention on real stores and real files."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from penstock.base.clock import SECOND, SystemClock
from penstock.base.errors import UnavailableError
from penstock.base.ids import new_id
from penstock.engine.states import StateType
from penstock.ports.purging import EndedExecution, PurgeStore
from penstock.ports.queries import PageRequest
from penstock.services.file_access import execution_folder
from penstock.services.purging.service import ROWS
from penstock.services.retention import FOREVER, Policy, RetentionService, Rule, Sizes, keep_small
from penstock.services.retention.policy import DAY
from penstock.storage import LocalStorage
from penstock.store import Store, open_store
from penstock.testing.store import records
from tests.support.waiting import PATIENCE


class At:
    """A clock that stands still."""

    def __init__(self, now: int) -> None:
        self.time = now

    def now(self) -> int:
        return self.time


NOW = records.NOW
CLOCK = At(NOW)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'test.db'}", SystemClock())
    yield opened
    await opened.close()


@pytest.fixture
def files(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "storage")


def retention(store: Store, files: LocalStorage, policy: Policy, clock: At = CLOCK) -> RetentionService:
    return RetentionService(store.purging, files, clock, policy, pause=0)


async def ended(store: Store, name: str, days: float, *, failed: bool = False, namespace: str = "team") -> None:
    """Store an execution that ended some days ago, with a line from that time."""
    at = round(NOW - days * DAY)
    last = StateType.FAILED if failed else StateType.SUCCESS
    state = records.state(StateType.CREATED, StateType.RUNNING, last, at=at - 2 * SECOND)
    one = records.execution(id=name, state=state, namespace=namespace, labels=(("team", namespace),))
    await records.stored(store.journal, one, logs=[records.line(one, date=at)])


async def left(store: Store) -> tuple[set[str], set[str]]:
    """Return the executions there are, and those that have lines."""
    found = await store.queries.search("main", [], PageRequest(size=100))
    lines = await store.queries.logs("main", [], PageRequest(size=100))
    return {one.id for one in found.results}, {str(line.execution_id) for line in lines.results}


async def test_sweep_removes_what_is_older_than_the_general_period(store: Store, files: LocalStorage) -> None:
    """BEY-020: executions for 90 days, log lines for 30."""
    for name, days in (("young", 29), ("middle", 31), ("old", 91)):
        await ended(store, name, days)
    await records.stored(store.journal, records.execution(id="open", created=NOW - 400 * DAY))
    swept = await retention(store, files, Policy()).sweep("main")
    assert (swept.executions, swept.logs) == (1, 2)
    assert await left(store) == ({"young", "middle", "open"}, {"young"})
    again = await retention(store, files, Policy()).sweep("main")
    assert (again.executions, again.logs, again.files) == (0, 0, 0)


async def test_sweep_keeps_to_the_rules_of_namespace_state_and_label(store: Store, files: LocalStorage) -> None:
    """BEY-020: overridable per namespace, state and label."""
    await ended(store, "failed", 200, failed=True)
    await ended(store, "kept", 200, namespace="company.data")
    await ended(store, "short", 3, namespace="scratch")
    await ended(store, "plain", 200)
    rules = [
        Rule(FOREVER, FOREVER, states=["FAILED"]),
        Rule(365 * DAY, 365 * DAY, namespace="company"),
        Rule(2 * DAY, 2 * DAY, labels={"team": "scratch"}),
    ]
    swept = await retention(store, files, Policy(rules=rules)).sweep("main")
    assert swept.executions == 2
    assert await left(store) == ({"failed", "kept"}, {"failed", "kept"})


async def test_sweep_removes_many_rows_in_small_transactions(store: Store, files: LocalStorage) -> None:
    """BEY-020: at most 1,000 rows each."""
    one = records.execution(id="one", state=records.SUCCESS)
    await records.stored(store.journal, one, logs=[records.line(one, date=NOW - 31 * DAY)] * (2 * ROWS + 1))
    removed: list[int] = []

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(store.purging, name)

        async def remove_lines(self, numbers: list[int]) -> int:
            removed.append(len(numbers))
            return await store.purging.remove_lines(numbers)

    counting: PurgeStore = Counting()  # type: ignore[assignment]
    swept = await RetentionService(counting, files, CLOCK, Policy(), pause=0).sweep("main")
    assert swept.logs == 2 * ROWS + 1
    assert removed == [ROWS, ROWS, 1]


async def test_sweep_gives_room_back_to_the_disk(store: Store, files: LocalStorage, tmp_path: Path) -> None:
    """BEY-020, BEY-021: the embedded database's file does not keep the size it once had."""
    one = records.execution(id="one", state=records.SUCCESS)
    long = records.line(one, "x" * 4000, date=NOW - 31 * DAY)
    await records.stored(store.journal, one, logs=[long] * 1000)
    before = await store.sizes.total()
    swept = await retention(store, files, Policy()).sweep("main")
    assert swept.pages > 800
    assert await store.sizes.total() < before / 4


async def test_sweep_removes_files_of_executions_that_are_gone_or_never_were(
    store: Store, files: LocalStorage, tmp_path: Path
) -> None:
    """BEY-020: orphan files are swept."""
    known, unknown, fresh = new_id(), new_id(), new_id()
    await records.stored(store.journal, records.execution(id=known, namespace="a.b", flow_id="executions"))
    for name in (known, unknown, fresh):
        await files.put("main", f"{execution_folder('a.b', 'executions', name)}/inputs/file/x.csv", b"x")
    await files.put("main", f"/a/b/_files/executions/{unknown}/kept.txt", b"x")
    await files.put("main", "/a/b/executions/_cache/kept.txt", b"x")
    long_ago = (NOW - 2 * DAY) / SECOND
    folders = tmp_path / "storage" / "main" / "a" / "b" / "executions" / "executions"
    for folder, at in ((known, long_ago), (unknown, long_ago), (fresh, NOW / SECOND)):
        os.utime(folders / folder, (at, at))
    swept = await retention(store, files, Policy()).sweep("main")
    assert swept.orphans == 1
    assert sorted(path.name for path in folders.iterdir()) == sorted([known, fresh])
    assert {path.name for path in (tmp_path / "storage").rglob("*.txt")} == {"kept.txt"}
    assert len(list((tmp_path / "storage").rglob("kept.txt"))) == 2


async def test_retention_is_swept_by_one_server_alone(store: Store, files: LocalStorage) -> None:
    """BEY-020."""
    await ended(store, "old", 91)
    is_mine = False
    task = asyncio.create_task(keep_small(retention(store, files, Policy()), "main", 0, 1_000, lambda: is_mine))
    await asyncio.sleep(0.05)
    assert await left(store) == ({"old"}, {"old"})
    is_mine = True
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while await left(store) != (set(), set()):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_retention_that_meets_a_fault_goes_on(
    store: Store, files: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEY-020."""
    ended_ones, faults = store.purging.ended, [ValueError("a fault"), UnavailableError("no answer")]
    looked = asyncio.Event()

    async def faulty(*asked: Any) -> Sequence[EndedExecution]:
        if faults:
            raise faults.pop()
        looked.set()
        return await ended_ones(*asked)

    monkeypatch.setattr(store.purging, "ended", faulty)
    task = asyncio.create_task(keep_small(retention(store, files, Policy()), "main", 0, 1_000, lambda: True))
    await asyncio.wait_for(looked.wait(), PATIENCE)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_sizes_tell_growth_and_what_a_purge_would_free(store: Store) -> None:
    """BEY-021."""
    for number in range(10):
        await ended(store, f"old-{number}", 95)
        await ended(store, f"new-{number}", 1)
    report = await Sizes(store.sizes, CLOCK, Policy()).report("main")
    assert (report.executions_due, report.lines_due) == (10, 10)
    tables = {table.name: table for table in report.tables}
    executions, logs, flows = tables["executions"], tables["logs"], tables["flows"]
    assert executions.rows == 20
    assert executions.bytes is not None
    assert executions.freed == executions.bytes / 2
    assert logs.freed == (logs.bytes or 0) / 2
    assert executions.growth == round(executions.bytes / 2 / 7)
    assert (flows.growth, flows.freed) == (None, None)
