"""The loop with virtual time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from random import Random

import pytest

from penstock.base.clock import SECOND
from penstock.simulation.loop import PROCESS, Process, SimulatedLoop, TooManySteps
from penstock.simulation.threads import CURRENT, SimulatedThreads
from tests.support.waiting import PATIENCE


@pytest.fixture
def loop() -> Iterator[SimulatedLoop]:
    made = SimulatedLoop(Random(1), 10_000)
    yield made
    made.wind_down()
    made.close()


async def _steps(name: str, told: list[str]) -> None:
    try:
        for number in range(3):
            told.append(f"{name}{number}")
            await asyncio.sleep(1)
    finally:
        told.append(f"{name} cleaned up")


def _in_process(loop: SimulatedLoop, process: Process, name: str, told: list[str]) -> None:
    context = copy_context()
    context.run(PROCESS.set, process)
    loop.create_task(_steps(name, told), context=context)


def test_loop_that_sleeps_for_hours_takes_no_time(loop: SimulatedLoop) -> None:
    began = time.monotonic()
    loop.run_to_end(asyncio.sleep(36_000))
    assert loop.now == 36_000 * SECOND
    assert time.monotonic() - began < PATIENCE


def test_process_that_ends_runs_nothing_more_and_cleans_nothing_up(loop: SimulatedLoop) -> None:
    told: list[str] = []
    process = loop.process("p")
    _in_process(loop, process, "a", told)

    async def outside() -> None:
        await asyncio.sleep(1.5)
        loop.end(process)
        await asyncio.sleep(10)

    loop.run_to_end(outside())
    assert told == ["a0", "a1"]


def test_process_that_stands_still_goes_on_where_it_was(loop: SimulatedLoop) -> None:
    told: list[str] = []
    still, other = loop.process("p"), loop.process("q")
    _in_process(loop, still, "a", told)
    _in_process(loop, other, "b", told)
    still.still_until = 10 * SECOND

    async def outside() -> None:
        await asyncio.sleep(20)

    loop.run_to_end(outside())
    assert told == ["b0", "b1", "b2", "b cleaned up", "a0", "a1", "a2", "a cleaned up"]


def test_loop_that_never_rests_is_stopped(loop: SimulatedLoop) -> None:
    async def busy() -> None:
        while True:  # noqa: ASYNC110 - it is to keep the loop busy
            await asyncio.sleep(0)

    with pytest.raises(TooManySteps):
        loop.run_to_end(busy())


def test_simulated_thread_waits_for_virtual_time_and_can_be_woken(loop: SimulatedLoop) -> None:
    threads = SimulatedThreads(loop, Random(1))
    pool = threads.pool(1, "pool")
    told: list[tuple[str, int]] = []

    def work(name: str, seconds: int) -> Callable[[], None]:
        def run() -> None:
            thread = CURRENT.get()
            loop.call_later(5, thread.wake)
            thread.wait(seconds * SECOND)
            told.append((name, round(loop.time())))

        return run

    pool.submit(work("short", 2))
    pool.submit(work("woken", 60))
    loop.run_to_end(asyncio.sleep(100))
    assert told == [("short", 2), ("woken", 7)]
    threads.dismiss()
