"""Schedules of flows and triggers that are paused on this instance."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from penstock.base.clock import SECOND, Instant
from penstock.base.errors import NotFoundError
from penstock.ports.switches import Switch, SwitchState
from penstock.services.switches import SwitchOrder, SwitchService
from penstock.services.triggers import TriggerService
from tests.services.scheduler.conftest import TENANT, World
from tests.services.scheduler.test_scheduler import CONCURRENT, HOUR, NOON, flow
from tests.support.waiting import PATIENCE

FLOW = ("company.team", "timed", "")


def switches_of(world: World) -> SwitchService:
    store, clock = world.store, world.clock
    triggers = TriggerService(store.triggers, store.switches, store.notifier, clock)
    return SwitchService(store.switches, store.triggers, triggers, world.catalog, store.notifier, clock)


async def until_next(world: World, date: Instant | None) -> None:
    """Wait until the schedulers have taken over what was said."""
    async with asyncio.timeout(PATIENCE):
        while (await world.state()).next_date != date:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.01)


async def test_schedule_of_a_paused_flow_goes_on_by_itself_at_its_time(world: World) -> None:
    """BEY-041: a pause ends by a timer, and what came meanwhile is not made up for."""
    await world.flows.put(TENANT, flow())
    switches = switches_of(world)
    async with world.running():
        until = NOON + 2 * HOUR + HOUR // 2
        await switches.set(TENANT, [FLOW], SwitchOrder(SwitchState.PAUSED, until, "maintenance"), "ada")
        await until_next(world, None)
        await world.until(NOON + 2 * HOUR)
        assert (await world.state()).next_date is None
        await world.until(until)
        await until_next(world, NOON + 3 * HOUR)
        assert await world.store.switches.of_flow(TENANT, *FLOW[:2]) == []
        await world.until(NOON + 3 * HOUR)
        await world.have_run(NOON + 3 * HOUR)


async def test_schedule_paused_before_a_restart_is_paused_after_it(world: World) -> None:
    """BEY-041: what was said survives restarts, and so does its end."""
    await world.flows.put(TENANT, flow())
    name = (*FLOW[:2], "tick")
    until = NOON + HOUR + HOUR // 2
    await switches_of(world).set(TENANT, [name], SwitchOrder(SwitchState.PAUSED, until), None)
    async with world.running():
        await world.until(NOON + HOUR)
        assert (await world.state()).next_date is None
    async with world.running():
        assert (await world.state()).next_date is None
        await world.until(until + SECOND)
        await until_next(world, NOON + 2 * HOUR)


async def test_date_at_the_very_end_of_a_pause_is_fired(world: World) -> None:
    """BEY-041: a pause until eight lets the schedule of eight run, however late the scheduler is about it."""
    await world.flows.put(TENANT, flow())
    async with world.running():
        until = NOON + 2 * HOUR
        await switches_of(world).set(TENANT, [(*FLOW[:2], "tick")], SwitchOrder(SwitchState.PAUSED, until), None)
        await until_next(world, None)
        await world.until(until + SECOND)
        await world.have_run(until)


async def test_dates_of_a_pause_that_no_scheduler_noticed_are_not_made_up_for(world: World) -> None:
    """BEY-041, ENG-282: those after its end are, as dates are that were missed."""
    await world.flows.put(TENANT, flow(CONCURRENT))
    async with world.running():
        pass
    await switches_of(world).set(TENANT, [FLOW], SwitchOrder(SwitchState.PAUSED, NOON + 2 * HOUR), None)
    world.clock.set(NOON + 3 * HOUR + SECOND)
    async with world.running(count=2):
        await world.have_run(NOON + 2 * HOUR, NOON + 3 * HOUR)


@pytest.mark.parametrize("last", [FLOW, (*FLOW[:2], "tick")], ids=["the flow's", "the trigger's"])
async def test_schedule_stopped_twice_goes_on_from_the_later_end(world: World, last: tuple[str, str, str]) -> None:
    """BEY-041: even if no scheduler noticed either, and the end that came first is carried out last."""
    await world.flows.put(TENANT, flow(CONCURRENT))
    async with world.running():
        pass
    switches, both = switches_of(world), [FLOW, (*FLOW[:2], "tick")]
    for name in both:
        until = NOON + (3 if name == last else 1) * HOUR
        await switches.set(TENANT, [name], SwitchOrder(SwitchState.PAUSED, until), None)
    world.clock.set(NOON + 4 * HOUR + SECOND)
    await switches.release(TENANT, both)
    async with world.running():
        await world.have_run(NOON + 3 * HOUR, NOON + 4 * HOUR)


async def test_date_of_a_pause_that_a_scheduler_has_not_heard_of_is_passed_over(world: World) -> None:
    """BEY-041: what is said counts from then on, not from when everybody has heard of it."""
    await world.flows.put(TENANT, flow(CONCURRENT))
    async with world.running():
        await world.store.switches.put([Switch(TENANT, *FLOW, SwitchState.PAUSED, NOON, NOON + HOUR + SECOND)])
        await world.until(NOON + HOUR)
        await world.until(NOON + 2 * HOUR)
        await world.have_run(NOON + 2 * HOUR)


async def test_schedule_disabled_in_the_source_runs_when_the_instance_enables_it(world: World) -> None:
    """BEY-041."""
    await world.flows.put(TENANT, flow("    disabled: true"))
    switches = switches_of(world)
    async with world.running():
        assert (await world.state()).next_date is None
        await switches.set(TENANT, [(*FLOW[:2], "tick")], SwitchOrder(SwitchState.ENABLED), None)
        await until_next(world, NOON + HOUR)
        await world.until(NOON + HOUR)
        await world.have_run(NOON + HOUR)
        await switches.release(TENANT, [(*FLOW[:2], "tick")])
        await until_next(world, None)


async def test_catalog_takes_a_switch_over_until_its_time_without_a_scheduler(world: World) -> None:
    """BEY-041: no process needs another one to know that a pause is over."""
    await world.flows.put(TENANT, flow())
    switch = Switch(TENANT, *FLOW, SwitchState.PAUSED, NOON, NOON + HOUR, "ada", "maintenance")
    await world.store.switches.put([switch])
    world.catalog.forget_all()
    paused = await world.catalog.resolved(TENANT, *FLOW[:2])
    assert (paused.disabled, paused.changes_at) == (True, NOON + HOUR)
    assert paused.disabled_why == "paused by ada until 2024-06-01T13:00:00Z: maintenance"
    assert world.catalog.cached(TENANT, *FLOW[:2], 1) is paused
    world.clock.set(NOON + HOUR)
    assert not (await world.catalog.resolved(TENANT, *FLOW[:2])).disabled
    await world.store.switches.put([replace(switch, state=SwitchState.DISABLED, until=None, by=None, reason=None)])
    world.catalog.forget(TENANT, *FLOW[:2])
    assert (await world.catalog.resolved(TENANT, *FLOW[:2])).disabled_why == "disabled"


async def test_order_for_several_is_stored_whole_and_told_once_of_each_flow(world: World) -> None:
    """BEY-041: none of it is done when one of them is not there, be it that the sources are to count again."""
    await world.flows.put(TENANT, flow())
    await world.flows.put(TENANT, flow().replace("id: timed", "id: other"))
    switches, other = switches_of(world), ("company.team", "other", "tick")
    names = [FLOW, (*FLOW[:2], "tick"), other, FLOW]
    async with world.store.notifier.subscribe("flows") as told:
        await switches.set(TENANT, names, SwitchOrder(SwitchState.DISABLED), "ada")
        assert [await anext(told) for _ in range(2)] == [
            ("flows", f"main/{FLOW[0]}/{one}") for one in ("timed", "other")
        ]
        await world.store.notifier.publish("flows", ["end"])
        assert await anext(told) == ("flows", "end")
    flows = [FLOW[:2], other[:2]]
    assert set(await switches.of_flows(TENANT, flows)) == set(names)
    with pytest.raises(NotFoundError, match="nowhere"):
        await switches.release(TENANT, [*names, ("company.team", "nowhere", "")])
    assert set(await switches.of_flows(TENANT, flows)) == set(names)
    await switches.release(TENANT, names)
    assert not await switches.of_flows(TENANT, flows)
    await switches.release(TENANT, [])
