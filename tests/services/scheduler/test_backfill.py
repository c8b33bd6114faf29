"""Backfills, ordered through the service that the API uses, served by a real scheduler."""

from __future__ import annotations

import pytest

from penstock.base.clock import SECOND
from penstock.base.errors import ConflictError, InvalidRequestError
from penstock.ports.triggers import TriggerState
from penstock.services.scheduler.backfill import Backfill, Label
from penstock.services.triggers import BackfillOrder, TriggerService
from tests.services.scheduler.conftest import World
from tests.services.scheduler.test_scheduler import CONCURRENT, HOUR, NOON, flow

NAME = ("company.team", "timed", "tick")


@pytest.fixture
def triggers(world: World) -> TriggerService:
    return TriggerService(world.store.triggers, world.store.switches, world.store.notifier, world.clock)


async def test_backfill_runs_every_date_of_the_span_with_inputs_and_labels(
    world: World, triggers: TriggerService
) -> None:
    """ENG-283: both ends included; dates that ran already run again; the schedule goes on afterwards."""
    head = "inputs:\n  - {id: day, type: STRING}"
    await world.flows.put("main", flow(f"{CONCURRENT}\n    inputs: {{day: usual}}", head=head))
    async with world.running():
        await world.until(NOON + HOUR)
        order = BackfillOrder(NOON - HOUR, None, {"day": "again"}, (Label("kind", "backfill"),))
        state = await triggers.order_backfill("main", NAME, order)
        assert state.backfill is not None
        assert state.backfill["previousNextExecutionDate"] == "2024-06-01T14:00:00.000000Z"
        await world.until(NOON + HOUR + 1)
        await world.have_run(NOON - HOUR, NOON, NOON + HOUR, NOON + HOUR)
        found = await world.executions()
        assert (await world.state()).backfill is None
        assert (await world.state()).next_date == NOON + 2 * HOUR
    again = [one for one in found if one.inputs == {"day": "again"}]
    assert [one.schedule_date for one in again] == [NOON - HOUR, NOON, NOON + HOUR]
    assert all(("kind", "backfill") in one.labels for one in again)
    assert [one.schedule_date for one in found if one.inputs == {"day": "usual"}] == [NOON + HOUR]


async def test_backfill_dates_wait_for_each_other_and_show_how_far_they_are(
    world: World, triggers: TriggerService
) -> None:
    """ENG-281, ENG-283."""
    await world.flows.put("main", flow())
    async with world.running():
        await triggers.order_backfill("main", NAME, BackfillOrder(NOON - 2 * HOUR, NOON - 1))
        await world.until(NOON + 1)
        await world.have_run(NOON - 2 * HOUR)
        backfill = Backfill.of(await world.state())
        assert backfill is not None
        assert backfill.current == NOON - HOUR
        await world.end((await world.executions())[0])
        await world.have_run(NOON - 2 * HOUR, NOON - HOUR)
        assert (await world.state()).backfill is None


async def test_backfill_paused_lets_the_schedule_go_on_and_resumes_where_it_was(
    world: World, triggers: TriggerService
) -> None:
    await world.flows.put("main", flow())
    async with world.running():
        await triggers.order_backfill("main", NAME, BackfillOrder(NOON - 2 * HOUR, NOON - 1))
        await world.until(NOON + 1)
        await world.have_run(NOON - 2 * HOUR)
        assert (await triggers.pause_backfill("main", NAME)).next_date == NOON + HOUR
        await world.end((await world.executions())[0])
        await world.until(NOON + HOUR)
        await world.have_run(NOON - 2 * HOUR, NOON + HOUR)
        await triggers.resume_backfill("main", NAME)
        await world.end((await world.executions())[1])
        await world.have_run(NOON - 2 * HOUR, NOON - HOUR, NOON + HOUR)
        assert (await world.state()).next_date == NOON + 2 * HOUR


async def test_backfill_deleted_runs_no_more_dates(world: World, triggers: TriggerService) -> None:
    await world.flows.put("main", flow())
    async with world.running():
        await triggers.order_backfill("main", NAME, BackfillOrder(NOON - 3 * HOUR))
        await world.until(NOON + 1)
        await world.have_run(NOON - 3 * HOUR)
        deleted = await triggers.delete_backfill("main", NAME)
        assert (deleted.backfill, deleted.next_date) == (None, NOON + HOUR)
        await world.end((await world.executions())[0])
        await world.have_run(NOON - 3 * HOUR)
        with pytest.raises(ConflictError, match="no backfill"):
            await triggers.pause_backfill("main", NAME)


async def test_backfill_of_a_disabled_trigger_waits_until_it_is_enabled(world: World, triggers: TriggerService) -> None:
    """ENG-284."""
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        await triggers.set_disabled("main", NAME, True)
        await triggers.order_backfill("main", NAME, BackfillOrder(NOON - HOUR))
        await world.until(NOON + 2 * HOUR + 1)
        assert await world.dates() == []
        await triggers.set_disabled("main", NAME, False)
        await world.until(NOON + 2 * HOUR + 2)
        await world.have_run(NOON - HOUR, NOON)
        assert (await world.state()).next_date == NOON + 3 * HOUR


