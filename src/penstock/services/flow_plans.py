"""What saving, importing, switching or deleting flows would do, before it is done: what is new, and when it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from penstock.base.clock import Clock, Instant, from_datetime, to_datetime
from penstock.engine.flow import ResolvedFlow
from penstock.model.problems import InvalidFlow, Severity
from penstock.model.yaml import split_documents
from penstock.ports.flows import FlowName, FlowStore, StoredFlow
from penstock.sdk import TriggerBase
from penstock.services.archives import SourceFile
from penstock.services.flows import FlowChecker, switched
from penstock.services.flows.bulk import sources_of
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
    """What would become of a flow."""

    namespace: str
    id: str
    action: str
    """`CREATED`, `UPDATED`, `UNCHANGED`, `DELETED`, or `REFUSED` for a source of a file that is no valid flow."""
    triggers: Sequence[TriggerPlan] = field(default=())
    """Those that have dates before or after."""
    problem: str | None = None
    """Why it would be refused."""


class FlowChange(StrEnum):
    """What may be done with flows that there are."""

    DELETE = "delete"
    DISABLE = "disable"
    ENABLE = "enable"


class FlowPlanner:
    """Tells what saving, importing, switching or deleting flows would do; nothing is stored. Implements BEY-040.

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

    async def plan_file(self, tenant: str, given: SourceFile) -> list[FlowPlan]:
        """Return what importing a YAML file or a ZIP archive of them would do.

        Raises:
            InvalidRequestError: The file cannot be read.
        """
        found = []
        for name, source in sources_of(given):
            try:
                found += await self.plan(tenant, source)
            except InvalidFlow as error:
                found.append(FlowPlan("", name, "REFUSED", problem=str(error)))
        return found

    async def plan_change(self, tenant: str, names: Sequence[FlowName], change: FlowChange) -> list[FlowPlan]:
        """Return what switching flows off or on in their sources, or deleting them, would do, but for missing ones."""
        now, found = self._clock.now(), list[FlowPlan]()
        for namespace, flow_id in names:
            there = await self._flows.get(tenant, namespace, flow_id)
            if there is None:
                continue
            if change is FlowChange.DELETE:
                triggers = [TriggerPlan(name, dates) for name, dates in self._dates(there, now)]
                found.append(FlowPlan(namespace, flow_id, "DELETED", triggers))
                continue
            is_off = change is FlowChange.DISABLE
            source = there.source if there.disabled is is_off else switched(there.source, is_off)
            found.append(await self._planned(tenant, namespace, flow_id, source))
        return found

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
