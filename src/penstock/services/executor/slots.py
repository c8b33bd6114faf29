"""Concurrency limits: how many executions of a flow run, and which wait their turn (ENG-251 to ENG-257).

What is kept here is derived from the stored states of live executions and read again whenever it may be wrong, so that
a slot can neither leak nor be freed twice (BEY-003). Limit and behaviour are those of the latest revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from penstock.base.errors import NotFoundError
from penstock.engine.records import Execution
from penstock.ports.journal import Journal
from penstock.services.executor.flow_source import FlowSource

FlowKey = tuple[str, str, str]


@dataclass(slots=True)
class _Occupancy:
    running: set[str] = field(default_factory=set)
    waiting: dict[str, None] = field(default_factory=dict)
    """Ids in the order in which they were queued."""


def key_of(execution: Execution) -> FlowKey:
    """Return the flow that an execution belongs to."""
    return (execution.tenant, execution.namespace, execution.flow_id)


class Slots:
    """The slots of flows with a limit. Used by the one executor that decides for all executions of the flow."""

    def __init__(self, journal: Journal, flows: FlowSource) -> None:
        self._journal = journal
        self._flows = flows
        self._occupied: dict[FlowKey, _Occupancy] = {}

    def forget(self) -> None:
        """Read everything again when it is needed next."""
        self._occupied.clear()

    def knows(self, key: FlowKey) -> bool:
        """Return whether executions of a limited flow are being counted."""
        return key in self._occupied

    async def recover(self) -> None:
        """Count the flows whose executions were queued before this executor took over."""
        for key in await self._journal.queued():
            await self._occupancy(key)

    def waited_for(self) -> list[FlowKey]:
        """Return the flows whose executions wait for a slot."""
        return [key for key, occupied in self._occupied.items() if occupied.waiting]

    async def ask(self, execution: Execution) -> str | None:
        """Take a slot for an execution that wants to begin; returns what happens to it when there is none."""
        key = key_of(execution)
        limit = await self._limit(key)
        if limit is None:
            self._occupied.pop(key, None)
            return None
        occupied = await self._occupancy(key)
        if execution.id in occupied.running:
            return None
        if len(occupied.running) < limit["limit"] and not any(one != execution.id for one in occupied.waiting):
            occupied.waiting.pop(execution.id, None)
            occupied.running.add(execution.id)
            return None
        behavior = str(limit.get("behavior", "QUEUE"))
        if behavior == "QUEUE":
            occupied.waiting.setdefault(execution.id)
        return behavior

    def forced(self, execution: Execution) -> None:
        """Count an execution that runs without having asked: restarted, or let in by somebody."""
        occupied = self._occupied.get(key_of(execution))
        if occupied is not None:
            occupied.waiting.pop(execution.id, None)
            occupied.running.add(execution.id)

    def ended(self, execution: Execution) -> None:
        """Free what an ended execution held, a slot or a place in the queue."""
        occupied = self._occupied.get(key_of(execution))
        if occupied is not None:
            occupied.running.discard(execution.id)
            occupied.waiting.pop(execution.id, None)

    async def admitted(self, key: FlowKey) -> list[str]:
        """Return the queued executions that may begin now, oldest first, their slots taken."""
        limit = await self._limit(key)
        occupied = await self._occupancy(key)
        free = len(occupied.waiting) if limit is None else limit["limit"] - len(occupied.running)
        chosen = list(islice(occupied.waiting, max(0, free)))
        for execution_id in chosen:
            del occupied.waiting[execution_id]
            occupied.running.add(execution_id)
        return chosen

    async def _limit(self, key: FlowKey) -> Mapping[str, Any] | None:
        try:
            flow = self._flows.cached(*key) or await self._flows.resolved(*key)
        except NotFoundError:
            return None  # the flow was deleted: what waits for it is let go
        return flow.concurrency

    async def _occupancy(self, key: FlowKey) -> _Occupancy:
        occupied = self._occupied.get(key)
        if occupied is None:
            running, waiting = await self._journal.occupancy(*key)
            occupied = self._occupied[key] = _Occupancy(set(running), dict.fromkeys(waiting))
        return occupied