async def test_backfill_disabled_halfway_goes_on_from_there(world: World, triggers: TriggerService) -> None:
    """ENG-284."""
    await world.flows.put("main", flow())
    async with world.running():
        await triggers.order_backfill("main", NAME, BackfillOrder(NOON - HOUR))
        await world.until(NOON + 1)
        await world.have_run(NOON - HOUR)
        await triggers.set_disabled("main", NAME, True)
        await world.end((await world.executions())[0])
        await world.have_run(NOON - HOUR)
        await triggers.set_disabled("main", NAME, False)
        await world.until(NOON + 2)
        await world.have_run(NOON - HOUR, NOON)


async def test_backfill_survives_a_restart_and_several_schedulers(world: World, triggers: TriggerService) -> None:
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        pass
    await triggers.order_backfill("main", NAME, BackfillOrder(NOON - 4 * HOUR))
    async with world.running(count=3):
        await world.until(NOON + 1)
        await world.until(NOON + 2)
        await world.have_run(*(NOON - hours * HOUR for hours in (4, 3, 2, 1, 0)))


async def test_backfill_of_the_same_dates_again_runs_them_again(world: World, triggers: TriggerService) -> None:
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        for turn in range(2):
            await triggers.order_backfill("main", NAME, BackfillOrder(NOON - HOUR, NOON - 1))
            await world.until(NOON + turn + 1)
            await world.have_run(*[NOON - HOUR] * (turn + 1))


async def test_backfill_without_dates_ends_at_once(world: World, triggers: TriggerService) -> None:
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        await triggers.order_backfill("main", NAME, BackfillOrder(NOON - 50 * SECOND, NOON - SECOND))
        await world.until(NOON + 1)
        state = await world.comes_to(lambda state: state.backfill is None)
    assert state.next_date == NOON + HOUR


async def test_backfill_that_cannot_be_is_refused(world: World, triggers: TriggerService) -> None:
    await world.flows.put("main", flow())
    async with world.running():
        with pytest.raises(InvalidRequestError, match="ends before it starts"):
            await triggers.order_backfill("main", NAME, BackfillOrder(NOON + HOUR))
        await triggers.order_backfill("main", NAME, BackfillOrder(NOON - 3 * HOUR, NOON - 1))
        with pytest.raises(ConflictError, match="not finished"):
            await triggers.order_backfill("main", NAME, BackfillOrder(NOON - HOUR))
    await world.store.triggers.save(TriggerState("main", "company.team", "timed", "hook"))
    with pytest.raises(InvalidRequestError, match="no schedule"):
        await triggers.order_backfill("main", ("company.team", "timed", "hook"), BackfillOrder(NOON - HOUR))


async def test_backfill_in_the_source_runs_its_dates_once_when_the_flow_is_saved(world: World) -> None:
    """ENG-287: over restarts and later revisions, too; another start is another order."""
    old = f"{CONCURRENT}\n    backfill: {{start: 2024-06-01T10:30:00Z}}"
    await world.flows.put("main", flow(old))
    async with world.running():
        await world.until(NOON + 1)
        await world.have_run(NOON - HOUR, NOON)
        await world.until(NOON + HOUR)
    async with world.running():
        await world.flows.put("main", flow(old, head="description: changed"))
        await world.until(NOON + HOUR + SECOND)
        await world.have_run(NOON - HOUR, NOON, NOON + HOUR)
        await world.flows.put("main", flow(old.replace("10:30", "11:30")))
        await world.until(NOON + HOUR + 2 * SECOND)
        await world.have_run(NOON - HOUR, NOON, NOON, NOON + HOUR, NOON + HOUR)


async def test_backfill_in_the_source_with_a_start_to_come_runs_nothing(world: World) -> None:
    """ENG-287."""
    await world.flows.put("main", flow(f"{CONCURRENT}\n    backfill: {{start: 2024-06-01T12:30:00Z}}"))
    async with world.running():
        await world.until(NOON + 1)
        assert await world.dates() == []
        assert (await world.state()).backfill is None


async def test_backfill_in_the_source_of_a_disabled_trigger_waits_until_it_is_enabled(world: World) -> None:
    """ENG-284, ENG-287."""
    old = f"{CONCURRENT}\n    disabled: true\n    backfill: {{start: 2024-06-01T10:30:00Z}}"
    await world.flows.put("main", flow(old))
    async with world.running():
        await world.until(NOON + 1)
        assert await world.dates() == []
        await world.flows.put("main", flow(old.replace("disabled: true", "disabled: false")))
        await world.until(NOON + 2)
        await world.have_run(NOON - HOUR, NOON)
