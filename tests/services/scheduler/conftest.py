from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.base.clock import SECOND, Instant
from penstock.engine.events import Created
from penstock.engine.records import Execution, LogLine
from penstock.engine.states import State, StateType
from penstock.ports.journal import PARTITIONS, Batch
from penstock.ports.queries import PageRequest
from penstock.ports.triggers import TriggerState
from penstock.services.executions import ExecutionService, FirstExecutions, Followers, InputReader
from penstock.services.executor.dispatch import StoredDispatcher
from penstock.services.flows import FlowCatalog, FlowChecker, FlowService
from penstock.services.metrics import SchedulerTally
from penstock.services.scheduler import Recovery, Scheduler, SchedulerSettings
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.firing import Firing
from penstock.services.scheduler.scheduler import Stores
from penstock.services.scheduler.states import running
from penstock.storage import LocalStorage
from penstock.store import Store, open_store
from penstock.wiring.flow_reading import FlowReading
from penstock.wiring.plugins import load_plugins
from tests.support.waiting import PATIENCE, eventually

TENANT = "main"


class ManualClock:
    """A clock that stands still until it is set."""

    def __init__(self, now: Instant) -> None:
        self._now = now

    def now(self) -> Instant:
        return self._now

    def set(self, now: Instant) -> None:
        self._now = now


@dataclass
class World:
    """A store with flows, and schedulers on it; executions are created and ended by hand."""

    store: Store
    clock: ManualClock
    folder: Path
    reading: FlowReading = field(default_factory=lambda: FlowReading(load_plugins().registry))
    pairs: dict[str, str] = field(default_factory=dict)
    """What `kv` answers."""
    tallies: list[SchedulerTally] = field(default_factory=list)
    """What the schedulers that run count."""

    def __post_init__(self) -> None:
        self.catalog = FlowCatalog(
            self.store.flows, self.reading.resolve, self.clock, freshness=0, switches=self.store.switches
        )
        checker = FlowChecker(self.store.flows, self.reading.registry)
        self.flows = FlowService(self.store.flows, checker, self.catalog, self.store.notifier, self.clock)
        self.followers = Followers(self.store.notifier)
        self.dispatcher = StoredDispatcher(self.store.journal, self.store.notifier)

    async def answer(self, execution: Execution, function: str, arguments: Mapping[str, Any]) -> object:
        assert (function, execution.namespace) == ("kv", "company.team")
        return self.pairs[arguments["key"]]

    def scheduler(self, recovery: dict[str, Recovery] | None = None) -> Scheduler:
        store = self.store
        self.tallies.append(SchedulerTally())
        executions = ExecutionService(
            self.catalog,
            InputReader(LocalStorage(self.folder), self.answer),
            self.dispatcher,
            self.clock,
            FirstExecutions(store.queries, self.clock),
        )
        return Scheduler(
            Stores(
                store.flows,
                store.triggers,
                store.journal,
                store.queries,
                store.notifier,
                store.jobs,
                store.evaluations,
                store.switches,
            ),
            self.catalog,
            self.reading.triggers,
            Firing(executions, self.answer, {}),
            self.followers,
            self.clock,
            SchedulerSettings(recovery=recovery or {}, longest_sleep=SECOND // 100, retry=SECOND // 100),
            Conditions(self.reading.condition, {}, self.answer),
            tally=self.tallies[-1],
        )

    @asynccontextmanager
    async def running(self, count: int = 1, recovery: dict[str, Recovery] | None = None) -> AsyncIterator[Scheduler]:
        schedulers = [self.scheduler(recovery) for _ in range(count)]
        tasks = [asyncio.create_task(one.run()) for one in schedulers]
        tasks.append(asyncio.create_task(self.followers.run()))
        try:
            async with asyncio.timeout(PATIENCE):
                for one in schedulers:
                    await one.ready.wait()
            await self.until(self.clock.now())
            yield schedulers[0]
        finally:
            for one in schedulers:
                one.stop()
            self.tallies.clear()
            tasks[-1].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results[:-1]:
            if isinstance(result, BaseException):
                raise result

    async def until(self, instant: Instant) -> None:
        """Move the clock and let the schedulers notice: a round that began before, and two after it."""
        self.clock.set(instant)
        wanted = [tally.loops.count + 3 for tally in self.tallies]
        async with asyncio.timeout(PATIENCE):
            while any(tally.loops.count < count for tally, count in zip(self.tallies, wanted, strict=True)):  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(0.01)

    async def settled(self) -> None:
        """Wait until all schedulers have looked at what has come so far: a round that began before, and one after."""
        for _ in range(2):
            before = [tally.looks for tally in self.tallies]
            await self.store.notifier.publish("execution", ["nobody"])
            await eventually(lambda before=before: all(map(int.__gt__, [one.looks for one in self.tallies], before)))

    async def executions(self) -> list[Execution]:
        page = await self.store.queries.search(TENANT, [], PageRequest(size=500, sort=(("state.startDate", True),)))
        return sorted(page.results, key=lambda execution: execution.schedule_date or 0)

    async def dates(self) -> list[Instant | None]:
        return [execution.schedule_date for execution in await self.executions()]

    async def have_run(self, *dates: Instant) -> None:
        """Wait until there are executions of these dates, and see that there are no others."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while len(await self.dates()) < len(dates):  # noqa: ASYNC110  # no event tells
                    await asyncio.sleep(0.02)
        assert await self.dates() == list(dates)

    async def end(self, execution: Execution, state: StateType = StateType.SUCCESS) -> None:
        """End an execution as the executor would, and have the schedulers that run hear of it."""
        now = self.clock.now()
        leases = await self.store.journal.lease("test", PARTITIONS, 10**12, now)
        ended = msgspec.structs.replace(
            execution,
            state=State.at(StateType.CREATED, execution.created).to(state, now),
            version=execution.version + 1,
        )
        fences = {lease.partition: lease.token for lease in leases}
        await self.store.journal.commit(Batch(executions={ended.id: ended}, fences=fences))
        await self.store.notifier.publish("execution", [ended.id])
        async with asyncio.timeout(PATIENCE):
            while self.tallies and any(ended.id in running(one) for one in await self.store.triggers.all()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def state(self, trigger: str = "tick", flow: str = "timed") -> TriggerState:
        found = await self.store.triggers.get(TENANT, "company.team", flow, trigger)
        assert found is not None
        return found

    async def comes_to(self, holds: Callable[[TriggerState], bool]) -> TriggerState:
        """Return the state of the trigger once something holds of it."""
        async with asyncio.timeout(PATIENCE):
            while not holds(state := await self.state()):  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(0.01)
        return state

    async def reasons(self) -> list[str | None]:
        """Return why the messages that wait let their executions fail at once."""
        waiting = await self.store.journal.messages(range(PARTITIONS), 0, 100)
        return [one.event.reject for one in waiting if isinstance(one.event, Created)]

    async def trigger_lines(self) -> list[LogLine]:
        page = await self.store.queries.logs(TENANT, [], PageRequest(size=100))
        return [line for line in page.results if line.trigger_id is not None]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = ManualClock(1_717_243_200 * SECOND)  # 2024-06-01T12:00:00Z
    store = await open_store(f"sqlite:///{tmp_path}/penstock.db", clock)
    yield World(store, clock, tmp_path / "storage")
    await store.close()
