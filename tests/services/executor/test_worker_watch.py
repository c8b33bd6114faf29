"""Who is taken for gone, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.base.clock import SECOND, Instant, Micros, SystemClock
from penstock.base.errors import UnavailableError
from penstock.services.executor.settings import ExecutorSettings
from penstock.services.executor.worker_watch import WorkerWatch
from penstock.services.metrics.tallies import ExecutorTally
from penstock.store import Store, open_store
from tests.support.waiting import eventually

NOW: Instant = 1_700_000_000 * SECOND
TIMEOUT: Micros = 40 * SECOND


@dataclass
class World:
    """Workers, and who watches them; time stands still but for `after`."""

    store: Store
    time: Instant = NOW

    def now(self) -> Instant:
        return self.time

    def __post_init__(self) -> None:
        settings = ExecutorSettings("tests", worker_timeout=TIMEOUT)
        store = self.store
        self.watch = WorkerWatch(store.jobs, store.journal, store.notifier, self, settings, ExecutorTally())
        self.looks = 0

    async def after(self, seconds: int) -> None:
        """Let time pass, and the watch look once more."""
        self.time += seconds * SECOND
        strand, looks = self.store.jobs.strand, self.looks

        async def counted(owner: str) -> object:
            self.looks += 1
            return await strand(owner)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.store.jobs, "strand", counted)
            self.watch.look()
            await eventually(lambda: self.looks > looks)

    async def workers(self) -> list[str]:
        return [worker.id for worker in await self.store.jobs.workers()]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = await open_store(f"sqlite:///{tmp_path / 'penstock.db'}", SystemClock())
    world = World(store)
    await store.jobs.register("quiet", "", "host", NOW)
    running = asyncio.create_task(world.watch.run())
    yield world
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()


async def test_worker_that_is_silent_for_its_time_is_given_up(world: World) -> None:
    """OPS-124."""
    await world.store.jobs.register("loud", "", "host", NOW)
    for _ in range(4):
        assert await world.workers() == ["loud", "quiet"]
        await world.after(11)
        assert await world.store.jobs.heartbeat("loud", world.now())
    assert await world.workers() == ["loud"]


async def test_worker_nobody_could_hear_has_its_time_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """BEY-010: it is alive, for all that is known: the server stood still, or the database was away."""
    await world.after(5)
    await world.after(100)
    assert await world.workers() == ["quiet"]

    asked = list[object]()

    async def away(*how: object) -> object:
        asked.append(how)
        raise UnavailableError("the database does not answer")

    for _ in range(3):
        await world.after(10)
    with monkeypatch.context() as patch:
        patch.setattr(world.store.jobs, "expire", away)
        world.time += 10 * SECOND
        world.watch.look()
        await eventually(lambda: bool(asked))
    await world.after(10)
    assert await world.workers() == ["quiet"]
    for _ in range(4):
        await world.after(10)
    assert await world.workers() == []
