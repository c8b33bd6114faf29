"""What a Flow trigger remembers between executions, served by real schedulers on a real store."""

from __future__ import annotations

import pytest

from penstock.engine.states import StateType
from penstock.services.scheduler.upstream import Memory
from tests.services.scheduler.conftest import World
from tests.services.scheduler.test_listening import BOTH, CONCURRENT, HOUR, MINUTE, NOON, at, came, flow, started

CONDITION = "io.kestra.plugin.core.condition"
MULTIPLE = f"""    allowConcurrent: true
    conditions:
      - type: {CONDITION}.ExecutionStatus
        in: [SUCCESS]
      - id: multiple
        type: {CONDITION}.MultipleCondition
        window: P1D
        windowAdvance: P0D
        conditions:
          flow_a: {{type: {CONDITION}.ExecutionFlow, namespace: company.team, flowId: a}}
          flow_b: {{type: {CONDITION}.ExecutionFlow, namespace: company.team, flowId: b}}
"""


def both(window: str) -> str:
    return flow(CONCURRENT + BOTH.replace("      flows", f"      timeWindow: {{{window}}}\n      flows"))


async def test_flow_trigger_sliding_window_reaches_back_from_each_execution(world: World) -> None:
    """ENG-297: what came longer ago than the window does not count; it does over a restart of the server."""
    await world.flows.put("main", both("type: SLIDING_WINDOW, window: PT1H"))
    async with world.running():
        await came(world, "a")
        await at(world, NOON + HOUR + MINUTE)
        await came(world, "b")
        await started(world, 0)
    await at(world, NOON + 2 * HOUR)
    async with world.running():
        await came(world, "a")
        await started(world, 1)


async def test_flow_trigger_sliding_window_is_a_day_long_unless_it_says_otherwise(world: World) -> None:
    """ENG-297."""
    await world.flows.put("main", both("type: SLIDING_WINDOW"))
    async with world.running():
        await came(world, "a")
        await at(world, NOON + 23 * HOUR)
        await came(world, "b")
        await started(world, 1)


async def test_flow_trigger_daily_window_counts_only_what_comes_within_it(world: World) -> None:
    """ENG-299: in UTC unless an offset is given; over a restart of the server."""
    await world.flows.put("main", both('type: DAILY_TIME_WINDOW, startTime: "12:30:00", endTime: "14:00:00"'))
    async with world.running():
        await came(world, "a")
        await at(world, NOON + 40 * MINUTE)
        await came(world, "b")
        await started(world, 0)
    await at(world, NOON + 50 * MINUTE)
    async with world.running():
        await came(world, "a")
        await started(world, 1)
        await came(world, "a")
        await at(world, NOON + 3 * HOUR)
        await came(world, "b")
        await started(world, 1)


async def test_flow_trigger_deadline_with_an_offset_is_that_of_its_zone(world: World) -> None:
    """ENG-298."""
    await world.flows.put("main", both('type: DAILY_TIME_DEADLINE, deadline: "14:30:00+02:00"'))
    async with world.running():
        await came(world, "a")
        await at(world, NOON + 29 * MINUTE)
        await came(world, "b")
        await started(world, 1)


async def test_flow_trigger_multiple_condition_remembers_over_executions_and_restarts(world: World) -> None:
    """ENG-274, ENG-295, USE-068: only both start the flow, and then both anew."""
    await world.flows.put("main", flow(MULTIPLE))
    async with world.running():
        await came(world, "a")
        await came(world, "b", StateType.FAILED)
        await came(world, "c")
        await started(world, 0)
    await at(world, NOON + MINUTE)
    async with world.running(count=2):
        last = await came(world, "b")
        (execution,) = await started(world, 1)
        await at(world, NOON + 2 * MINUTE)
        await came(world, "a")
        await started(world, 1)
        await came(world, "b")
        await started(world, 2)
    assert execution.trigger is not None
    assert execution.trigger.variables["executionId"] == last.id


async def test_flow_trigger_multiple_condition_forgets_at_the_end_of_its_window(world: World) -> None:
    """ENG-274: windows follow each other from midnight, shifted by `windowAdvance`."""
    await world.flows.put("main", flow(MULTIPLE.replace("P1D", "PT2H").replace("P0D", "PT1H")))
    async with world.running():
        await came(world, "a")
        await at(world, NOON + HOUR)
        await came(world, "b")
        await started(world, 0)
        await at(world, NOON + 2 * HOUR)
        await came(world, "a")
        await started(world, 1)


async def test_flow_trigger_depends_on_waits_for_all_flows(world: World) -> None:
    """BEY-050: a short form of the flows of preconditions."""
    depends = """    dependsOn:
      - {namespace: company.team, flowId: a, states: [SUCCESS]}
      - {namespace: company.team, flowId: b}
"""
    await world.flows.put("main", flow(CONCURRENT + depends))
    async with world.running():
        await came(world, "a", StateType.FAILED)
        await came(world, "b", StateType.FAILED)
        await started(world, 0)
        await came(world, "a")
        await started(world, 1)


async def test_flow_trigger_changed_order_of_flows_keeps_what_was_met(world: World) -> None:
    """BEY-006: what is met is remembered by the flow's name."""
    await world.flows.put("main", flow(CONCURRENT + BOTH))
    async with world.running():
        upstream = await came(world, "a")
        await started(world, 0)
        lines = BOTH.splitlines()
        swapped = "\n".join([*lines[:3], lines[4], lines[3], ""])
        await world.flows.put("main", flow(CONCURRENT + swapped))
        await at(world, NOON + MINUTE)
        memory = Memory.of(await world.state("upstream", "after"))
        assert {need: one.execution for need, one in memory.met.items()} == {"company.team.a": upstream.id}
        await came(world, "b")
        await started(world, 1)


@pytest.mark.parametrize("labels", [{"sla": "miss"}, {"sla": "other"}])
async def test_flow_trigger_listens_for_the_label_of_a_missed_sla(world: World, labels: dict[str, str]) -> None:
    """ENG-250."""
    await world.flows.put("main", flow("    states: [FAILED, WARNING, CANCELLED]\n    labels: {sla: miss}"))
    async with world.running():
        await came(world, "a", StateType.CANCELLED, labels=labels)
        await started(world, int(labels["sla"] == "miss"))


async def test_flow_trigger_follows_a_flow_of_another_namespace(world: World) -> None:
    """ENG-301, ENG-396: any execution of the instance may count; preconditions are optional."""
    source = flow("    states: [SUCCESS]").replace("namespace: company.team", "namespace: company.other", 1)
    await world.flows.put("main", source)
    async with world.running():
        await came(world, "a")
        (execution,) = await started(world, 1)
    assert execution.namespace == "company.other"
