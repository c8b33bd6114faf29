from __future__ import annotations

from typing import Any

import pytest

from penstock.base.clock import SECOND
from penstock.base.errors import UnavailableError
from penstock.engine.events import Created
from penstock.engine.records import Execution
from penstock.engine.states import StateType
from penstock.ports.journal import PARTITIONS
from penstock.ports.triggers import Outcome, TriggerState
from penstock.services.scheduler import Recovery, states
from penstock.services.scheduler.triggers import ScheduledTrigger
from tests.services.scheduler.conftest import World
from tests.support.waiting import eventually

NOON = 1_717_243_200 * SECOND
HOUR = 3600 * SECOND
SCHEDULE = "io.kestra.plugin.core.trigger.Schedule"


def flow(trigger: str = "", *, head: str = "", flow_id: str = "timed") -> str:
    """Return a flow with an hourly schedule; `trigger` adds properties to it, `head` to the flow."""
    return f"""
id: {flow_id}
namespace: company.team
{head}
tasks:
  - {{id: log, type: io.kestra.plugin.core.log.Log, message: hello}}
triggers:
  - id: tick
    type: {SCHEDULE}
    cron: "0 * * * *"
{trigger}
"""


CONCURRENT = "    allowConcurrent: true"


async def test_schedule_new_trigger_begins_with_the_first_date_from_now(world: World) -> None:
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        assert (await world.state()).next_date == NOON + HOUR
        assert await world.dates() == []


async def test_schedule_date_comes_starts_an_execution_with_its_variables(world: World) -> None:
    """ENG-280, EXP-028, USE-B051: the scheduled date, not the moment it was served."""
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        await world.until(NOON + HOUR + 3 * SECOND)
        (execution,) = await world.executions()
    assert execution.schedule_date == NOON + HOUR
    assert execution.trigger is not None
    assert dict(execution.trigger.variables) == {
        "date": "2024-06-01T13:00:00Z",
        "next": "2024-06-01T14:00:00Z",
        "previous": "2024-06-01T12:00:00Z",
    }
    assert (execution.trigger.id, execution.trigger.type) == ("tick", SCHEDULE)
    messages = await world.store.journal.messages(range(PARTITIONS), 0, 10)
    assert [(message.execution_id, message.event) for message in messages] == [(execution.id, Created())]


async def test_schedule_dates_in_a_zone_carry_its_offset(world: World) -> None:
    await world.flows.put("main", flow(f"{CONCURRENT}\n    timezone: America/New_York"))
    async with world.running():
        await world.until(NOON + HOUR)
        (execution,) = await world.executions()
    assert execution.trigger is not None
    assert execution.trigger.variables["date"] == "2024-06-01T09:00:00-04:00"


async def test_schedule_that_breaks_the_scheduler_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENG-269."""
    fire = world.store.triggers.fire

    async def broken(
        seen: TriggerState, after: TriggerState, execution: Execution | None, *more: Any, **how: Any
    ) -> Outcome:
        if execution is not None and execution.flow_id == "broken":
            raise ValueError("a fault")
        return await fire(seen, after, execution, *more, **how)

    monkeypatch.setattr(world.store.triggers, "fire", broken)
    await world.flows.put("main", flow(CONCURRENT, flow_id="broken"))
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        await world.until(NOON + HOUR)
        await world.have_run(NOON + HOUR)
        assert (await world.state(flow="broken")).next_date == NOON + HOUR
        monkeypatch.undo()
        await world.until(NOON + HOUR + 301 * SECOND)
        await world.have_run(NOON + HOUR, NOON + HOUR)


async def test_evaluation_whose_job_is_lost_is_offered_anew(world: World) -> None:
    """BEY-001: nobody would ever do it."""
    source = flow().replace("core.trigger.Schedule", "core.http.Trigger").replace('cron: "0 * * * *"', "uri: http://x")
    await world.flows.put("main", source)
    async with world.running():
        before = await world.comes_to(lambda state: state.evaluation is not None)
        assert before.evaluation is not None
        await world.until(NOON + 301 * SECOND)
        assert (await world.state()).evaluation == before.evaluation
        await world.store.evaluations.end(before.evaluation)
        await world.until(NOON + 602 * SECOND)
        await world.comes_to(lambda state: state.evaluation not in (None, before.evaluation))


async def test_schedule_that_cannot_be_taken_over_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENG-269."""
    adopted = states.adopted

    def broken(trigger: ScheduledTrigger, *known: Any) -> TriggerState:
        if trigger.flow.id == "broken":
            raise ValueError("a fault")
        return adopted(trigger, *known)

    monkeypatch.setattr(states, "adopted", broken)
    await world.flows.put("main", flow(CONCURRENT, flow_id="broken"))
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        await world.until(NOON + HOUR)
        await world.have_run(NOON + HOUR)
        monkeypatch.undo()
        await world.until(NOON + HOUR + 301 * SECOND)
        assert (await world.state(flow="broken")).next_date == NOON + 2 * HOUR


