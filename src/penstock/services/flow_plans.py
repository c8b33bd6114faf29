"""What saving a flow would do, before it is saved: whether it is new, and when it would run (BEY-040)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from penstock.base.clock import Clock, Instant, from_datetime, to_datetime
from penstock.engine.flow import ResolvedFlow
from penstock.model.problems import InvalidFlow, Severity
from penstock.model.yaml import split_documents
from penstock.ports.flows import FlowStore, StoredFlow
from penstock.sdk import TriggerBase
from penstock.services.flows import FlowChecker
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.triggers import scheduled_triggers

DATES = 5
"""How many dates of each trigger are told."""


@dataclass(frozen=True, slots=True)
class TriggerPlan:
    """When a trigger fires next."""

    id: str
    before: Sequence[Instant] = ()
    after: Sequence[Instant] = ()


@dataclass(frozen=True, slots=True)
class FlowPlan:
    """What saving a source would do."""

    namespace: str
    id: str
    action: str
    """`CREATED`, `UPDATED` or `UNCHANGED`."""
    triggers: Sequence[TriggerPlan] = field(default=())
    """Those that have dates before or after."""


class FlowPlanner:
    """Tells what saving flows would do; nothing is stored.

    Args:
        flows: The flows there are.
        checker: Finds what is wrong with a source.
        resolve: Makes a source ready to run.
        triggers_of: A flow's triggers, made from their definitions.
        conditions: Asks the conditions of triggers.
        clock: The present.
    """

    def __init__(
        self,
        flows: FlowStore,
        checker: FlowChecker,
        resolve: Callable[[StoredFlow], ResolvedFlow],
        triggers_of: Callable[[ResolvedFlow], Sequence[TriggerBase]],
        conditions: Conditions,
        clock: Clock,
    ) -> None:
        self._flows = flows
        self._checker = checker
        self._resolve = resolve
        self._triggers_of = triggers_of
        self._conditions = conditions
        self._clock = clock

    async def plan(self, tenant: str, text: str) -> list[FlowPlan]:
        """Return what saving the documents of a text would do.

        Raises:
            InvalidFlow: One of them would be refused; carries every problem of all.
        """
        verdicts = await self._checker.check(tenant, text)
        problems = [problem for verdict in verdicts for problem in verdict.problems]
        if any(problem.severity is Severity.ERROR for problem in problems):
            raise InvalidFlow(problems)
        sources = [source for source, _ in split_documents(text)] or [text]
        return [
            await self._planned(tenant, verdict.namespace or "", verdict.flow_id or "", source)
            for verdict, source in zip(verdicts, sources, strict=True)
        ]

    async def _planned(self, tenant: str, namespace: str, flow_id: str, source: str) -> FlowPlan:
        now = self._clock.now()
        there = await self._flows.get(tenant, namespace, flow_id)
        wanted = StoredFlow(tenant, namespace, flow_id, there.revision + 1 if there else 1, source, now)
        before = {} if there is None else dict(self._dates(there, now))
        after = dict(self._dates(wanted, now))
        triggers = [TriggerPlan(name, before.get(name, ()), after.get(name, ())) for name in {**before, **after}]
        if there is None:
            return FlowPlan(namespace, flow_id, "CREATED", triggers)
        return FlowPlan(namespace, flow_id, "UNCHANGED" if there.source == source else "UPDATED", triggers)

    def _dates(self, stored: StoredFlow, now: Instant) -> Iterator[tuple[str, Sequence[Instant]]]:
        try:
            flow = self._resolve(stored)
        except InvalidFlow:  # saved when other types were known: it does not fire
            return
        for one in scheduled_triggers(flow, self._triggers_of(flow), {}, self._conditions):
            dates: list[Instant] = []
            moment: datetime | None = to_datetime(now)
            while one.is_enabled and moment is not None and len(dates) < DATES:
                moment = one.calendar.next_after(moment)
                dates += [] if moment is None else [from_datetime(moment)]
            yield one.definition.id, dates
