"""Flow triggers, served by real schedulers on a real store; upstream executions are made and ended by hand."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from penstock.base.clock import SECOND, Instant
from penstock.base.ids import new_id
from penstock.engine.records import Execution
from penstock.engine.states import State, StateType
from penstock.ports.journal import PARTITIONS, Batch
from tests.services.scheduler.conftest import TENANT, World
from tests.support.waiting import PATIENCE

NOON = 1_717_243_200 * SECOND
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
S = StateType
FLOW = """
id: {flow_id}
namespace: company.team
{head}
tasks:
  - {{id: log, type: io.kestra.plugin.core.log.Log, message: hello}}
triggers:
  - id: upstream
    type: io.kestra.plugin.core.trigger.Flow
{trigger}
"""
CONCURRENT = "    allowConcurrent: true\n"
BOTH = """    preconditions:
      id: both
      flows:
        - {namespace: company.team, flowId: a, states: [SUCCESS]}
        - {namespace: company.team, flowId: b, states: [SUCCESS]}
"""


def flow(trigger: str = "", *, head: str = "", flow_id: str = "after") -> str:
    return FLOW.format(trigger=trigger, head=head, flow_id=flow_id)


async def came(
    world: World, flow_id: str, *states: StateType, labels: dict[str, str] | None = None, tell: bool = True
) -> Execution:
    """Have an execution of a flow come to one state after the other, now."""
    now = world.clock.now()
    state = State.at(S.CREATED, now).to(S.RUNNING, now)
    for one in states or (S.SUCCESS,):
        state = state.to(one, now)
        now += 1
    execution_id = new_id()
    execution = Execution(
        execution_id, TENANT, "company.team", flow_id, 3, now, execution_id, now,
        labels=tuple((labels or {}).items()), outputs={"rows": 7},
    )  # fmt: skip
    leases = await world.store.journal.lease("test", PARTITIONS, 10**12, now)
    await world.dispatcher.create(execution)
    ended = msgspec.structs.replace(execution, state=state, version=1)
    fences = {lease.partition: lease.token for lease in leases}
    await world.store.journal.commit(Batch(executions={ended.id: ended}, fences=fences))
    if tell:
        await world.store.notifier.publish("execution", [ended.id])
    return ended


async def started(world: World, count: int, flow_id: str = "after") -> list[Execution]:
    """Return the executions of the listening flow once there are so many, and no more."""
    async with asyncio.timeout(PATIENCE):
        while len(found := [one for one in await world.executions() if one.flow_id == flow_id]) < count:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.05)
    await world.settled()
    found = [one for one in await world.executions() if one.flow_id == flow_id]
    assert len(found) == count
    return sorted(found, key=lambda one: one.id)


async def at(world: World, instant: Instant) -> None:
    """Move the clock when all that has come so far has been looked at."""
    await world.settled()
    world.clock.set(instant)


async def test_flow_trigger_other_execution_ends_starts_the_flow_with_its_facts(world: World) -> None:
    """ENG-290, ENG-291, ENG-300, EXP-029, PLG-034; the chain keeps its correlation."""
    head = "inputs:\n  - {id: rows, type: INT}"
    await world.flows.put("main", flow("    inputs: {rows: '{{ trigger.outputs.rows }}'}", head=head))
    async with world.running():
        upstream = await came(world, "a", labels={"system.correlationId": "chain"})
        (execution,) = await started(world, 1)
    assert execution.trigger is not None
    assert dict(execution.trigger.variables) == {
        "executionId": upstream.id,
        "namespace": "company.team",
        "flowId": "a",
        "flowRevision": 3,
        "state": "SUCCESS",
        "outputs": {"rows": 7},
    }
    assert execution.inputs == {"rows": 7}
    assert ("system.correlationId", "chain") in execution.labels


async def test_flow_trigger_reacts_to_ends_and_pauses_but_not_to_its_own_flow(world: World) -> None:
    """ENG-411."""
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        await came(world, "after")
        await came(world, "a", S.RUNNING)
        await came(world, "a", S.FAILED)
        await came(world, "a", S.PAUSED)
        found = [one for one in await started(world, 3) if one.trigger is not None]
    states = sorted(one.trigger.variables["state"] for one in found if one.trigger is not None)
    assert states == ["FAILED", "PAUSED"]


async def test_flow_trigger_states_labels_and_where_must_all_hold(world: World) -> None:
    """ENG-293, ENG-412."""
    trigger = f"""{CONCURRENT}    states: [FAILED]
    labels: {{team: data}}
    preconditions:
      id: some
      where:
        - id: names
          filters:
            - {{field: FLOW_ID, type: STARTS_WITH, value: load}}
            - {{field: NAMESPACE, type: IN, values: [company.team, other]}}
            - {{field: EXPRESSION, type: IS_TRUE, value: "{{{{ outputs.rows > 5 }}}}"}}
