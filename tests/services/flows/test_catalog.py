"""The catalog of resolved flows: parsed once, never outdated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from penstock.base.clock import SECOND
from penstock.base.errors import NotFoundError
from penstock.engine.flow import ResolvedFlow
from penstock.ports.flows import StoredFlow
from penstock.ports.switches import Switch
from penstock.services.flows import FlowCatalog
from penstock.store import Store, open_store
from tests.support.waiting import eventually


@dataclass
class SteppedClock:
    time: int = 1_000 * SECOND

    def now(self) -> int:
        return self.time


@dataclass
class Resolving:
    """Stands for parsing and resolving; counts what it was asked for."""

    revisions: list[int] = field(default_factory=list)

    def __call__(self, stored: StoredFlow) -> ResolvedFlow:
        self.revisions.append(stored.revision)
        return ResolvedFlow(stored.tenant, stored.namespace, stored.id, stored.revision, {}, {}, {}, {})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'x.db'}", SteppedClock())
    yield opened
    await opened.close()


async def save(store: Store, source: str = "one", flow_id: str = "flow") -> None:
    await store.flows.save(StoredFlow("main", "team", flow_id, 0, source, 0), None)


NAME = ("main", "team", "flow")


async def test_catalog_resolves_a_revision_once_however_many_ask(store: Store) -> None:
    await save(store)
    resolving = Resolving()
    catalog = FlowCatalog(store.flows, resolving, SteppedClock())
    found = await asyncio.gather(*(catalog.resolved(*NAME) for _ in range(20)))
    assert resolving.revisions == [1]
    assert all(one is found[0] for one in found)
    assert catalog.cached(*NAME) is found[0]
    assert catalog.cached(*NAME, 1) is found[0]


async def test_catalog_knows_nothing_before_it_was_asked(store: Store) -> None:
    catalog = FlowCatalog(store.flows, Resolving(), SteppedClock())
    assert catalog.cached(*NAME) is None
    with pytest.raises(NotFoundError, match=r"flow team\.flow"):
        await catalog.resolved(*NAME)


async def test_catalog_told_of_a_change_returns_the_new_revision(store: Store) -> None:
    """ENG-025."""
    await save(store)
    catalog = FlowCatalog(store.flows, Resolving(), SteppedClock())
    await catalog.resolved(*NAME)
    await save(store, "two")
    catalog.forget(*NAME)
    assert catalog.cached(*NAME) is None
    assert (await catalog.resolved(*NAME)).revision == 2
    assert (await catalog.resolved(*NAME, 1)).revision == 1


async def test_catalog_follows_changes_announced_elsewhere(store: Store) -> None:
    await save(store)
    catalog = FlowCatalog(store.flows, Resolving(), SteppedClock())
    following = asyncio.create_task(catalog.follow(store.notifier))
    await asyncio.sleep(0.05)
    await catalog.resolved(*NAME)
    await save(store, "two")
    await store.notifier.publish("flows", ["main/team/flow"])
    await eventually(lambda: catalog.cached(*NAME) is None)
    assert (await catalog.resolved(*NAME)).revision == 2
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_catalog_notices_a_change_nobody_announced_after_a_while(store: Store) -> None:
    await save(store)
    clock = SteppedClock()
    catalog = FlowCatalog(store.flows, Resolving(), clock, freshness=10 * SECOND)
    await catalog.resolved(*NAME)
    await save(store, "two")
    clock.time += 9 * SECOND
    assert (await catalog.resolved(*NAME)).revision == 1
    clock.time += 2 * SECOND
    assert (await catalog.resolved(*NAME)).revision == 2


async def test_catalog_does_not_trust_what_it_read_while_the_flow_changed(store: Store) -> None:
    await save(store)

    class Slow:
        """Returns what it read before the change, after the change was announced."""

        async def get(self, *name: object, **options: object) -> StoredFlow | None:
            found = await store.flows.get(*NAME)
            await save(store, "two")
            catalog.forget(*NAME)
            return found

    catalog = FlowCatalog(Slow(), Resolving(), SteppedClock())  # type: ignore[arg-type]  # only `get` is called
    assert (await catalog.resolved(*NAME)).revision == 1
    assert catalog.cached(*NAME) is None


async def test_catalog_keeps_as_many_as_it_may(store: Store) -> None:
    for name in ("a", "b", "c"):
        await save(store, flow_id=name)
    catalog = FlowCatalog(store.flows, Resolving(), SteppedClock(), capacity=2)
    for name in ("a", "b", "a", "c"):
        await catalog.resolved("main", "team", name)
    assert [name for name in ("a", "b", "c") if catalog.cached("main", "team", name)] == ["a", "c"]


async def test_catalog_asks_again_what_is_said_of_flows_it_has_no_room_for(store: Store) -> None:
    """BEY-041: however many flows there are, no more than these take memory."""
    asked = []

    class Counted:
        async def of_flow(self, tenant: str, namespace: str, flow_id: str) -> Sequence[Switch]:
            asked.append(flow_id)
            return await store.switches.of_flow(tenant, namespace, flow_id)

    for name in ("a", "b", "c"):
        await save(store, flow_id=name)
    catalog = FlowCatalog(store.flows, Resolving(), SteppedClock(), capacity=2, switches=Counted())
    for name in ("a", "b", "a", "c", "a", "b"):
        await catalog.resolved("main", "team", name)
    assert asked == ["a", "b", "c", "b"]


async def test_catalog_that_cannot_resolve_raises_each_time(store: Store) -> None:
    await save(store)
    tried = []

    def broken(stored: StoredFlow) -> ResolvedFlow:
        tried.append(stored.revision)
        raise NotFoundError("a plugin is gone")

    catalog = FlowCatalog(store.flows, broken, SteppedClock())
    for _ in range(2):
        with pytest.raises(NotFoundError, match="plugin"):
            await catalog.resolved(*NAME)
    assert tried == [1, 1]
