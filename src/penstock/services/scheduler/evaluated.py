"""Triggers that workers evaluate, and how their stored state changes. Pure: each function returns the state after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from penstock.base.clock import SECOND, Instant
from penstock.engine.decision import Job
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution
from penstock.expressions import ExpressionError, compile_template
from penstock.ports.triggers import TriggerState
from penstock.sdk import PollingTrigger, RealtimeTrigger, TriggerBase
from penstock.services.scheduler import states
from penstock.services.scheduler.agenda import TriggerKey

_LONGEST_PAUSE = 60
"""Seconds after which a listener that keeps failing is opened again."""


@dataclass(frozen=True, slots=True)
class EvaluatedTrigger:
    """A trigger that looks for events itself, in its flow."""

    flow: ResolvedFlow
    definition: PollingTrigger | RealtimeTrigger

    @property
    def key(self) -> TriggerKey:
        """(tenant, namespace, flow, trigger)."""
        return (self.flow.tenant, self.flow.namespace, self.flow.id, self.definition.id)

    @property
    def is_enabled(self) -> bool:
        """Whether flow and trigger are enabled in the flow's source."""
        return not (self.flow.disabled or self.definition.disabled)

    @property
    def is_exclusive(self) -> bool:
        """Whether the next look waits for the end of the last execution; never for a listener (ENG-261, ENG-401)."""
        return isinstance(self.definition, PollingTrigger) and not self.definition.allow_concurrent

    @property
    def early_conditions(self) -> list[dict[str, Any]]:
        """The conditions to ask before a look: what is found by it is taken from its source, so it must be wanted."""
        if isinstance(self.definition, RealtimeTrigger):
            return []
        return [one for one in self.definition.conditions or () if not _reads_event(one)]

    @property
    def late_conditions(self) -> list[dict[str, Any]]:
        """The conditions to ask of an event."""
        early = self.early_conditions
        return [one for one in self.definition.conditions or () if one not in early]


def evaluated_triggers(flow: ResolvedFlow, triggers: Iterable[TriggerBase]) -> Iterator[EvaluatedTrigger]:
    """Yield those of a flow's triggers that workers evaluate."""
    for definition in triggers:
        if isinstance(definition, PollingTrigger | RealtimeTrigger):
            yield EvaluatedTrigger(flow, definition)


# -- states


def adopted(trigger: EvaluatedTrigger, known: TriggerState | None, now: Instant) -> TriggerState:
    """Return the state of a trigger as its flow is now; what was evaluated for another revision is not wanted any more.

    The first look comes at once.
    """
    tenant, namespace, flow_id, trigger_id = trigger.key
    state = known or TriggerState(tenant, namespace, flow_id, trigger_id)
    if state.disabled or not trigger.is_enabled:
        state = replace(idle(state), next_date=None)
    else:
        if state.flow_revision != trigger.flow.revision and state.evaluation is not None:
            state = replace(idle(state), next_date=now)
        if state.next_date is None and state.evaluation is None:
            state = replace(state, next_date=now)
    after = replace(
        state,
        type=trigger.definition.type_name,
        flow_revision=trigger.flow.revision,
        execution_id=state.execution_id if trigger.is_exclusive else None,
    )
    return after if after == known else replace(after, updated=now)


def idle(state: TriggerState) -> TriggerState:
    """Return the state without an evaluation under way."""
    return replace(state, evaluation=None, evaluating_since=None)


def offered(trigger: EvaluatedTrigger, state: TriggerState, job: Job, now: Instant) -> TriggerState:
    """Return the state after an evaluation was given to workers. Its next date is the one expected, until it ends."""
    due = now + trigger.definition.pause if isinstance(trigger.definition, PollingTrigger) else None
    return replace(state, evaluation=job.task_run_id, evaluating_since=now, next_date=due, updated=now)


def looked(trigger: EvaluatedTrigger, state: TriggerState, now: Instant) -> TriggerState:
    """Return the state after a look that went well."""
    pause = trigger.definition.pause if isinstance(trigger.definition, PollingTrigger) else 0
    return replace(idle(state), date=now, next_date=now + pause, failures=0, error=None, updated=now)


def failed(trigger: EvaluatedTrigger, state: TriggerState, message: str, now: Instant) -> TriggerState:
    """Return the state after an evaluation that failed (BEY-005)."""
    failures = state.failures + 1
    if isinstance(trigger.definition, PollingTrigger):
        pause = trigger.definition.pause
    else:
        pause = min(2 ** min(failures, 10), _LONGEST_PAUSE) * SECOND
    return replace(idle(state), date=now, next_date=now + pause, failures=failures, error=message, updated=now)


def started(trigger: EvaluatedTrigger, state: TriggerState, execution: Execution) -> TriggerState:
    """Return the state after an event started an execution."""
    if trigger.is_exclusive:
        return replace(state, execution_id=execution.id)
    if trigger.definition.stop_after:
        return states.also_running(state, execution.id)
    return state


def _reads_event(value: Any) -> bool:
    """Return whether a template in a condition reads more of `trigger` than its date."""
    if isinstance(value, str):
        try:
            references = compile_template(value).references if "{" in value else ()
        except ExpressionError:
            return True
        return any(path[0] in ("*", "trigger") and path[1:2] != ("date",) for path in references)
    if isinstance(value, Mapping):
        return any(_reads_event(one) for one in value.values())
    return isinstance(value, list) and any(_reads_event(one) for one in value)