"""
    await world.flows.put("main", flow(trigger))
    async with world.running():
        await came(world, "load_a", S.SUCCESS, labels={"team": "data"})
        await came(world, "load_b", S.FAILED)
        await came(world, "other", S.FAILED, labels={"team": "data"})
        wanted = await came(world, "load_c", S.FAILED, labels={"team": "data"})
        (execution,) = await started(world, 1)
    assert execution.trigger is not None
    assert execution.trigger.variables["executionId"] == wanted.id


async def test_flow_trigger_conditions_must_hold_of_the_execution(world: World) -> None:
    """ENG-272."""
    condition = "{type: io.kestra.plugin.core.condition.ExecutionFlow, namespace: company.team, flowId: b}"
    await world.flows.put("main", flow(f"{CONCURRENT}    conditions: [{condition}]"))
    async with world.running():
        await came(world, "a")
        wanted = await came(world, "b")
        (execution,) = await started(world, 1)
    assert execution.trigger is not None
    assert execution.trigger.variables["executionId"] == wanted.id


async def test_flow_trigger_restarted_reacts_to_a_resume(world: World) -> None:
    """ENG-417."""
    await world.flows.put("main", flow(f"{CONCURRENT}    states: [RESTARTED]"))
    async with world.running():
        await came(world, "a", S.PAUSED, S.RUNNING)
        await started(world, 1)


async def test_flow_trigger_several_flows_start_it_once_all_have_come_and_then_anew(world: World) -> None:
    """ENG-292, ENG-295."""
    await world.flows.put("main", flow(CONCURRENT + BOTH))
    async with world.running(count=2):
        await came(world, "a")
        await started(world, 0)
        last = await came(world, "b")
        (execution,) = await started(world, 1)
        await at(world, NOON + MINUTE)
        await came(world, "b")
        await started(world, 1)
        await came(world, "a")
        await started(world, 2)
    assert execution.trigger is not None
    assert execution.trigger.variables["executionId"] == last.id


async def test_flow_trigger_what_came_in_another_window_does_not_count(world: World) -> None:
    """ENG-296."""
    window = "      timeWindow: {type: DURATION_WINDOW, window: PT1H}\n"
    await world.flows.put("main", flow(CONCURRENT + BOTH.replace("      flows", window + "      flows")))
    async with world.running():
        await came(world, "a")
        await started(world, 0)
        await at(world, NOON + HOUR)
        await came(world, "b")
        await started(world, 0)
        await came(world, "a")
        await started(world, 1)


async def test_flow_trigger_after_the_deadline_does_not_start(world: World) -> None:
    """ENG-298."""
    window = '      timeWindow: {type: DAILY_TIME_DEADLINE, deadline: "12:30:00.00Z"}\n'
    await world.flows.put("main", flow(CONCURRENT + BOTH.replace("      flows", window + "      flows")))
    async with world.running():
        await came(world, "a")
        await at(world, NOON + 31 * MINUTE)
        await came(world, "b")
        await started(world, 0)


@pytest.mark.parametrize("trigger", [CONCURRENT, CONCURRENT + BOTH], ids=["one", "both"])
async def test_flow_trigger_misses_nothing_over_a_restart_and_starts_nothing_twice(world: World, trigger: str) -> None:
    """BEY-006: what ended while no scheduler ran counts; what was looked at before does not count again."""
    is_single = trigger == CONCURRENT
    await world.flows.put("main", flow(trigger))
    async with world.running():
        await came(world, "a")
        await started(world, int(is_single))
    await at(world, NOON + MINUTE)
    await came(world, "b", tell=False)
    async with world.running(count=2):
        await started(world, 2 if is_single else 1)
    async with world.running():
        await started(world, 2 if is_single else 1)


async def test_flow_trigger_locked_keeps_what_arrives_until_the_running_execution_ends(world: World) -> None:
    """ENG-261, ENG-391."""
    await world.flows.put("main", flow("    states: [FAILED]"))
    async with world.running():
        first = await came(world, "a", S.FAILED)
        (execution,) = await started(world, 1)
        second = await came(world, "b", S.FAILED)
        await started(world, 1)
        await world.end(execution)
        found = await started(world, 2)
    upstream = {one.trigger.variables["executionId"] for one in found if one.trigger is not None}
    assert upstream == {first.id, second.id}


async def test_flow_trigger_input_that_cannot_be_made_is_logged(world: World) -> None:
    """ENG-269."""
    await world.flows.put("main", flow(head="inputs:\n  - {id: day, type: STRING}"))
    async with world.running():
        await came(world, "a")
        await started(world, 0)
        (line,) = await world.trigger_lines()
    assert "`day`" in line.message


async def test_flow_trigger_stop_after_state_reached_disables_it(world: World) -> None:
    """ENG-268."""
    await world.flows.put("main", flow("    states: [FAILED]\n    stopAfter: [SUCCESS]"))
    async with world.running():
        await came(world, "a", S.FAILED)
        (execution,) = await started(world, 1)
        await world.end(execution)
        await came(world, "b", S.FAILED)
        await started(world, 1)
        assert (await world.state("upstream", "after")).disabled


async def test_flow_that_runs_once_for_a_key_is_started_by_one_of_the_executions_that_give_it(world: World) -> None:
    """BEY-044."""
    head = 'idempotency: {key: "{{ trigger.flowId }}"}'
    await world.flows.put("main", flow(CONCURRENT, head=head))
    async with world.running():
        for flow_id in ("one", "one", "two"):
            await came(world, flow_id)
            await world.until(world.clock.now() + MINUTE)
        found = await started(world, 2)
    assert sorted(one.trigger.variables["flowId"] for one in found if one.trigger) == ["one", "two"]
