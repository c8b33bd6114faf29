"""Several executors on one database: each decides for its share, and what a limit counts is decided by one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import pytest

from penstock.base.clock import SystemClock
from penstock.engine.events import Resume
from penstock.engine.records import Execution
from penstock.engine.states import StateType
from penstock.ports.journal import COUNTED, PARTITIONS, partition_of
from penstock.services.executions import Launch
from penstock.services.executions.idempotency import FirstExecutions
from penstock.services.executor import Executor
from penstock.services.worker import Worker
from penstock.store import Store, open_store
from penstock.wiring.application import flow_service
from penstock.wiring.core import Core, build_core
from penstock.wiring.plan import Plan, Role
from penstock.wiring.plugins import load_plugins
from tests.support.waiting import PATIENCE

RETURN = "type: io.kestra.plugin.core.debug.Return, format: x"
PAUSE = "type: io.kestra.plugin.core.flow.Pause"
SUBFLOW = "type: io.kestra.plugin.core.flow.Subflow, namespace: team"


@dataclass
class Servers:
    """Servers of one process on one database; each as if it were alone."""

    folder: Path
    store: Store
    cores: list[Core] = field(default_factory=list)

    @asynccontextmanager
    async def one_more(self) -> AsyncIterator[Core]:
        """Run another server."""
        roles = frozenset({Role.EXECUTOR, Role.WORKER})
        plan = Plan(roles=roles, database="postgresql://", storage=self.folder / "storage")
        clock = SystemClock()
        core = build_core(plan, load_plugins(), clock, self.store)
        assert core.executor is not None
        worker = Worker(core.gateway, core.plugins.registry, plan.worker, clock)
        async with core.gateway:
            following = asyncio.create_task(core.catalog.follow(core.store.notifier))
            deciding = asyncio.create_task(core.executor.run())
            working = asyncio.create_task(worker.run())
            await asyncio.wait_for(core.executor.ready.wait(), PATIENCE)
            self.cores.append(core)
            yield core
            self.cores.remove(core)
            worker.stop()
            await working
            core.executor.stop()
            await deciding
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    @property
    def executors(self) -> Sequence[Executor]:
        """The executors, the one that counts first."""
        found = [core.executor for core in self.cores if core.executor is not None]
        return sorted(found, key=lambda one: COUNTED not in one.leases)

    @property
    def uncounting(self) -> Core:
        """A server whose executor does not count."""
        return next(core for core in self.cores if core.executor is self.executors[-1])

    async def shared_out(self) -> None:
        """Wait until every executor has its share."""
        most = -(-PARTITIONS // len(self.cores))
        await come_true(lambda: self._held == PARTITIONS and all(len(one.leases) <= most for one in self.executors))

    @property
    def _held(self) -> int:
        return len({partition for one in self.executors for partition in one.leases})

    async def flow(self, source: str) -> None:
        """Deploy a flow, and wait until all servers know it."""
        stored = await flow_service(self.cores[0]).put("main", source)
        for core in self.cores:
            async with asyncio.timeout(PATIENCE):
                while (await core.catalog.resolved("main", "team", stored.id)).revision != stored.revision:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    async def start(self, flow_id: str, core: Core | None = None) -> str:
        """Start a flow through a server; the one that does not count by default."""
        core = core or self.uncounting
        return (await core.executions.create(Launch("main", "team", flow_id))).id

    async def until(self, execution_id: str, state: StateType) -> Execution:
        """Return an execution once it is in a state."""
        async with asyncio.timeout(PATIENCE):
            while True:
                loaded = (await self.store.journal.load([execution_id])).get(execution_id)
                if loaded is not None and loaded.execution.state.current is state:
                    return loaded.execution
                await asyncio.sleep(0.01)

    async def state(self, execution_id: str) -> StateType:
        """Return the stored state of an execution."""
        return (await self.store.journal.load([execution_id]))[execution_id].execution.state.current


async def come_true(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 - several loops bring it about
            await asyncio.sleep(0.01)


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    store = await open_store(f"sqlite:///{tmp_path / 'penstock.db'}", SystemClock())
    made = Servers(tmp_path, store)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(made.one_more())
        await made.shared_out()
        yield made
    await store.close()


async def test_executions_are_decided_by_the_executors_that_hold_their_partitions(servers: Servers) -> None:
    """BEY-001: whichever server they are started through."""
    await servers.flow(f"id: plain\nnamespace: team\ntasks: [{{id: a, {RETURN}}}]")
    started = [await servers.start("plain", core) for core in servers.cores for _ in range(6)]
    for execution_id in started:
        await servers.until(execution_id, StateType.SUCCESS)
    places = {execution_id: partition_of(execution_id) for execution_id in started}
    for core in servers.cores:
        assert core.executor is not None
        mine = [one for one, partition in places.items() if partition in core.executor.leases]
        ended = core.tallies.executor.ended
        await come_true(lambda ended=ended, mine=mine: sum(ended.values()) == len(mine))  # type: ignore[misc]


async def test_executor_that_comes_gets_its_share_and_one_that_goes_leaves_it_to_the_others(servers: Servers) -> None:
    """OPS-129."""
    async with servers.one_more():
        await servers.shared_out()
        assert sorted(len(one.leases) for one in servers.executors) == [21, 22, 22]
    await servers.shared_out()
    assert sorted(len(one.leases) for one in servers.executors) == [32, 33]


async def test_limit_holds_for_executions_started_through_an_executor_that_does_not_count(servers: Servers) -> None:
    """ENG-251, BEY-003."""
    await servers.flow(f"id: limited\nnamespace: team\nconcurrency: {{limit: 2}}\ntasks: [{{id: a, {PAUSE}}}]")
    started = [await servers.start("limited") for _ in range(4)]
    for execution_id in started[:2]:
        await servers.until(execution_id, StateType.PAUSED)
    for execution_id in started[2:]:
        await servers.until(execution_id, StateType.QUEUED)
    loaded = await servers.store.journal.load(started)
    assert {one.partition for one in loaded.values()} == {COUNTED}
    for execution_id in started:
        await servers.until(execution_id, StateType.PAUSED)
        await servers.uncounting.dispatcher.send(execution_id, Resume())
        await servers.until(execution_id, StateType.SUCCESS)


async def test_parent_hears_of_children_that_other_executors_decide_for(servers: Servers) -> None:
    """ENG-101, BEY-001: of those that a limit counts too."""
    await servers.flow(f"id: child\nnamespace: team\ntasks: [{{id: a, {RETURN}}}]")
    await servers.flow(f"id: narrow\nnamespace: team\nconcurrency: {{limit: 1}}\ntasks: [{{id: a, {RETURN}}}]")
    calls = [f"{{id: c{number}, {SUBFLOW}, flowId: child}}" for number in range(6)]
    calls += [f"{{id: n{number}, {SUBFLOW}, flowId: narrow}}" for number in range(3)]
    parallel = f"{{id: all, type: io.kestra.plugin.core.flow.Parallel, tasks: [{', '.join(calls)}]}}"
    await servers.flow(f"id: parent\nnamespace: team\ntasks: [{parallel}]")
    for execution_id in [await servers.start("parent", core) for core in servers.cores]:
        await servers.until(execution_id, StateType.SUCCESS)
    await come_true(lambda: all(sum(core.tallies.executor.ended.values()) for core in servers.cores))


async def test_limit_that_comes_later_counts_what_runs_already_wherever_it_is_decided(servers: Servers) -> None:
    """ENG-253, BEY-003."""
    source = f"id: later\nnamespace: team\ntasks: [{{id: a, {PAUSE}}}]"
    await servers.flow(source)
    before = [await servers.start("later", core) for core in servers.cores for _ in range(3)]
    for execution_id in before:
        await servers.until(execution_id, StateType.PAUSED)
    await servers.flow(f"{source}\nconcurrency: {{limit: 1}}")
    queued = await servers.start("later")
    await servers.until(queued, StateType.QUEUED)
    for execution_id in before:
        assert await servers.state(queued) is StateType.QUEUED
        await servers.cores[0].dispatcher.send(execution_id, Resume())
        await servers.until(execution_id, StateType.SUCCESS)
    await servers.until(queued, StateType.PAUSED)


async def test_children_of_one_key_started_at_the_same_moment_elsewhere_are_one(servers: Servers) -> None:
    """BEY-044: an executor that was not the first decides anew, and finds the first."""
    await servers.flow(f"id: once\nnamespace: team\nidempotency: {{key: same}}\ntasks: [{{id: a, {RETURN}}}]")
    await servers.flow(f"id: caller\nnamespace: team\ntasks: [{{id: a, {SUBFLOW}, flowId: once}}]")
    first = await servers.start("once")
    await servers.until(first, StateType.SUCCESS)
    original, asked = FirstExecutions.find, 0

    async def find(self: FirstExecutions, name: str, rule: object) -> Execution | None:
        nonlocal asked
        asked += 1
        return None if asked == 1 else await original(self, name, rule)  # type: ignore[arg-type]

    with patch.object(FirstExecutions, "find", find):
        caller = await servers.start("caller")
        await servers.until(caller, StateType.SUCCESS)
    assert asked == 2
    assert len(await servers.store.queries.children("main", caller)) == 0