async def test_schedule_end_that_cannot_be_read_at_first_frees_the_trigger_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENG-268."""
    head, asked = world.store.queries.head, list[str]()

    async def away(tenant: str, execution_id: str) -> Execution | None:
        asked.append(execution_id)
        if len(asked) == 1:
            raise UnavailableError("the database does not answer")
        return await head(tenant, execution_id)

    monkeypatch.setattr(world.store.queries, "head", away)
    await world.flows.put("main", flow())
    async with world.running():
        await world.until(NOON + HOUR)
        (execution,) = await world.executions()
        await eventually(lambda: asked)
        await world.end(execution)
        assert (await world.state()).execution_id is None


async def test_schedule_flow_saved_while_running_is_scheduled(world: World) -> None:
    async with world.running():
        await world.flows.put("main", flow(CONCURRENT))
        await world.until(NOON + 1)
        await world.until(NOON + HOUR)
        await world.have_run(NOON + HOUR)


async def test_schedule_changed_cron_counts_anew_and_removed_trigger_stops(world: World) -> None:
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        await world.flows.put("main", flow(CONCURRENT).replace("0 * * * *", "30 * * * *"))
        await world.until(NOON + 1)
        assert (await world.state()).next_date == NOON + HOUR // 2
        await world.flows.put("main", flow().split("triggers:")[0])
        await world.until(NOON + 2 * HOUR)
        assert await world.dates() == []
        assert await world.store.triggers.get("main", "company.team", "timed", "tick") is None


async def test_schedule_deleted_flow_leaves_nothing(world: World) -> None:
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        await world.flows.delete("main", "company.team", "timed")
        await world.until(NOON + 2 * HOUR)
        assert await world.dates() == []
    assert await world.store.triggers.all() == []


async def test_schedule_previous_execution_runs_next_date_waits_for_its_end(world: World) -> None:
    """ENG-261, ENG-281, ENG-391: never two at a time; with ALL each missed date runs in its turn."""
    await world.flows.put("main", flow())
    async with world.running():
        await world.until(NOON + HOUR)
        await world.until(NOON + 3 * HOUR + SECOND)
        await world.have_run(NOON + HOUR)
        assert (await world.state()).execution_id is not None
        await world.end((await world.executions())[0])
        await world.have_run(NOON + HOUR, NOON + 2 * HOUR)
        await world.end((await world.executions())[1])
        await world.have_run(NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR)


async def test_schedule_previous_execution_ran_over_dates_with_none_skips_them(world: World) -> None:
    """ENG-261, ENG-391."""
    await world.flows.put("main", flow("    recoverMissedSchedules: NONE"))
    async with world.running():
        await world.until(NOON + HOUR)
        await world.until(NOON + 3 * HOUR + SECOND)
        await world.end((await world.executions())[0])
        await world.until(NOON + 3 * HOUR + SECOND)
        await world.have_run(NOON + HOUR)
        assert (await world.state()).next_date == NOON + 4 * HOUR
        await world.until(NOON + 4 * HOUR)
        await world.have_run(NOON + HOUR, NOON + 4 * HOUR)


async def test_schedule_execution_ended_while_no_scheduler_ran_is_noticed(world: World) -> None:
    await world.flows.put("main", flow())
    async with world.running():
        await world.until(NOON + HOUR)
    await world.end((await world.executions())[0])
    async with world.running():
        await world.until(NOON + 2 * HOUR)
        await world.have_run(NOON + HOUR, NOON + 2 * HOUR)


async def test_schedule_dates_missed_while_down_are_recovered_as_configured(world: World) -> None:
    """ENG-282: the trigger's own property wins over the configuration of its type."""
    await world.flows.put("main", flow(CONCURRENT, flow_id="timed"))
    await world.flows.put("main", flow(f"{CONCURRENT}\n    recoverMissedSchedules: ALL", flow_id="own"))
    async with world.running():
        pass
    world.clock.set(NOON + 3 * HOUR + SECOND)
    async with world.running(recovery={SCHEDULE: Recovery.LAST}):
        executions = await world.executions()
    fired = sorted((execution.flow_id, execution.schedule_date) for execution in executions)
    assert fired == [
        ("own", NOON + HOUR),
        ("own", NOON + 2 * HOUR),
        ("own", NOON + 3 * HOUR),
        ("timed", NOON + 3 * HOUR),
    ]


