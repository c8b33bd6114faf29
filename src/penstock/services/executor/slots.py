"""Concurrency limits: how many executions run, and which wait their turn (ENG-251 to ENG-257, BEY-012).

What is kept here is derived from the stored states of live executions and read again whenever it may be wrong, so that
a slot can neither leak nor be freed twice (BEY-003). Limits and behaviour are those of the latest revision.

Executions that a limit counts are in one partition, and whoever holds it counts. Those of a flow that had begun when
nothing limited it stay where they are: they are counted as well, and looked at again from time to time, since whoever
decides for them does not tell when they end.

An execution that waits for its child holds its slot all the while. It does not count against that child: else both
could wait for each other for ever.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from penstock.base.clock import Instant
from penstock.base.errors import NotFoundError
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution
from penstock.engine.working_set import ExecutionState
from penstock.model.problems import InvalidFlow
from penstock.ports.journal import Journal
from penstock.services.executor.flow_source import FlowSource
from penstock.services.executor.limits import FlowKey, Gate, Lane, Limits

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


def _queue(lane: Lane, occupied: _Occupancy) -> Iterator[tuple[Instant, str, Lane]]:
    """Yield what waits of a lane, oldest first."""
    for execution_id, waiting in occupied.waiting.items():
        yield waiting.created, execution_id, lane


class Slots:
    """The slots of flows with a limit. Used by the executor that decides for all executions in `COUNTED`.

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
        self._lanes: dict[FlowKey, dict[Lane, _Occupancy]] = {}
        """The flows that are counted."""
        self._lane_of: dict[str, Lane] = {}
        """In which lane each execution is counted; kept where labels are limited, since those may change."""
        self._elsewhere: dict[str, Lane] = {}
        """Executions that run in other partitions."""
        self._knows_all = False

    def forget(self) -> None:
        """Read everything again when it is needed next."""
        self._lanes.clear()
        self._lane_of.clear()
        self._elsewhere.clear()
        self._knows_all = False

    async def counts(self, execution: Execution) -> bool:
        """Return whether a limit counts an execution. Anything may come to be counted where labels have limits."""
        return bool(self._limits.labels) or bool(await self._gates(self._limits.lane(execution)))

    async def holds(self, execution: Execution) -> bool:
        """Return whether an execution has a slot, or needs none."""
        lane = self._lane(execution)
        if not self._counts(lane, await self._gates(lane)):
            return True
        return execution.id in (await self._occupancy(lane)).running

    async def look_elsewhere(self) -> None:
        """Count anew what runs in other partitions."""
        found = await self._journal.elsewhere(self._lanes) if self._lanes else {}
        for execution_id in self._elsewhere.keys() - found.keys():
            lane = self._elsewhere.pop(execution_id)
            self._lane_of.pop(execution_id, None)
            if (occupied := self._found(lane)) is not None:
                occupied.running.discard(execution_id)
        async for execution in self._loaded([one for one in found if one not in self._elsewhere]):
            lane = self._limits.lane(execution)
            (await self._occupancy(lane)).running.add(execution.id)
            self._elsewhere[execution.id] = lane
            self._note(execution.id, lane)

    async def recover(self) -> None:
        """Count the flows whose executions were queued before this executor took over."""
        for key in await self._journal.queued():
            await self._counted(key)

    def waited_for(self) -> list[Lane]:
        """Return the lanes in which executions wait for a slot."""
        return [lane for lane, occupied in self._occupied() if occupied.waiting]

    async def ask(self, execution: Execution) -> str | None:
        """Take a slot for an execution that wants to begin; returns what happens to it when there is none."""
        lane = self._lane(execution)
        flow = await self._latest(lane[0])
        gates = self._limits.gates(lane, flow)
        if not self._counts(lane, gates):
            return None
        occupied = await self._occupancy(lane)
        if execution.id in occupied.running:
            return None
        above = await self._above(execution)
        others_wait = any(one != execution.id for one in occupied.waiting)
        if not gates or ((above or not others_wait) and await self._is_free(gates, above)):
            occupied.run(execution.id)
            self._note(execution.id, lane)
            return None
        concurrency = flow.concurrency if flow is not None else None
        behavior = str((concurrency or {}).get("behavior", "QUEUE"))
        if behavior == "QUEUE":
            occupied.wait(execution.id, _Waiting(execution.created, above))
            self._note(execution.id, lane)
        return behavior

    async def forced(self, execution: Execution) -> None:
        """Count an execution that runs without having asked: restarted, or let in by somebody."""
        self._elsewhere.pop(execution.id, None)
        lane = self._lane(execution)
        if self._counts(lane, await self._gates(lane)):
            (await self._occupancy(lane)).run(execution.id)
            self._note(execution.id, lane)

    async def ended(self, execution: Execution) -> list[str]:
        """Free what an ended execution held, a slot or a place in the queue; returns who may begin instead.

        What is not counted yet is counted now: later in the same round the store would still say that it runs.
        """
        lane = self._lane(execution)
        gates = await self._gates(lane)
        if not self._counts(lane, gates):
            return []
        await self._occupancy(lane)
        self.never_was(execution)
        return await self.admitted(lane) if gates else []

    def never_was(self, execution: Execution) -> None:
        """Forget an execution."""
        occupied = self._found(self._lane(execution))
        self._elsewhere.pop(execution.id, None)
        self._lane_of.pop(execution.id, None)
        if occupied is not None:
            occupied.running.discard(execution.id)
            occupied.leave(execution.id)

    async def relabelled(self, execution: Execution) -> bool:
        """Count a live execution by the labels it has now; returns whether it was counted by others.

        It goes on if it runs, however full the gates of its new labels are.
        """
        if not self._limits.labels:
            return False
        lane = self._limits.lane(execution)
        await self._counted(lane[0])
        before = self._lane_of.get(execution.id, lane)
        left = self._found(before)
        if before == lane or left is None:
            return False
        waiting = left.waiting.get(execution.id)
        self.never_was(execution)
        occupied = await self._occupancy(lane)
        if waiting is None:
            occupied.run(execution.id)
        else:
            occupied.wait(execution.id, waiting)
        self._note(execution.id, lane)
        return True

    async def admitted(self, lane: Lane) -> list[str]:
        """Return the queued executions that may begin now, oldest first, their slots taken.

        Those of the lane, and of all lanes that share a gate with it.
        """
        await self._occupancy(lane)
        lanes = await self._sharing(lane)
        chosen: list[tuple[str, _Occupancy]] = []
        blocked: set[Lane] = set()
        for _, execution_id, one in heapq.merge(*(_queue(one, occupied) for one, occupied in lanes.items())):
            occupied = lanes[one]
            waiting = occupied.waiting[execution_id]
            if one in blocked and not waiting.above:
                continue
            if await self._is_free(await self._gates(one), waiting.above):
                chosen.append((execution_id, occupied))
                occupied.running.add(execution_id)
                continue
            blocked.add(one)
            if all(other in blocked and not lanes[other].children for other in lanes if lanes[other].waiting):
                break
        for execution_id, occupied in chosen:
            occupied.leave(execution_id)
        if lane[1] and not (lanes[lane].running or lanes[lane].waiting):
            del self._lanes[lane[0]][lane]  # a label may have any number of values
        return [execution_id for execution_id, _ in chosen]

    async def _sharing(self, lane: Lane) -> dict[Lane, _Occupancy]:
        """Return the lane, and the known lanes that share a gate with it."""
        gates = set(await self._gates(lane))
        if any(gate.is_shared for gate in gates):
            await self._know_all()
            known = list(self._occupied())
        else:
            known = list(self._lanes.get(lane[0], {}).items())
        return {one: occupied for one, occupied in known if one == lane or not gates.isdisjoint(await self._gates(one))}

    async def _is_free(self, gates: Iterable[Gate], above: frozenset[str]) -> bool:
        """Return whether every gate has room; who waits for the execution that asks does not count."""
        for gate in gates:
            running = [occupied.running for occupied in await self._behind(gate)]
            if sum(map(len, running)) - sum(1 for one in above if any(one in part for part in running)) >= gate.limit:
                return False
        return True

    async def _behind(self, gate: Gate) -> list[_Occupancy]:
        """Return what is known of the lanes whose executions pass a gate."""
        tenant, *name = gate.name
        if gate.kind == "flow":
            return list(self._lanes.get((tenant, name[0], name[1]), {}).values())
        await self._know_all()
        if gate.kind == "label":
            label = (name[0], name[1])
            return [occupied for lane, occupied in self._occupied() if label in lane[1] and lane[0][0] == tenant]
        return [occupied for lane, occupied in list(self._occupied()) if gate in await self._gates(lane)]

    async def _know_all(self) -> None:
        """Count all flows that have live executions and a limit, once: those of a shared limit may be any."""
        if self._knows_all:
            return
        self._knows_all = True
        for key in await self._journal.busy():
            if self._limits.labels or await self._gates((key, ())):
                await self._counted(key)

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

    def _lane(self, execution: Execution) -> Lane:
        """Return the lane in which an execution is counted, or would be."""
        return self._lane_of.get(execution.id) or self._limits.lane(execution)

    def _note(self, execution_id: str, lane: Lane) -> None:
        if self._limits.labels:
            self._lane_of[execution_id] = lane

    def _counts(self, lane: Lane, gates: tuple[Gate, ...]) -> bool:
        """Return whether executions of a lane are counted; those of a flow that has lost its limit are not any more."""
        if gates or self._limits.labels:
            return True
        self._lanes.pop(lane[0], None)
        return False

    async def _gates(self, lane: Lane) -> tuple[Gate, ...]:
        return self._limits.gates(lane, await self._latest(lane[0]))

    async def _latest(self, key: FlowKey) -> ResolvedFlow | None:
        try:
            return self._flows.cached(*key) or await self._flows.resolved(*key)
        except (NotFoundError, InvalidFlow):
            return None  # the flow was deleted, or its type is gone: what waits for it is let go

    def _occupied(self) -> Iterator[tuple[Lane, _Occupancy]]:
        for lanes in self._lanes.values():
            yield from lanes.items()

    def _found(self, lane: Lane) -> _Occupancy | None:
        return self._lanes.get(lane[0], {}).get(lane)

    async def _occupancy(self, lane: Lane) -> _Occupancy:
        lanes = await self._counted(lane[0])
        return lanes.setdefault(lane, _Occupancy())

    async def _counted(self, key: FlowKey) -> dict[Lane, _Occupancy]:
        """Return the lanes of a flow, its live executions counted."""
        known = self._lanes.get(key)
        if known is None:
            lanes: dict[Lane, _Occupancy] = {}
            found = await self._journal.occupancy(*key)
            if self._limits.labels:
                async for execution in self._loaded(found.running):
                    lane = self._limits.lane(execution)
                    lanes.setdefault(lane, _Occupancy()).running.add(execution.id)
                    self._note(execution.id, lane)
            else:
                lanes[key, ()] = _Occupancy(set(found.running))
            for lane, occupied in lanes.items():
                self._elsewhere |= dict.fromkeys(occupied.running & found.elsewhere, lane)
            async for execution in self._loaded([one for one in found.queued if one not in found.elsewhere]):
                lane = self._limits.lane(execution)
                waiting = _Waiting(execution.created, await self._above(execution))
                lanes.setdefault(lane, _Occupancy()).wait(execution.id, waiting)
                self._note(execution.id, lane)
            known = self._lanes[key] = lanes
        return known

    async def _loaded(self, ids: Sequence[str]) -> AsyncIterator[Execution]:
        for start in range(0, len(ids), _CHUNK):
            part = ids[start : start + _CHUNK]
            found = await self._journal.load(part)
            for execution_id in part:
                if execution_id in found:
                    yield found[execution_id].execution
