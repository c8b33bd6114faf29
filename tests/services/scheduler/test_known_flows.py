"""Looks at all flows: what has changed is found without a notification, and nothing else is made anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from penstock.base.clock import SECOND
from penstock.base.errors import NotFoundError
from penstock.ports.flows import StoredFlow
from penstock.ports.switches import Switch, SwitchState
from penstock.services.flows import FlowCatalog
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.flow_triggers import FlowTriggers, KnownFlows
from tests.services.scheduler.conftest import TENANT, World
from tests.services.scheduler.test_scheduler import HOUR, NOON, flow

FLOW = (TENANT, "company.team", "timed")
PAUSED = Switch(*FLOW, "", SwitchState.DISABLED, NOON)


@dataclass
class Looks:
    """Looks at the flows of a world; `stamp` stands for the settings of namespaces."""

    world: World
    stamp: int = 0

    def __post_init__(self) -> None:
        store = self.world.store
        # Other users of the catalog trust it long: a look must not.
        self.catalog = FlowCatalog(
            store.flows, self.world.reading.resolve, self.world.clock, stamp=lambda *_: self.stamp,
            freshness=HOUR, switches=store.switches,
        )  # fmt: skip
        triggers = self.world.reading.triggers
        self.known = KnownFlows(store.flows, store.switches, self.catalog, triggers, {}, Conditions())

    async def look(self) -> FlowTriggers:
        versions = await self.known.versions()
        return await self.known.triggers(FLOW, versions.get(FLOW))


async def save(world: World, source: str) -> None:
    """Store a flow without telling anybody."""
    stored = StoredFlow(*FLOW, 0, source, 0, has_triggers="triggers:" in source)
    await world.store.flows.save(stored, None)


async def test_look_makes_a_flow_anew_when_what_it_is_made_of_has_changed(world: World) -> None:
    """ENG-258, BEY-041: its revision, what its namespace sets, what people say of it."""
    looks = Looks(world)
    await save(world, flow())
    first = await looks.look()
    assert await looks.look() is first

    await save(world, flow().replace("0 * * * *", "30 * * * *"))
    second = await looks.look()
    assert [one.flow.revision for one in second.scheduled.values()] == [2]
    looks.stamp += 1
    third = await looks.look()
    assert third is not second
    await world.store.switches.put([PAUSED])
    fourth = await looks.look()
    assert [one.is_enabled for one in (*third.scheduled.values(), *fourth.scheduled.values())] == [True, False]
    assert await looks.look() is fourth


async def test_look_after_a_notification_makes_the_flow_anew(world: World) -> None:
    """ENG-258: nobody knows which version the notification found."""
    looks = Looks(world)
    await save(world, flow())
    first = await looks.look()
    await looks.known.triggers(FLOW, None)
    assert await looks.look() is not first


async def test_flow_that_is_gone_is_not_kept(world: World) -> None:
    """ENG-258."""
    looks = Looks(world)
    await save(world, flow())
    assert (await looks.look()).ids == {"tick"}
    await world.store.flows.delete(*FLOW, NOON)
    looks.catalog.forget(*FLOW)
    with pytest.raises(NotFoundError):
        await looks.look()


@pytest.mark.parametrize("change", ["revision", "switch"])
async def test_scheduler_finds_what_it_was_not_told_of(world: World, change: Any) -> None:
    """ENG-258, BEY-041."""
    await world.flows.put(TENANT, flow())
    async with world.running():
        assert (await world.state()).next_date == NOON + HOUR
        if change == "revision":
            await save(world, flow("    disabled: true"))
        else:
            await world.store.switches.put([PAUSED])
        await world.until(NOON + 301 * SECOND)
        assert (await world.state()).next_date is None
