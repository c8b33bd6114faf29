"""Concurrency limits: how many executions run, and which wait their turn (ENG-251 to ENG-257, BEY-012).

What is kept here is derived from the stored states of live executions and read again whenever it may be wrong, so that
a slot can neither leak nor be freed twice (BEY-003). Limits and behaviour are those of the latest revision.

An execution that waits for its child holds its slot all the while. It does not count against that child: else both
could wait for each other for ever.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from penstock.base.clock import Instant
from penstock.base.errors import NotFoundError
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution
from penstock.engine.working_set import ExecutionState
from penstock.model.problems import InvalidFlow
from penstock.ports.journal import Journal
from penstock.services.executor.flow_source import FlowSource
from penstock.services.executor.limits import FlowKey, Gate, Limits

Held = Callable[[str], ExecutionState | None]
"""Returns what is held of an execution in memory, if anything."""
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class _Waiting:
    created: Instant
    above: frozenset[str]
    """The executions that wait for its end: its parent, and those above."""


@dataclass(slots=True)
class _Occupancy:
    running: set[str] = field(default_factory=set)
    waiting: dict[str, _Waiting] = field(default_factory=dict)
    """In the order in which they were queued."""
    children: set[str] = field(default_factory=set)
    """Those of the waiting that somebody waits for in turn."""

    def wait(self, execution_id: str, waiting: _Waiting) -> None:
        """Put an execution at the end of the queue, unless it waits already."""
        if execution_id not in self.waiting:
            self.waiting[execution_id] = waiting
            if waiting.above:
                self.children.add(execution_id)

    def leave(self, execution_id: str) -> None:
        """Take an execution out of the queue."""
        self.waiting.pop(execution_id, None)
        self.children.discard(execution_id)

    def run(self, execution_id: str) -> None:
        """Give an execution a slot."""
        self.leave(execution_id)
        self.running.add(execution_id)


def key_of(execution: Execution) -> FlowKey:
    """Return the flow that an execution belongs to."""
    return (execution.tenant, execution.namespace, execution.flow_id)


def _queue(key: FlowKey, occupied: _Occupancy) -> Iterator[tuple[Instant, str, FlowKey]]:
    """Yield what waits of a flow, oldest first."""
    for execution_id, waiting in occupied.waiting.items():
        yield waiting.created, execution_id, key


class Slots:
    """The slots of flows with a limit. Used by the one executor that decides for all executions.

    Args:
        journal: Tells which executions live.
        flows: Tells what limits them.
        limits: The limits of the configuration.
        held: Executions in memory, to find the parents of one.
    """

    def __init__(self, journal: Journal, flows: FlowSource, limits: Limits, held: Held) -> None:
        self._journal = journal
        self._flows = flows
        self._limits = limits
        self._held = held
        self._occupied: dict[FlowKey, _Occupancy] = {}
        self._knows_all = False

    def forget(self) -> None:
        """Read everything again when it is needed next."""
        self._occupied.clear()
        self._knows_all = False

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
        flow = await self._latest(key)
        gates = self._limits.gates(key, flow)
        if not gates:
            self._occupied.pop(key, None)
            return None
        occupied = await self._occupancy(key)
        if execution.id in occupied.running:
            return None
        above = await self._above(execution)
        others_wait = any(one != execution.id for one in occupied.waiting)
        if (above or not others_wait) and await self._is_free(gates, above):
            occupied.run(execution.id)
            return None
        concurrency = flow.concurrency if flow is not None else None
        behavior = str((concurrency or {}).get("behavior", "QUEUE"))
        if behavior == "QUEUE":
            occupied.wait(execution.id, _Waiting(execution.created, above))
        return behavior

    async def forced(self, execution: Execution) -> None:
        """Count an execution that runs without having asked: restarted, or let in by somebody."""
        key = key_of(execution)
        if await self._gates(key):
            (await self._occupancy(key)).run(execution.id)

    async def ended(self, execution: Execution) -> list[str]:
        """Free what an ended execution held, a slot or a place in the queue; returns who may begin instead.

        What is not counted yet is counted now: later in the same round the store would still say that it runs.
        """
        key = key_of(execution)
        if not await self._gates(key):
            self._occupied.pop(key, None)
            return []
        await self._occupancy(key)
        self.never_was(execution)
        return await self.admitted(key)

    def never_was(self, execution: Execution) -> None:
        """Forget an execution."""
        occupied = self._occupied.get(key_of(execution))
        if occupied is not None:
            occupied.running.discard(execution.id)
            occupied.leave(execution.id)

    async def admitted(self, key: FlowKey) -> list[str]:
        """Return the queued executions that may begin now, oldest first, their slots taken.

        Those of the flow, and of all flows that share a limit with it.
        """
        await self._occupancy(key)
        flows = {one: self._occupied[one] for one in await self._sharing(key) if one in self._occupied}
        chosen: list[tuple[str, _Occupancy]] = []
        blocked: set[FlowKey] = set()
        for _, execution_id, flow_key in heapq.merge(*(_queue(one, occupied) for one, occupied in flows.items())):
            occupied = flows[flow_key]
            waiting = occupied.waiting[execution_id]
            if flow_key in blocked and not waiting.above:
                continue
            if await self._is_free(await self._gates(flow_key), waiting.above):
                chosen.append((execution_id, occupied))
                occupied.running.add(execution_id)
                continue
            blocked.add(flow_key)
            if all(one in blocked and not flows[one].children for one in flows if flows[one].waiting):
                break
        for execution_id, occupied in chosen:
            occupied.leave(execution_id)
        return [execution_id for execution_id, _ in chosen]

    async def _sharing(self, key: FlowKey) -> list[FlowKey]:
        """Return the flow, and the known flows that pass a gate with it."""
        shared = {gate for gate in await self._gates(key) if gate.is_shared}
        if not shared:
            return [key]
        await self._know_all()
        return [one for one in list(self._occupied) if one == key or shared.intersection(await self._gates(one))]

    async def _is_free(self, gates: Iterable[Gate], above: frozenset[str]) -> bool:
        """Return whether every gate has room; who waits for the execution that asks does not count."""
        for gate in gates:
            behind = [self._occupied.get(key) for key in await self._behind(gate)]
            running = [occupied.running for occupied in behind if occupied is not None]
            if sum(map(len, running)) - sum(1 for one in above if any(one in part for part in running)) >= gate.limit:
                return False
        return True

    async def _behind(self, gate: Gate) -> list[FlowKey]:
        """Return the known flows whose executions pass a gate."""
        if gate.kind == "flow":
            tenant, namespace, flow_id = gate.name
            return [(tenant, namespace, flow_id)]
        await self._know_all()
        return [key for key in list(self._occupied) if gate in await self._gates(key)]

    async def _know_all(self) -> None:
        """Count all flows that have live executions and a limit, once: those of a shared limit may be any."""
        if self._knows_all:
            return
        self._knows_all = True
        for key in await self._journal.busy():
            if await self._gates(key):
                await self._occupancy(key)

    async def _above(self, execution: Execution) -> frozenset[str]:
        """Return the executions that wait for the end of one."""
        above: set[str] = set()
        parent = execution.parent
        while parent is not None and parent.execution_id not in above:
            above.add(parent.execution_id)
            held = self._held(parent.execution_id)
            if held is None:
                loaded = (await self._journal.load([parent.execution_id])).get(parent.execution_id)
                parent = loaded.execution.parent if loaded is not None else None
            else:
                parent = held.execution.parent
        return frozenset(above)

    async def _gates(self, key: FlowKey) -> tuple[Gate, ...]:
        return self._limits.gates(key, await self._latest(key))

    async def _latest(self, key: FlowKey) -> ResolvedFlow | None:
        try:
            return self._flows.cached(*key) or await self._flows.resolved(*key)
        except (NotFoundError, InvalidFlow):
            return None  # the flow was deleted, or its type is gone: what waits for it is let go

    async def _occupancy(self, key: FlowKey) -> _Occupancy:
        occupied = self._occupied.get(key)
        if occupied is None:
            running, queued = await self._journal.occupancy(*key)
            occupied = _Occupancy(set(running))
            for start in range(0, len(queued), _CHUNK):
                part = queued[start : start + _CHUNK]
                found = await self._journal.load(part)
                for execution_id in part:
                    if execution_id in found:
                        execution = found[execution_id].execution
                        occupied.wait(execution_id, _Waiting(execution.created, await self._above(execution)))
            self._occupied[key] = occupied
        return occupied