async def test_schedule_several_schedulers_fire_each_date_once(world: World) -> None:
    """OPS-134."""
    for number in range(10):
        await world.flows.put("main", flow(CONCURRENT, flow_id=f"timed{number}"))
    async with world.running(count=3):
        for hour in range(1, 4):
            await world.until(NOON + hour * HOUR)
            await world.have_run(*(NOON + past * HOUR for past in range(1, hour + 1) for _ in range(10)))
        executions = await world.executions()
    assert len(executions) == 30
    assert len({(execution.flow_id, execution.schedule_date) for execution in executions}) == 30


async def test_schedule_stop_after_state_reached_disables_the_trigger(world: World) -> None:
    """ENG-268."""
    await world.flows.put("main", flow("    stopAfter: [FAILED]"))
    async with world.running():
        await world.until(NOON + HOUR)
        await world.end((await world.executions())[0], StateType.SUCCESS)
        await world.until(NOON + 2 * HOUR)
        await world.end((await world.executions())[1], StateType.FAILED)
        state = await world.state()
        assert state.disabled
        assert state.next_date is None
        await world.until(NOON + 4 * HOUR)
        assert len(await world.dates()) == 2


async def test_schedule_stop_after_with_concurrent_executions_disables_the_trigger(world: World) -> None:
    """ENG-268: also when no execution locks the trigger."""
    await world.flows.put("main", flow(f"{CONCURRENT}\n    stopAfter: [FAILED]"))
    async with world.running():
        await world.until(NOON + HOUR)
        await world.until(NOON + 2 * HOUR)
        assert len(await world.dates()) == 2
        await world.end((await world.executions())[0], StateType.FAILED)
        assert (await world.state()).disabled


async def test_schedule_disabled_flow_or_trigger_does_not_fire(world: World) -> None:
    """ENG-037, ENG-040, ENG-265."""
    await world.flows.put("main", flow(CONCURRENT, head="disabled: true", flow_id="off"))
    await world.flows.put("main", flow(f"{CONCURRENT}\n    disabled: true"))
    async with world.running():
        await world.until(NOON + 2 * HOUR)
        assert await world.dates() == []
        await world.flows.put("main", flow(CONCURRENT))
        await world.until(NOON + 2 * HOUR + 1)
        await world.until(NOON + 3 * HOUR)
        await world.have_run(NOON + 3 * HOUR)


async def test_schedule_trigger_disabled_by_hand_stops_and_goes_on_from_then(world: World) -> None:
    """ENG-265."""
    import msgspec

    await world.flows.put("main", flow(CONCURRENT))
    async with world.running():
        disabled = msgspec.structs.replace(await world.state(), disabled=True)
        await world.store.triggers.save(disabled)
        await world.store.notifier.publish("triggers", ["main/company.team/timed/tick"])
        await world.until(NOON + 2 * HOUR + 1)
        assert await world.dates() == []
        await world.store.triggers.save(msgspec.structs.replace(await world.state(), disabled=False))
        await world.store.notifier.publish("triggers", ["main/company.team/timed/tick"])
        await world.until(NOON + 2 * HOUR + 2)
        await world.until(NOON + 3 * HOUR)
        await world.have_run(NOON + 3 * HOUR)


async def test_schedule_inputs_are_rendered_with_the_trigger(world: World) -> None:
    """ENG-271."""
    head = "inputs:\n  - {id: day, type: STRING}"
    await world.flows.put("main", flow(f"{CONCURRENT}\n    inputs: {{day: '{{{{ trigger.date }}}}!'}}", head=head))
    async with world.running():
        await world.until(NOON + HOUR)
        (execution,) = await world.executions()
    assert execution.inputs == {"day": "2024-06-01T13:00:00Z!"}


async def test_schedule_required_input_missing_is_logged_and_nothing_starts(world: World) -> None:
    """ENG-171, ENG-269."""
    await world.flows.put("main", flow(CONCURRENT, head="inputs:\n  - {id: day, type: STRING}"))
    async with world.running() as scheduler:
        await world.until(NOON + HOUR)
        await world.until(NOON + 2 * HOUR)
        assert await world.dates() == []
        assert scheduler.failures["main", "company.team", "timed", "tick"] == 2
    lines = await world.trigger_lines()
    assert len(lines) == 2
    assert (lines[0].level, lines[0].trigger_id) == ("ERROR", "tick")
    assert "`day`" in lines[0].message


