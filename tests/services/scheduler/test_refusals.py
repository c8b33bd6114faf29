"""What becomes of executions that triggers may not start: checks of the flow, and triggers that cannot be evaluated."""

from __future__ import annotations

import msgspec
import pytest

from penstock.engine.states import StateType
from penstock.services.scheduler.upstream import Memory, Start
from tests.services.scheduler import test_scheduler as schedules
from tests.services.scheduler.conftest import World
from tests.services.scheduler.test_listening import CONCURRENT, came, flow, started
from tests.services.scheduler.test_scheduler import HOUR, NOON

CHECK = """
checks:
  - condition: "{{{{ kv('open') == 'yes' }}}}"
    message: the shop is closed
    behavior: {behavior}
"""
EXPRESSION = "{type: io.kestra.plugin.core.condition.Expression, expression: \"{{ kv('on') == 'yes' }}\"}"
UNKNOWN = "{type: io.kestra.plugin.core.condition.Expression, expression: '{{ nothing.there }}'}"


@pytest.mark.parametrize(("behavior", "reason"), [("FAIL_EXECUTION", "the shop is closed"), ("CREATE_EXECUTION", None)])
async def test_schedule_flow_with_a_check_that_fails_starts_as_the_check_says(
    world: World, behavior: str, reason: str | None
) -> None:
    """ENG-192, ENG-193, ENG-409."""
    world.pairs["open"] = "no"
    await world.flows.put("main", schedules.flow(schedules.CONCURRENT) + CHECK.format(behavior=behavior))
    async with world.running():
        await world.until(NOON + HOUR)
        await world.have_run(NOON + HOUR)
    assert await world.reasons() == [reason]


async def test_schedule_flow_with_a_check_that_blocks_starts_nothing_and_says_why(world: World) -> None:
    """ENG-409: the message is in the log of the trigger."""
    world.pairs["open"] = "no"
    source = schedules.flow(schedules.CONCURRENT) + CHECK.format(behavior="BLOCK_EXECUTION")
    await world.flows.put("main", source)
    async with world.running():
        await world.until(NOON + HOUR)
        assert await world.dates() == []
        (line,) = await world.trigger_lines()
    assert "the shop is closed" in line.message


async def test_flow_trigger_flow_with_a_check_that_fails_starts_an_execution_that_fails(world: World) -> None:
    """ENG-193, ENG-409."""
    world.pairs["open"] = "no"
    await world.flows.put("main", flow() + CHECK.format(behavior="FAIL_EXECUTION"))
    async with world.running():
        await came(world, "a")
        await started(world, 1)
    assert sorted(await world.reasons(), key=str) == [None, "the shop is closed"]


async def test_flow_trigger_input_that_cannot_be_made_starts_an_execution_that_fails_when_asked_to(
    world: World,
) -> None:
    """ENG-269: with `failOnTriggerError`, once however often it is looked at."""
    head = "inputs:\n  - {id: day, type: STRING}"
    await world.flows.put("main", flow("    failOnTriggerError: true", head=head))
    async with world.running(count=2):
        await came(world, "a")
        await started(world, 1)
    (reason,) = [one for one in await world.reasons() if one is not None]
    assert reason.startswith("trigger upstream failed:")
    assert "`day`" in reason


@pytest.mark.parametrize("fails", [True, False])
async def test_flow_trigger_start_that_has_its_execution_already_is_passed_over(world: World, *, fails: bool) -> None:
    """BEY-006: one execution for a set, whether it could be made or stands for a failure."""
    head = "inputs:\n  - {id: day, type: STRING}" if fails else ""
    await world.flows.put("main", flow(f"{CONCURRENT}    failOnTriggerError: true", head=head))
    async with world.running():
        upstream = await came(world, "a")
        (execution,) = await started(world, 1)
    state = await world.state("upstream", "after")
    assert execution.firing_key is not None
    again = [Start(upstream.id, "SUCCESS", upstream.state.histories[-1].date, execution.firing_key)]
    memory = msgspec.structs.replace(Memory.of(state), starts=again)
    await world.store.triggers.save(memory.kept_in(state, world.clock.now()))
    async with world.running():
        await started(world, 1)
        assert Memory.of(await world.state("upstream", "after")).starts == []


async def test_flow_trigger_condition_without_an_answer_starts_an_execution_that_fails_when_asked_to(
    world: World,
) -> None:
    """ENG-269."""
    await world.flows.put("main", flow(f"    failOnTriggerError: true\n    conditions: [{UNKNOWN}]"))
    async with world.running(count=2):
        upstream = await came(world, "a")
        (execution,) = await started(world, 1)
    async with world.running():
        await started(world, 1)
    assert execution.trigger is not None
    assert execution.trigger.variables["executionId"] == upstream.id
    assert [one for one in await world.reasons() if one is not None and "nothing" in one]


async def test_schedule_condition_on_a_key_is_asked_when_the_date_comes(world: World) -> None:
    """ENG-272: `kv()` in a condition."""
    world.pairs["on"] = "no"
    await world.flows.put("main", schedules.flow(f"{schedules.CONCURRENT}\n    conditions: [{EXPRESSION}]"))
    async with world.running():
        await world.until(NOON + HOUR)
        assert await world.dates() == []
        world.pairs["on"] = "yes"
        await world.until(NOON + 2 * HOUR)
        await world.have_run(NOON + 2 * HOUR)
    assert await world.trigger_lines() == []


async def test_flow_trigger_condition_on_a_key_is_answered(world: World) -> None:
    """ENG-272, ENG-396: `kv()` in a condition and in a filter on EXPRESSION."""
    world.pairs["on"] = "yes"
    where = """    preconditions:
      id: on
      where:
        - id: on
          filters: [{field: EXPRESSION, type: IS_TRUE, value: "{{ kv('on') == 'yes' and trigger.outputs.rows == 7 }}"}]
"""
    await world.flows.put("main", flow(f"    conditions: [{EXPRESSION}]\n{where}"))
    async with world.running():
        await came(world, "a", StateType.FAILED)
        await started(world, 1)


async def test_flow_trigger_condition_without_an_answer_is_told_once_and_not_of_the_past(world: World) -> None:
    """ENG-269: nothing is told of what was before the trigger, nor again after a restart."""
    await came(world, "before", StateType.PAUSED)
    world.clock.set(NOON + HOUR)
    await world.flows.put("main", flow(f"    failOnTriggerError: true\n    conditions: [{UNKNOWN}]"))
    async with world.running():
        await started(world, 0)
        assert await world.trigger_lines() == []
        await came(world, "a")
        await started(world, 1)
    async with world.running():
        await started(world, 1)
        assert len(await world.trigger_lines()) == 1
