"""The graph of flows: a task of one starts another, or a trigger of one reacts to another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from penstock.base.recent import Recent
from penstock.engine.records import Execution
from penstock.model.registry import TypeRegistry
from penstock.ports.flows import FlowName, FlowStore, StoredFlow
from penstock.ports.queries import ExecutionQueries, Filter, PageRequest
from penstock.ports.triggers import FLOW_TRIGGER
from penstock.services.dependencies.listening import may_react
from penstock.services.executions.following import is_over
from penstock.services.flows import FlowDefinitions
from penstock.services.flows.catalog import missing_flow

CORRELATION = "system.correlationId"
_CAPACITY = 10_000
_FOLLOWED = 500


class Relation(StrEnum):
    """How one flow starts another."""

    TASK = "FLOW_TASK"
    TRIGGER = "FLOW_TRIGGER"


Edge = tuple[FlowName, FlowName, Relation]
"""(the flow that is first, the flow it leads to, how)."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Flows and how they start one another (API-038)."""

    flows: Sequence[FlowName]
    edges: Sequence[Edge]


@dataclass(frozen=True, slots=True)
class _Links:
    """What the source of one flow says about others."""

    calls: frozenset[FlowName]
    listeners: Sequence[Mapping[str, Any]]


class DependencyService:
    """Implements UI-064, UI-129, the dependencies of API-100, API-117, and `follow-dependencies` of API-024.

    Args:
        flows: The flows.
        queries: Executions, to follow those that belong together.
        registry: Says which types of tasks start flows.
        poll: Seconds between two looks at executions that are followed.
        linger: Seconds for which more of them are waited for when all have ended.
    """

    def __init__(
        self,
        flows: FlowStore,
        queries: ExecutionQueries,
        registry: TypeRegistry,
        *,
        poll: float = 1.0,
        linger: float = 3.0,
    ) -> None:
        self._flows = flows
        self._queries = queries
        self._registry = registry
        self._poll = poll
        self._linger = linger
        self._definitions = FlowDefinitions(capacity=1)
        self._known: Recent[tuple[str, str, str, int], _Links] = Recent(_CAPACITY)

    async def of_flow(
        self, tenant: str, namespace: str, flow_id: str, *, destination_only: bool = False, expand: bool = False
    ) -> Dependencies:
        """Return the flows around a flow.

        Args:
            tenant: Whose flows they are.
            namespace: The flow's namespace.
            flow_id: Its id.
            destination_only: Only what the flow leads to, not what leads to it.
            expand: All the way, not only the flows next to it.

        Raises:
            NotFoundError: There is no such flow.
        """
        start = (namespace, flow_id)
        known, edges = await self._graph(tenant)
        if start not in known:
            raise missing_flow(namespace, flow_id)
        chosen = _reached(start, edges, forward=True, expand=expand)
        if not destination_only:
            chosen |= _reached(start, edges, forward=False, expand=expand)
        return Dependencies(_names(chosen, {start}), sorted(chosen))

    async def of_namespace(self, tenant: str, namespace: str, *, destination_only: bool = False) -> Dependencies:
        """Return all flows of a namespace, and those of others next to them."""
        known, edges = await self._graph(tenant)
        own = {name for name in known if name[0] == namespace}
        chosen = {edge for edge in edges if edge[0] in own or (not destination_only and edge[1] in own)}
        return Dependencies(_names(chosen, own), sorted(chosen))

    async def of_tenant(self, tenant: str) -> Dependencies:
        """Return all flows that start others or are started by others, and how."""
        _, edges = await self._graph(tenant)
        return Dependencies(_names(edges, set()), sorted(edges))

    async def related(
        self, tenant: str, execution: Execution, *, idle: float = 15.0
    ) -> AsyncGenerator[Execution | None, None]:
        """Yield executions that belong together, now and at each change of a state, until all have ended.

        Args:
            tenant: Whose executions they are.
            execution: One of them.
            idle: Seconds without a change after which None is yielded, to keep a connection alive.
        """
        labels = dict(execution.labels)
        wanted = [Filter("labels", "EQUALS", {CORRELATION: labels.get(CORRELATION, execution.id)})]
        seen: dict[str, str] = {}
        quiet = silent = 0.0
        while True:
            page = await self._queries.search(tenant, wanted, PageRequest(size=_FOLLOWED, sort=(("startDate", True),)))
            changed = [one for one in page.results if seen.get(one.id) != one.state.current]
            for one in changed:
                seen[one.id] = one.state.current
                yield one
            quiet, silent = (0.0, 0.0) if changed else (quiet + self._poll, silent + self._poll)
            if all(is_over(one) for one in page.results) and quiet >= self._linger:
                return
            if silent >= idle:
                silent = 0.0
                yield None
            await asyncio.sleep(self._poll)

    async def _graph(self, tenant: str) -> tuple[set[FlowName], set[Edge]]:
        stored = await self._flows.all_latest(tenant)
        return await asyncio.to_thread(self._linked, stored)

    def _linked(self, stored: Sequence[StoredFlow]) -> tuple[set[FlowName], set[Edge]]:
        known = {(flow.namespace, flow.id) for flow in stored}
        edges: set[Edge] = set()
        for flow in stored:
            own, links = (flow.namespace, flow.id), self._links(flow)
            edges.update((own, called, Relation.TASK) for called in links.calls if called in known)
            for trigger in links.listeners:
                edges.update(
                    (other, own, Relation.TRIGGER) for other in known if other != own and may_react(trigger, other)
                )
        return known, edges

    def _links(self, flow: StoredFlow) -> _Links:
        """Return what a revision says about others; it never changes, so it is read once."""
        return self._known.of((flow.tenant, flow.namespace, flow.id, flow.revision), lambda: self._read(flow))

    def _read(self, flow: StoredFlow) -> _Links:
        triggers = self._definitions.of(flow).get("triggers")
        listeners = [
            one
            for one in (triggers if isinstance(triggers, list) else ())
            if isinstance(one, Mapping) and self._name(one) == FLOW_TRIGGER and one.get("disabled") is not True
        ]
        return _Links(frozenset(self._calls(flow)), listeners)

    def _calls(self, flow: StoredFlow) -> Iterator[FlowName]:
        for task in self._definitions.tasks(flow):
            entry = self._registry.find(str(task.get("type")))
            if entry is None or not getattr(entry.entry.cls, "calls_flow", False):
                continue
            namespace, flow_id = task.get("namespace", flow.namespace), task.get("flowId")
            if isinstance(namespace, str) and isinstance(flow_id, str):
                yield namespace, flow_id

    def _name(self, definition: Mapping[str, Any]) -> str | None:
        found = self._registry.find(str(definition.get("type")))
        return None if found is None else found.entry.name


def _reached(start: FlowName, edges: Iterable[Edge], *, forward: bool, expand: bool) -> set[Edge]:
    """Return the edges that lead away from a flow, or to it."""
    near: dict[FlowName, list[Edge]] = {}
    for edge in edges:
        near.setdefault(edge[0] if forward else edge[1], []).append(edge)
    chosen: set[Edge] = set()
    waiting, visited = [start], {start}
    while waiting:
        for edge in near.get(waiting.pop(), ()):
            chosen.add(edge)
            other = edge[1] if forward else edge[0]
            if expand and other not in visited:
                visited.add(other)
                waiting.append(other)
    return chosen


def _names(edges: Iterable[Edge], others: set[FlowName]) -> list[FlowName]:
    return sorted(others.union(*((edge[0], edge[1]) for edge in edges)))
