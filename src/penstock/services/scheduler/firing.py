"""From a date of a trigger to the execution it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any, Protocol

import msgspec

from penstock.base.clock import Instant, to_datetime
from penstock.engine.context import flow_variables
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution, TriggerOrigin
from penstock.expressions import Resolver, render_nested
from penstock.ports.triggers import TriggerState
from penstock.sdk import TriggerBase
from penstock.services.executions import Launch
from penstock.services.rendering import Answer, with_answers
from penstock.services.scheduler.backfill import Backfill, backfill_id
from penstock.services.scheduler.conditions import zoned
from penstock.services.scheduler.triggers import ScheduledTrigger


class Preparation(Protocol):
    """Makes the record of an execution without starting it (`ExecutionService`)."""

    def bare(self, flow: ResolvedFlow, launch: Launch) -> Execution:
        """Return the execution in state CREATED, before its inputs are read."""
        ...

    async def prepared(self, launch: Launch) -> tuple[Execution, str | None]:
        """Return the execution in state CREATED, and why it is to fail at once; raises InvalidInputs."""
        ...

    async def keyed(self, flow: ResolvedFlow, execution: Execution) -> tuple[Execution, Execution | None]:
        """Return the execution with the key of its flow's rule, and the one that has the key already."""
        ...


def firing_key(state: TriggerState, date: Instant) -> str:
    """Return the key under which a date of a trigger makes one execution, however many schedulers there are.

    A backfill runs dates again, each once.
    """
    dates = () if Backfill.active(state) is None else (backfill_id(state),)
    return "/".join((*state.key, *dates, str(date)))


def date_variables(trigger: ScheduledTrigger, date: Instant) -> dict[str, Any]:
    """Return `trigger` of the expression context (ENG-280, EXP-028): `date`, `next` and `previous` in the zone."""
    moment = to_datetime(date)
    following = trigger.calendar.next_after(moment)
    before = trigger.calendar.last_before(moment)
    zone = (following or before or moment).tzinfo or UTC
    dates = {"date": zoned(moment.astimezone(zone)), "next": zoned(following), "previous": zoned(before)}
    return {name: text for name, text in dates.items() if text is not None}


class Firing:
    """Makes the execution of a date. Implements ENG-192, ENG-271, ENG-280, ENG-409.

    What comes with an execution is why it is to fail at once: the message of a check of its flow.

    Args:
        preparation: Makes the record.
        answer: Answers functions that expressions in inputs call.
        shared: Variables the instance adds to every expression.
    """

    def __init__(self, preparation: Preparation, answer: Answer, shared: Mapping[str, Any]) -> None:
        self._preparation = preparation
        self._answer = answer
        self._shared = shared

    async def execution(
        self, trigger: ScheduledTrigger, date: Instant, state: TriggerState
    ) -> tuple[Execution, str | None]:
        """Return the execution a date starts, with the backfill's inputs and labels when there is one.

        Raises:
            PenstockError: An input cannot be rendered, or is not what the flow wants.
        """
        backfill = Backfill.active(state)
        execution, reject = await self.made(
            trigger.flow,
            trigger.definition,
            self._launch(trigger, date),
            given=(backfill.inputs or {}) if backfill is not None else {},
            labels={
                **label_map(trigger.definition.labels),
                **(backfill.label_map if backfill is not None else {}),
            },
        )
        return keyed(execution, firing_key(state, date)), reject

    def without_inputs(self, trigger: ScheduledTrigger, date: Instant, state: TriggerState) -> Execution:
        """Return the execution that stands for a date whose inputs cannot be made (`failOnTriggerError`)."""
        execution = self.bare(trigger.flow, self._launch(trigger, date))
        return msgspec.structs.replace(execution, firing_key=firing_key(state, date))

    def bare(self, flow: ResolvedFlow, launch: Launch) -> Execution:
        """Return an execution before its inputs are read."""
        return self._preparation.bare(flow, launch)

    async def made(
        self,
        flow: ResolvedFlow,
        definition: TriggerBase,
        launch: Launch,
        *,
        given: Mapping[str, Any],
        labels: Mapping[str, Any],
    ) -> tuple[Execution, str | None]:
        """Return the execution of a launch, its inputs and labels rendered, under the key of its flow's rule.

        One whose key is taken cannot be stored (BEY-044): what it was to be started for counts as served.

        Args:
            flow: The flow to start.
            definition: Its trigger.
            launch: What is known of the execution already.
            given: Inputs beside those of the trigger, as they are.
            labels: Labels, as templates.

        Raises:
            PenstockError: An input cannot be rendered, or is not what the flow wants.
        """
        bare = self._preparation.bare(flow, launch)
        inputs = await self._rendered(flow, definition.inputs or {}, bare)
        rendered = await self._rendered(flow, labels, bare)
        launch = replace(
            launch,
            inputs={**inputs, **given},
            labels=(*launch.labels, *rendered.items()),
            execution_id=bare.id,
        )
        execution, reject = await self._preparation.prepared(launch)
        execution, _ = await self._preparation.keyed(flow, execution)
        return execution, reject

    def _launch(self, trigger: ScheduledTrigger, date: Instant) -> Launch:
        flow, definition = trigger.flow, trigger.definition
        origin = TriggerOrigin(definition.id, definition.type, date_variables(trigger, date))
        return Launch(flow.tenant, flow.namespace, flow.id, flow.revision, schedule_date=date, trigger=origin)

    async def _rendered(self, flow: ResolvedFlow, value: Mapping[str, Any], bare: Execution) -> dict[str, Any]:
        if not value:
            return {}
        variables = {
            **self._shared,
            "flow": flow_variables(flow),
            "vars": flow.variables,
            "labels": dict(bare.labels),
            "trigger": bare.trigger.variables if bare.trigger else {},
        }

        def render(resolver: Resolver) -> dict[str, Any]:
            rendered: dict[str, Any] = render_nested(dict(value), variables, resolver=resolver)
            return rendered

        return await with_answers(render, bare, self._answer)


def keyed(execution: Execution, key: str) -> Execution:
    """Return an execution under the key of what it is started for, unless its flow's rule has given it one."""
    return execution if execution.firing_key is not None else msgspec.structs.replace(execution, firing_key=key)


def label_map(labels: Any) -> dict[str, Any]:
    """Return a trigger's labels, written as a map or as a list of `key` and `value`, as a map."""
    if isinstance(labels, Mapping):
        return dict(labels)
    return {str(label["key"]): label["value"] for label in labels or ()}
