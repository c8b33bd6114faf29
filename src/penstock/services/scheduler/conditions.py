"""Conditions of triggers: asked of dates, of requests and of executions.

Implements ENG-272, ENG-276. Expressions in conditions see `trigger`, `flow` and `vars`; what functions that need the
outside (`kv`, `secret`) answer is looked up between two attempts to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from penstock.base.codec import to_json_text
from penstock.base.errors import InvalidRequestError
from penstock.engine.context import flow_variables
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution
from penstock.expressions import Resolver, render
from penstock.sdk import TriggerBase
from penstock.sdk.condition import Condition, ConditionContext, ExecutionFacts, FlowFacts, all_hold
from penstock.services.rendering import Answer, asker, with_answers
from penstock.services.scheduler.calendar import Calendar

_MOST_DATES = 1000
"""So many dates are asked at once; a date behind them is asked when the last of them has come."""


T = TypeVar("T")


def _unknown(definition: Mapping[str, Any]) -> Condition:
    raise ValueError(f"`{definition.get('type')}` is no condition")


async def _no_answer(execution: Execution, function: str, arguments: Mapping[str, Any]) -> Any:
    raise InvalidRequestError(f"`{function}` has no place here")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Asks conditions.

    Args:
        make: Returns the condition of a definition.
        shared: Variables the instance adds to every expression.
        answer: Answers functions that expressions in conditions call.
    """

    make: Callable[[Mapping[str, Any]], Condition] = _unknown
    shared: Mapping[str, Any] = field(default_factory=dict)
    answer: Answer = _no_answer

    async def ask(self, flow: ResolvedFlow, work: Callable[[Resolver], T]) -> T:
        """Return what `work` makes of a resolver, on behalf of a flow's trigger."""
        return await with_answers(work, asker(flow), self.answer)

    def context(
        self,
        flow: ResolvedFlow,
        variables: Mapping[str, Any],
        *,
        execution: ExecutionFacts | None = None,
        date: datetime | None = None,
        resolver: Resolver | None = None,
    ) -> ConditionContext:
        """Return what the conditions of a flow's trigger see; `variables` are beside `flow` and `vars`."""
        known = {**self.shared, "flow": flow_variables(flow), "vars": flow.variables, **variables}
        return ConditionContext(
            FlowFacts(flow.namespace, flow.id),
            self.make,
            lambda template, extra: render(template, {**known, **extra}, resolver=resolver),
            execution=execution,
            date=date,
        )

    async def hold(self, flow: ResolvedFlow, trigger: TriggerBase, variables: Mapping[str, Any]) -> bool:
        """Return whether a trigger's conditions hold of something that is in its variables.

        Raises:
            PenstockError: A condition has no answer.
        """

        def holds(resolver: Resolver) -> bool:
            return all_hold(trigger.conditions, self.context(flow, {"trigger": variables}, resolver=resolver))

        return await self.ask(flow, holds)

    async def all_hold_at(
        self,
        flow: ResolvedFlow,
        definitions: Sequence[Mapping[str, Any]],
        variables: Mapping[str, Any],
        date: datetime,
    ) -> bool:
        """Return whether these conditions hold of something with variables that has happened at a date.

        Raises:
            PenstockError: A condition has no answer.
        """
        seen = {"trigger": {"date": zoned(date), **variables}}

        def holds(resolver: Resolver) -> bool:
            return all_hold(definitions, self.context(flow, seen, date=date, resolver=resolver))

        return await self.ask(flow, holds)

    def hold_at(
        self, flow: ResolvedFlow, trigger: TriggerBase, date: datetime, resolver: Resolver | None = None
    ) -> bool:
        """Return whether a trigger's conditions hold of a date.

        Raises:
            PenstockError: A condition has no answer, or none without a resolver.
        """
        variables = {"trigger": {"date": zoned(date)}}
        return all_hold(trigger.conditions, self.context(flow, variables, date=date, resolver=resolver))


@dataclass(frozen=True, slots=True)
class ConditionedCalendar:
    """The dates of a calendar of which conditions hold (ENG-276).

    A date of which they have no answer is kept: when it comes they are asked again, with the outside at hand, and an
    error is told.
    """

    calendar: Calendar
    holds: Callable[[datetime], bool]
    definitions: Sequence[Mapping[str, Any]]

    @property
    def timing(self) -> str:
        """What the dates follow from."""
        return f"{self.calendar.timing} {to_json_text(self.definitions)}"

    @property
    def late_maximum(self) -> int | None:
        """How late a date may start."""
        return self.calendar.late_maximum

    @property
    def past(self) -> tuple[str, str | None] | None:
        """Start and end of dates to run when the trigger is new."""
        return self.calendar.past

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first date after a moment."""
        found = self.calendar.next_after(moment)
        for _ in range(_MOST_DATES):
            if found is None or self._may_hold(found):
                return found
            found = self.calendar.next_after(found)
        return found

    def last_before(self, moment: datetime) -> datetime | None:
        """Return the last date before a moment."""
        found = self.calendar.last_before(moment)
        for _ in range(_MOST_DATES):
            if found is None or self._may_hold(found):
                return found
            found = self.calendar.last_before(found)
        return None

    def _may_hold(self, date: datetime) -> bool:
        try:
            return self.holds(date)
        except Exception:  # whatever it is, it is told when the date comes
            return True


def zoned(moment: datetime | None) -> str | None:
    """Return a date as ISO 8601 text with its offset; UTC is `Z`."""
    if moment is None:
        return None
    text = moment.isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
