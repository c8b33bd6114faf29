"""A worker that evaluates triggers, however odd they are."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from penstock.base.clock import SECOND
from penstock.base.errors import InvalidRequestError, UnavailableError
from penstock.engine.decision import Job
from penstock.engine.records import LogLine
from penstock.model.registry import TypeEntry, TypeRegistry
from penstock.ports.gateway import Assignment, Evaluated
from penstock.sdk import PollingTrigger, RealtimeTrigger, RunContext, TriggerEvent
from penstock.services.worker import Worker, WorkerSettings, evaluation
from penstock.testing.gateway import MemoryGateway
from tests.support.waiting import PATIENCE, eventually

Poll = Callable[[RunContext], TriggerEvent | None]
Listen = Callable[[RunContext, threading.Event], Iterator[TriggerEvent]]
FUNCTIONS: dict[int, Any] = {}
_numbers = itertools.count()


class Polling(PollingTrigger):
    """Looks by a function of the test."""

    type_name = "test.Polling"
    number: int

    def poll(self, context: RunContext) -> TriggerEvent | None:
        found: TriggerEvent | None = FUNCTIONS[self.number](context)
        return found


class Listening(RealtimeTrigger):
    """Listens by a function of the test."""

    type_name = "test.Listening"
    number: int

    def listen(self, context: RunContext, stop: threading.Event) -> Iterator[TriggerEvent]:
        yield from FUNCTIONS[self.number](context, stop)


class Bench:
    def __init__(self, gateway: MemoryGateway, worker: Worker) -> None:
        self.gateway = gateway
        self.worker = worker

    async def offer(self, type_name: str, function: Poll | Listen) -> Job:
        number = next(_numbers)
        FUNCTIONS[number] = function
        job = Job(f"evaluation{number}", 1, "e", "main", "team", "flow", 1, "watch", trigger_id="watch")
        definition = {"id": "watch", "type": type_name, "number": number}
        await self.gateway.offer(Assignment(job, definition, type_name, {}))
        return job

    async def told(self, count: int) -> list[Evaluated]:
        async with asyncio.timeout(PATIENCE):
            while len(self.gateway.evaluations) < count:  # noqa: ASYNC110  # reports come from threads
                await asyncio.sleep(0.01)
        return self.gateway.evaluations


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    gateway = MemoryGateway()
    settings = WorkerSettings(
        threads=2, claim_wait=SECOND, heartbeat_every=SECOND // 20, abandon_after=SECOND // 5, grace=5 * SECOND,
        flush_every=SECOND // 50, directory=tmp_path, environment={},
    )  # fmt: skip
    worker = Worker(gateway, TypeRegistry(TypeEntry.of(cls) for cls in (Polling, Listening)), settings)
    running = asyncio.create_task(worker.run())
    yield Bench(gateway, worker)
    worker.stop()
    await asyncio.wait_for(running, PATIENCE)


async def test_poll_event_found_is_acknowledged_after_it_was_reported(bench: Bench) -> None:
    """ENG-307, PLG-032, PLG-033, PLG-035."""
    order: list[str] = []
    event = TriggerEvent({"a": 1}, "k", lambda: order.append(f"after {len(bench.gateway.evaluations)}"))
    await bench.offer("test.Polling", lambda context: event)
    (told,) = await bench.told(1)
    assert (told.variables, told.key, told.is_over, told.error) == ({"a": 1}, "k", True, None)
    async with asyncio.timeout(PATIENCE):
        while not order:  # noqa: ASYNC110  # another thread appends
            await asyncio.sleep(0.01)
    assert order == ["after 1"]


async def test_poll_asks_under_its_lease_until_its_event_is_reported(bench: Bench) -> None:
    """BEY-003: what it notes of its event then is noted although its job is over."""
    bench.gateway.functions["note"] = lambda **_: None

    def poll(context: RunContext) -> TriggerEvent:
        context.call("note")
        return TriggerEvent({}, "k", lambda: context.call("note"))

    await bench.offer("test.Polling", poll)
    await eventually(lambda: len(bench.gateway.calls) == 2)
    assert bench.gateway.calls == [("note", bench.worker.id), ("note", None)]


async def test_listener_notes_its_events_under_its_lease(bench: Bench) -> None:
    """BEY-003: it goes on, so it must have its job still; another may have begun where it was."""
    bench.gateway.functions["note"] = lambda **_: None

    def listen(context: RunContext, stop: threading.Event) -> Iterator[TriggerEvent]:
        yield TriggerEvent({}, "k", lambda: context.call("note"))

    await bench.offer("test.Listening", listen)
    await bench.told(2)
    assert bench.gateway.calls == [("note", bench.worker.id)]


async def test_poll_that_raises_reports_why_and_keeps_its_lines(bench: Bench) -> None:
    """ENG-269."""

    def fail(context: RunContext) -> TriggerEvent | None:
        context.logger.info("about to fail")
        raise ValueError("broken")

    await bench.offer("test.Polling", fail)
    (told,) = await bench.told(1)
    assert told.error == "ValueError: broken"
    line = bench.gateway.lines[0]
    assert (line.message, line.trigger_id, line.execution_id, line.task_run_id) == (
        "about to fail",
        "watch",
        None,
        None,
    )


async def test_poll_keeps_its_lines_while_the_server_takes_none(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENG-269."""
    logs, refusals = bench.gateway.logs, [UnavailableError("away"), UnavailableError("away")]

    async def away(lines: Sequence[LogLine]) -> None:
        if refusals:
            raise refusals.pop()
        await logs(lines)

    def fail(context: RunContext) -> TriggerEvent | None:
        context.logger.info("about to fail")
        raise ValueError("broken")

    monkeypatch.setattr(bench.gateway, "logs", away)
    monkeypatch.setattr(evaluation, "_PAUSE", 0.01)
    await bench.offer("test.Polling", fail)
    await bench.told(1)
    assert "about to fail" in bench.gateway.messages


