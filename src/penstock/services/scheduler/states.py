"""How a trigger's stored state changes. Pure: each function returns the state after."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from penstock.base.clock import Instant
from penstock.engine.records import Execution
from penstock.ports.switches import Resumed
from penstock.ports.triggers import STOP_AFTER, TriggerState
from penstock.sdk import TriggerBase
from penstock.services.scheduler.backfill import TIMING, Backfill, ordered_by, suspended
from penstock.services.scheduler.calendar import first_date
from penstock.services.scheduler.triggers import ScheduledTrigger

_RUNNING = "running"
_RESUMED = "resumed"
"""Names, in a trigger's memory, when its pause was over, until it has a next date again."""


def running(state: TriggerState) -> Sequence[str]:
    """Return the executions whose end the trigger waits for."""
    others: Sequence[str] = state.memory.get(_RUNNING, ())
    return (state.execution_id, *others) if state.execution_id else others


def adopted(trigger: ScheduledTrigger, known: TriggerState | None, now: Instant) -> TriggerState:
    """Return the state of a trigger as its flow is now.

    A new trigger, one that was disabled, and one whose dates changed begin with the first date from now on.
    """
    tenant, namespace, flow_id, trigger_id = trigger.key
    state = known or TriggerState(tenant, namespace, flow_id, trigger_id)
    timing = trigger.calendar.timing
    backfill = Backfill.active(state)
    is_served = trigger.is_enabled and not state.disabled
    if not is_served:
        state = suspended(state)
        next_date = None
    elif backfill is not None:
        next_date = backfill.current
    elif state.next_date is None or state.memory.get(TIMING) != timing:
        since = state.memory.get(_RESUMED)
        next_date = first_date(trigger.calendar, now if since is None else since - 1)
    else:
        next_date = state.next_date
    after = replace(
        state,
        type=trigger.definition.type_name,
        flow_revision=trigger.flow.revision,
        next_date=next_date,
        execution_id=state.execution_id if trigger.is_exclusive else None,
        memory={**{name: kept for name, kept in state.memory.items() if name != _RESUMED}, TIMING: timing},
    )
    if is_served:
        after = ordered_by(trigger.calendar.past, after, now)
    return after if after == known else replace(after, updated=now)


def resuming(now: Instant) -> Resumed:
    """Return what resumes the triggers of switches that are gone by now: from the end of a pause, if that has come."""
    return lambda state, switch: resumed(state, now if switch.until is None else min(now, switch.until))


def resumed(state: TriggerState, since: Instant) -> TriggerState:
    """Return the state of a schedule whose pause was over at a time: it goes on with the first date from then on.

    So it does even if no scheduler noticed the pause, or its end in time. Of several that have stopped it, the last
    that was over counts.
    """
    if TIMING not in state.memory or state.disabled or Backfill.active(state) is not None:
        return state
    if state.next_date is not None and state.next_date >= since:
        return state
    last = max(since, state.memory.get(_RESUMED, since))
    return replace(state, next_date=None, memory={**state.memory, _RESUMED: last})


def passed(trigger: ScheduledTrigger, state: TriggerState, next_date: Instant | None, now: Instant) -> TriggerState:
    """Return the state after dates were passed over: those of the backfill, or the schedule's own."""
    after = replace(state, next_date=next_date, updated=now)
    if (backfill := Backfill.active(state)) is None:
        return after
    after = backfill.advanced(after, next_date)
    if after.backfill is None and after.next_date is None:
        return replace(after, next_date=first_date(trigger.calendar, now))
    return after


def fired(
    trigger: ScheduledTrigger,
    state: TriggerState,
    date: Instant,
    next_date: Instant | None,
    execution_id: str,
    now: Instant,
) -> TriggerState:
    """Return the state after an execution was started for a date."""
    after = replace(passed(trigger, state, next_date, now), date=date, flow_revision=trigger.flow.revision)
    if trigger.is_exclusive:
        return replace(after, execution_id=execution_id)
    if trigger.definition.stop_after:
        return also_running(after, execution_id)
    return after


def also_running(state: TriggerState, execution_id: str) -> TriggerState:
    """Return the state after one more execution was started that does not lock the trigger."""
    return replace(state, memory={**state.memory, _RUNNING: [*state.memory.get(_RUNNING, ()), execution_id]})


def released(
    definition: TriggerBase, state: TriggerState, execution_id: str, execution: Execution | None, now: Instant
) -> TriggerState:
    """Return the state after the end of an execution: unlocked, and disabled when `stopAfter` says so (ENG-268)."""
    left = [one for one in state.memory.get(_RUNNING, ()) if one != execution_id]
    after = replace(
        state,
        execution_id=None if state.execution_id == execution_id else state.execution_id,
        memory={
            **{name: value for name, value in state.memory.items() if name != _RUNNING},
            **({_RUNNING: left} if left else {}),
        },
        updated=now,
    )
    stop = definition.stop_after or ()
    if execution is not None and execution.state.current.value in stop:
        return suspended(replace(after, disabled=True, disabled_by=STOP_AFTER))
    return after
