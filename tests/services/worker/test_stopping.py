"""Stops: in good order, in a hurry, and when something inside breaks."""

import asyncio
import threading
import time
from typing import Any

import pytest

from penstock.base.clock import SECOND
from penstock.base.errors import UnavailableError
from penstock.engine.states import StateType
from penstock.sdk import RunContext
from penstock.services.worker import Worker, WorkerSettings
from penstock.testing.gateway import MemoryGateway
from tests.services.worker.conftest import REGISTRY, Bench
from tests.support.waiting import PATIENCE, eventually

SLEEP = "io.kestra.plugin.core.flow.Sleep"


def worker_on(gateway: MemoryGateway, **settings: Any) -> Worker:
    about = {"threads": 2, "announce_after": SECOND // 50, "abandon_after": SECOND // 2, "environment": {}}
    return Worker(gateway, REGISTRY, WorkerSettings(**{**about, **settings}))


async def begun(gateway: MemoryGateway) -> None:
    await eventually(lambda: gateway.reports)


async def test_stop_nothing_runs_ends_at_once_and_releases() -> None:
    """OPS-127."""
    gateway = MemoryGateway()
    worker = worker_on(gateway, claim_wait=3600 * SECOND, grace=3600 * SECOND)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0.05)
    worker.stop()
    await asyncio.wait_for(running, PATIENCE)
    assert gateway.released == [worker.id]


async def test_stop_task_running_lets_it_finish_and_takes_no_more() -> None:
    """OPS-127."""
    gateway = MemoryGateway()
    worker = worker_on(gateway, threads=1)
    bench = Bench(gateway, worker)
    running = asyncio.create_task(worker.run())
    release = threading.Event()
    await gateway.offer(*(bench.call(lambda _: release.wait(PATIENCE) and None) for _ in range(2)))
    await begun(gateway)
    worker.stop()
    release.set()
    await asyncio.wait_for(running, PATIENCE)
    assert [end.state for end in gateway.ends] == [StateType.SUCCESS]


async def test_stop_twice_hands_running_tasks_back_unreported_and_ends_them() -> None:
    """OPS-127, OPS-178."""
    gateway = MemoryGateway()
    worker = worker_on(gateway)
    bench = Bench(gateway, worker)
    ended = threading.Event()

    def run(context: RunContext) -> None:
        context.on_kill(ended.set)
        ended.wait(PATIENCE)

    running = asyncio.create_task(worker.run())
    job = bench.call(run)
    await gateway.offer(job)
    await begun(gateway)
    worker.stop()
    await asyncio.sleep(0.05)
    assert not running.done()
    worker.stop()
    await asyncio.wait_for(running, PATIENCE)
    assert ended.is_set()
    assert gateway.ends == []
    await gateway.register("other", "", 1)
    assert [one.job.key for one in await gateway.claim("other", 1, SECOND)] == [job.job.key]


async def test_stop_grace_period_over_hands_back_even_a_task_that_does_not_listen() -> None:
    """OPS-127."""
    gateway = MemoryGateway()
    worker = worker_on(gateway, grace=SECOND // 10, abandon_after=SECOND // 10)
    bench = Bench(gateway, worker)
    release = threading.Event()
    running = asyncio.create_task(worker.run())
    await gateway.offer(bench.call(lambda _: release.wait(PATIENCE) and None))
    await begun(gateway)
    worker.stop()
    await asyncio.wait_for(running, PATIENCE)
    release.set()
    assert gateway.ends == []
    assert gateway.released == [worker.id]


async def test_stop_work_that_no_thread_has_begun_is_handed_back() -> None:
    gateway = MemoryGateway()
    worker = worker_on(gateway, threads=1)
    bench = Bench(gateway, worker)
    running = asyncio.create_task(worker.run())
    release = threading.Event()
    ran: list[int] = []
    await gateway.offer(bench.call(lambda _: release.wait(PATIENCE) and None))
    await begun(gateway)
    worker._start([bench.call(lambda _: ran.append(1))], worker.id)  # as handed over in memory
    worker.stop()
    await asyncio.sleep(0.05)
    release.set()
    await asyncio.wait_for(running, PATIENCE)
    assert len(gateway.ends) == 1
    assert ran == []


class Broken(MemoryGateway):
    """Has a defect in an unexpected place."""

    async def kills(self, worker_id: str, wait: int) -> Any:
        await asyncio.sleep(0.05)
        raise TypeError("a defect")


async def test_side_task_that_dies_stops_the_worker_with_its_error() -> None:
    gateway = Broken()
    worker = worker_on(gateway)
    with pytest.raises(TypeError, match="a defect"):
        await asyncio.wait_for(worker.run(), PATIENCE)
    assert gateway.released == [worker.id]


class Late(MemoryGateway):
    """Comes up after the worker."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def register(self, worker_id: str, group: str, capacity: int, hostname: str | None = None) -> None:
        self.asked += 1
        if self.asked == 1:
            raise UnavailableError("the server starts up")
        await super().register(worker_id, group, capacity)

    async def release(self, worker_id: str) -> None:
        raise UnavailableError("the server is gone already")


async def test_server_comes_late_and_goes_early_bothers_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.services.worker.worker._PAUSE", 0.01)
    gateway = Late()
    worker = worker_on(gateway)
    running = asyncio.create_task(worker.run())
    await gateway.offer(Bench(gateway, worker).assignment(SLEEP, duration="PT0.01S"))
    await gateway.settled(1)
    worker.stop()
    await asyncio.wait_for(running, PATIENCE)


async def test_task_whose_lines_nobody_takes_any_more_is_not_held_up_by_them() -> None:
    gateway = MemoryGateway()
    worker = worker_on(gateway, grace=SECOND // 10, flush_every=600 * SECOND)
    said: list[int] = []

    def talk(context: RunContext) -> None:
        for number in range(20_000):
            context.logger.info(str(number))
            if number == 100:
                time.sleep(0.2)
        said.append(1)

    running = asyncio.create_task(worker.run())
    await gateway.offer(Bench(gateway, worker).call(talk))
    await begun(gateway)
    await asyncio.sleep(0.3)
    assert said == []
    worker.stop()
    worker.stop()
    await asyncio.wait_for(running, PATIENCE)
    await eventually(lambda: said)
