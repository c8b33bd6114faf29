"""The triggers of a flow that have dates, as the scheduler needs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from penstock.base.clock import Instant, to_datetime
from penstock.engine.flow import ResolvedFlow
from penstock.ports.switches import Switch
from penstock.sdk import TriggerBase
from penstock.services.scheduler.agenda import TriggerKey
from penstock.services.scheduler.calendar import Calendar, Recovery
from penstock.services.scheduler.conditions import ConditionedCalendar, Conditions


@dataclass(frozen=True, slots=True)
class ScheduledTrigger:
    """A trigger with dates, in its flow."""

    flow: ResolvedFlow
    definition: TriggerBase
    calendar: Calendar
    recovery: Recovery
    conditions: Conditions

    @property
    def key(self) -> TriggerKey:
        """(tenant, namespace, flow, trigger)."""
        return (self.flow.tenant, self.flow.namespace, self.flow.id, self.definition.id)

    @property
    def said(self) -> Sequence[Switch]:
        """What people say of it and of its flow, as far as it is known; the flow's first."""
        about = ("", self.definition.id)
        return [one for one in self.flow.said if isinstance(one, Switch) and one.trigger_id in about]

    @property
    def is_enabled(self) -> bool:
        """Whether flow and trigger are enabled, as far as it is known."""
        return not (self.flow.disabled or self.definition.disabled)

    async def applies_to(self, date: Instant) -> bool:
        """Return whether the trigger's conditions hold of a date; raises PenstockError when they have no answer."""
        if not self.definition.conditions:
            return True
        moment = to_datetime(date)
        following = self.calendar.next_after(moment)
        local = moment.astimezone(following.tzinfo if following is not None else None)
        hold_at = partial(self.conditions.hold_at, self.flow, self.definition, local)
        return await self.conditions.ask(self.flow, hold_at)

    @property
    def is_exclusive(self) -> bool:
        """Whether the next execution waits for the end of the last one (ENG-261, ENG-281)."""
        return not self.definition.allow_concurrent


def scheduled_triggers(
    flow: ResolvedFlow, triggers: Iterable[TriggerBase], configured: Mapping[str, Recovery], conditions: Conditions
) -> Iterator[ScheduledTrigger]:
    """Yield those of a flow's triggers that have dates.

    Args:
        flow: The flow.
        triggers: Its triggers.
        configured: What becomes of missed dates where the trigger does not say, by type (OPS-071).
        conditions: Asks the triggers' conditions.
    """
    for definition in triggers:
        if isinstance(definition, Calendar):
            own = getattr(definition, "recover_missed_schedules", None)
            recovery = Recovery(own) if own else configured.get(definition.type_name, Recovery.ALL)
            if definition.conditions:
                holds = partial(conditions.hold_at, flow, definition)
                calendar = ConditionedCalendar(definition, holds, definition.conditions)
                yield ScheduledTrigger(flow, definition, calendar, recovery, conditions)
            else:
                yield ScheduledTrigger(flow, definition, definition, recovery, conditions)