async def test_poll_whose_reports_are_refused_can_be_done_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENG-307."""
    evaluated, refusals = bench.gateway.evaluated, [InvalidRequestError("no"), InvalidRequestError("no")]

    async def refused(told: Evaluated) -> bool:
        if refusals:
            raise refusals.pop()
        return await evaluated(told)

    monkeypatch.setattr(bench.gateway, "evaluated", refused)
    job = await bench.offer("test.Polling", lambda context: None)
    definition = {"id": "watch", "type": "test.Polling", "number": int(job.task_run_id.removeprefix("evaluation"))}
    async with asyncio.timeout(PATIENCE):
        while not bench.gateway.evaluations:
            await bench.gateway.offer(Assignment(job, definition, "test.Polling", {}))
            await asyncio.sleep(0.05)


async def test_poll_event_that_cannot_be_reported_is_released_and_not_acknowledged(bench: Bench) -> None:
    """ENG-307: what a source holds open for an event is free again when nobody hears of it."""
    calls: list[str] = []
    event = TriggerEvent(
        {"large": "x" * 2_000_000},
        acknowledge=lambda: calls.append("acknowledged"),
        release=lambda: calls.append("released"),
    )
    await bench.offer("test.Polling", lambda context: event)
    (told,) = await bench.told(1)
    assert "`large`" in (told.error or "")
    assert calls == ["released"]


async def test_poll_event_with_values_that_are_no_json_reports_them_as_text(bench: Bench) -> None:
    await bench.offer("test.Polling", lambda context: TriggerEvent({"odd": Path("a/b"), "plain": 1}))
    (told,) = await bench.told(1)
    assert told.variables == {"odd": "a/b", "plain": 1}


async def test_poll_event_too_large_reports_an_error(bench: Bench) -> None:
    await bench.offer("test.Polling", lambda context: TriggerEvent({"large": "x" * 3_000_000}))
    (told,) = await bench.told(1)
    assert told.error is not None
    assert told.variables is None


async def test_evaluation_of_an_unknown_type_says_that_it_is_not_installed(bench: Bench) -> None:
    await bench.offer("test.Missing", lambda context: None)
    (told,) = await bench.told(1)
    assert "there is no trigger type test.Missing" in (told.error or "")


async def test_listener_stops_in_good_order_when_its_worker_does(bench: Bench) -> None:
    """ENG-313: the event at hand is still reported and acknowledged."""
    acknowledged: list[int] = []

    def listen(context: RunContext, stop: threading.Event) -> Iterator[TriggerEvent]:
        for number in itertools.count():
            yield TriggerEvent({"n": number}, str(number), lambda number=number: acknowledged.append(number))  # type: ignore[misc]
            if stop.wait(0.01):
                return

    await bench.offer("test.Listening", listen)
    await bench.told(3)
    bench.worker.stop()
    async with asyncio.timeout(PATIENCE):
        while not bench.gateway.evaluations[-1].is_over:  # noqa: ASYNC110  # reports come from threads
            await asyncio.sleep(0.01)
    told = [one.variables for one in bench.gateway.evaluations if one.variables is not None]
    assert [one["n"] for one in told] == acknowledged == list(range(len(told)))


async def test_listener_withdrawn_ends_and_reports_no_event_any_more(bench: Bench) -> None:
    """ENG-265."""
    stopped = threading.Event()

    def listen(context: RunContext, stop: threading.Event) -> Iterator[TriggerEvent]:
        yield TriggerEvent({"n": 1})
        stop.wait(PATIENCE)
        stopped.set()
        yield TriggerEvent({"n": 2})

    job = await bench.offer("test.Listening", listen)
    await bench.told(1)
    await bench.gateway.order_kill(job, withdraw=True)
    assert await asyncio.to_thread(stopped.wait, PATIENCE)
    await asyncio.sleep(0.2)
    assert [one.variables for one in bench.gateway.evaluations] == [{"n": 1}]


async def test_kill_of_which_the_server_does_not_hear_is_confirmed_when_it_asks_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEY-001: else the job would stay with the worker for ever."""
    evaluated, asked = bench.gateway.evaluated, list[Evaluated]()

    async def away(told: Evaluated) -> bool:
        asked.append(told)
        if len(asked) == 1:
            raise UnavailableError("the server does not answer")
        return await evaluated(told)

    def listen(context: RunContext, stop: threading.Event) -> Iterator[TriggerEvent]:
        begun.set()
        stop.wait(PATIENCE)
        yield from ()

    begun = threading.Event()
    monkeypatch.setattr(bench.gateway, "evaluated", away)
    job = await bench.offer("test.Listening", listen)
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    await bench.gateway.order_kill(job)
    await eventually(lambda: len(asked) == 1)
    assert bench.gateway.evaluations == []
    await bench.gateway.order_kill(job)
    (told,) = await bench.told(1)
    assert (told.job, told.is_over) == (job, True)


async def test_listeners_do_not_take_the_slots_of_looks(bench: Bench) -> None:
    """ENG-311: a listener has a thread of its own."""

    def listen(context: RunContext, stop: threading.Event) -> Iterator[TriggerEvent]:
        with contextlib.suppress(StopIteration):
            stop.wait(PATIENCE)
        yield from ()

    for _ in range(4):
        await bench.offer("test.Listening", listen)
    await bench.offer("test.Polling", lambda context: TriggerEvent({"a": 1}))
    (told,) = await bench.told(1)
    assert told.variables == {"a": 1}
