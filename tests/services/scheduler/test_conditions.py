"""Conditions of schedules."""

from __future__ import annotations

from penstock.base.clock import SECOND
from tests.services.scheduler.conftest import World
from tests.services.scheduler.test_scheduler import CONCURRENT, HOUR, NOON, flow

DAY = 24 * HOUR
CONDITION = "io.kestra.plugin.core.condition"
DAILY = flow(
    f"""{CONCURRENT}
    conditions:
      - type: {CONDITION}.DayWeek
        date: "{{{{ trigger.date }}}}"
        dayOfWeek: MONDAY"""
).replace("0 * * * *", "0 9 * * *")
MONDAY = NOON + 2 * DAY - 3 * HOUR  # NOON is a Saturday; 09:00 on 3 June 2024


def expression(text: str) -> str:
    return f"{CONCURRENT}\n    conditions: [{{type: {CONDITION}.Expression, expression: '{text}'}}]"


async def test_schedule_conditions_leave_only_the_dates_of_which_they_hold(world: World) -> None:
    """ENG-272, ENG-276: next and previous are dates of which the conditions hold, too."""
    await world.flows.put("main", DAILY)
    async with world.running():
        assert (await world.state()).next_date == MONDAY
        await world.until(NOON + DAY)
        assert await world.dates() == []
        await world.until(MONDAY)
        (execution,) = await world.executions()
    assert execution.trigger is not None
    assert dict(execution.trigger.variables) == {
        "date": "2024-06-03T09:00:00Z",
        "next": "2024-06-10T09:00:00Z",
        "previous": "2024-05-27T09:00:00Z",
    }


async def test_schedule_conditions_under_their_older_name_count(world: World) -> None:
    """MIG-025."""
    await world.flows.put("main", DAILY.replace("    conditions:", "    scheduleConditions:"))
    async with world.running():
        assert (await world.state()).next_date == MONDAY


async def test_schedule_changed_conditions_count_anew(world: World) -> None:
    await world.flows.put("main", DAILY)
    async with world.running():
        await world.flows.put("main", DAILY.replace("MONDAY", "SUNDAY"))
        await world.until(NOON + 1)
        assert (await world.state()).next_date == MONDAY - DAY


async def test_schedule_condition_without_an_answer_is_logged_and_nothing_starts(world: World) -> None:
    """ENG-269."""
    condition = (
        f"{CONCURRENT}\n    conditions: [{{type: {CONDITION}.Expression, expression: '{{{{ nothing.there }}}}'}}]"
    )
    await world.flows.put("main", flow(condition))
    async with world.running():
        await world.until(NOON + HOUR)
        await world.until(NOON + HOUR + SECOND)
        assert await world.dates() == []
        (line,) = await world.trigger_lines()
    assert "nothing" in line.message


async def test_schedule_conditions_that_never_hold_never_fire(world: World) -> None:
    await world.flows.put("main", flow(expression("{{ false }}")))
    async with world.running():
        await world.until(NOON + HOUR)
        await world.until(NOON + 2000 * HOUR)
        assert await world.dates() == []
        assert await world.trigger_lines() == []