async def test_schedule_fail_on_trigger_error_makes_a_failed_execution(world: World) -> None:
    """ENG-269."""
    trigger = f"{CONCURRENT}\n    failOnTriggerError: true"
    await world.flows.put("main", flow(trigger, head="inputs:\n  - {id: day, type: STRING}"))
    async with world.running():
        await world.until(NOON + HOUR)
        (execution,) = await world.executions()
    (message,) = await world.store.journal.messages(range(PARTITIONS), 0, 10)
    assert message.execution_id == execution.id
    assert isinstance(message.event, Created)
    assert "trigger tick failed" in (message.event.reject or "")


async def test_schedule_broken_flow_leaves_the_others_running(world: World) -> None:
    await world.flows.put("main", flow(CONCURRENT))
    saved = await world.flows.put("main", flow(CONCURRENT, flow_id="broken"))
    import dataclasses

    broken = dataclasses.replace(saved, source=saved.source.replace("log.Log", "log.Gone"))
    await world.store.flows.save(broken, None)
    async with world.running():
        await world.until(NOON + HOUR)
        await world.have_run(NOON + HOUR)
        assert [execution.flow_id for execution in await world.executions()] == ["timed"]


async def test_schedule_upcoming_names_the_next_dates(world: World) -> None:
    """OPS-138."""
    await world.flows.put("main", flow(CONCURRENT))
    async with world.running() as scheduler:
        assert scheduler.upcoming() == [(("main", "company.team", "timed", "tick"), NOON + HOUR)]


ON_DATES = """
id: timed
namespace: company.team
tasks:
  - {id: log, type: io.kestra.plugin.core.log.Log, message: hello}
triggers:
  - id: tick
    type: io.kestra.plugin.core.trigger.ScheduleOnDates
    timezone: Europe/Paris
    allowConcurrent: true
    dates: ["2024-06-01T16:00:00", "2024-06-01T11:00:00Z", "2024-06-01T13:00:00Z"]
"""


async def test_schedule_on_dates_starts_at_each_that_is_to_come_and_then_never(world: World) -> None:
    """ENG-277, ENG-280: dates without an offset are those of the zone."""
    await world.flows.put("main", ON_DATES)
    async with world.running():
        await world.until(NOON + HOUR)
        await world.have_run(NOON + HOUR)
        (first,) = await world.executions()
        await world.until(NOON + 2 * HOUR)
        await world.have_run(NOON + HOUR, NOON + 2 * HOUR)
        assert (await world.state()).next_date is None
        await world.until(NOON + 1000 * HOUR)
        assert len(await world.dates()) == 2
    assert first.trigger is not None
    assert dict(first.trigger.variables) == {
        "date": "2024-06-01T15:00:00+02:00",
        "next": "2024-06-01T16:00:00+02:00",
        "previous": "2024-06-01T13:00:00+02:00",
    }


@pytest.mark.parametrize(
    ("recovery", "dates"),
    [("ALL", [NOON + HOUR, NOON + 2 * HOUR]), ("LAST", [NOON + 2 * HOUR]), ("NONE", [])],
)
async def test_schedule_on_dates_missed_run_late_as_the_trigger_says(
    world: World, recovery: str, dates: list[int]
) -> None:
    """ENG-282."""
    source = ON_DATES.replace("    dates", f"    recoverMissedSchedules: {recovery}\n    dates")
    await world.flows.put("main", source)
    async with world.running():
        assert (await world.state()).next_date == NOON + HOUR
    world.clock.set(NOON + 3 * HOUR)
    async with world.running():
        await world.until(NOON + 3 * HOUR + 1)
        await world.have_run(*dates)


async def test_schedule_of_a_flow_that_runs_once_for_a_key_passes_dates_of_a_known_key_over(world: World) -> None:
    """BEY-044: `idempotency` of a flow; its window counts from the first execution of the key."""
    head = "idempotency: {key: \"{{ trigger.date | date('yyyy-MM-dd') }}\", window: PT3H}"
    await world.flows.put("main", flow(CONCURRENT, head=head))
    async with world.running():
        for hours in range(1, 6):
            await world.until(NOON + hours * HOUR)
        assert await world.dates() == [NOON + HOUR, NOON + 5 * HOUR]
        assert (await world.state()).next_date == NOON + 6 * HOUR
