"""Flows that call each other in a circle would never end: finding such circles before a flow is saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.base.recent import Recent
from penstock.model.flow import ParsedFlow
from penstock.model.problems import Problem, Severity, path_text
from penstock.ports.flows import FlowName, FlowStore

_CAPACITY = 5_000


class CallCycles:
    """Follows calls from flow to flow, as far as the called flow is written out. Implements ENG-015.

    Args:
        flows: The stored flows.
        parse: Reads the source of a tenant's flow.
    """

    def __init__(self, flows: FlowStore, parse: Callable[[str, str], ParsedFlow]) -> None:
        self._flows = flows
        self._parse = parse
        self._known: Recent[tuple[str, str, str, int], Sequence[FlowName]] = Recent(_CAPACITY)

    async def problems(self, tenant: str, parsed: ParsedFlow) -> list[Problem]:
        """Return one problem for each call of a flow that leads back to it over others."""
        own = (str(parsed.data.get("namespace")), str(parsed.data.get("id")))
        found = []
        for call in parsed.calls:
            if call.flow == own:
                continue  # told while the flow was read
            way = await self._way(tenant, call.flow, own)
            if way is not None:
                place = parsed.position(call.path)
                names = " -> ".join(".".join(name) for name in (own, *way))
                message = f"task `{call.task_id}` makes flows call each other again and again: {names}"
                hint = "take one of these calls out, or use a loop"
                found.append(Problem(Severity.ERROR, path_text(call.path), message, hint, place.line, place.column))
        return found

    async def _way(self, tenant: str, start: FlowName, goal: FlowName) -> list[FlowName] | None:
        """Return the flows from one to another, both included; None when there is no way."""
        before: dict[FlowName, FlowName | None] = {start: None}
        waiting = [start]
        while waiting:
            flow = waiting.pop()
            for called in await self._called(tenant, flow):
                if called in before:
                    continue
                before[called] = flow
                if called == goal:
                    return _back(before, goal)
                waiting.append(called)
        return None

    async def _called(self, tenant: str, name: FlowName) -> Sequence[FlowName]:
        stored = await self._flows.get(tenant, *name)
        if stored is None:
            return ()
        source = stored.source
        return self._known.of(
            (tenant, *name, stored.revision), lambda: [call.flow for call in self._parse(tenant, source).calls]
        )


def _back(before: dict[FlowName, FlowName | None], goal: FlowName) -> list[FlowName]:
    way: list[FlowName] = []
    step: FlowName | None = goal
    while step is not None:
        way.append(step)
        step = before[step]
    return way[::-1]
