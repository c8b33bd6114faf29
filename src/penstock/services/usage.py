"""What an instance is used for: how many flows there are, of what they are made, and how many executions ran."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.base.clock import Clock, Instant, Micros, to_iso
from penstock.ports.dashboards import ChartColumn, ChartFilter, ChartQuery, ChartReads
from penstock.ports.queries import PageRequest
from penstock.services.archives import SourceFile, packed
from penstock.services.flows import FlowDefinitions, FlowService

_DAY: Micros = 86_400_000_000
USUAL = 30 * _DAY
"""How far back is looked when nothing is said."""
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class FlowUsage:
    """How many flows there are, and of what they are made."""

    count: int
    namespaces: int
    tasks: Mapping[str, int]
    triggers: Mapping[str, int]


class UsageService:
    """Implements the `usages` and `stats` endpoints of API-114.

    Args:
        flows: Finds flows.
        definitions: Flows as plain data.
        reads: Counts executions.
        clock: The present.
    """

    def __init__(self, flows: FlowService, definitions: FlowDefinitions, reads: ChartReads, clock: Clock) -> None:
        self._flows = flows
        self._definitions = definitions
        self._reads = reads
        self._clock = clock

    async def flows(self, tenant: str) -> FlowUsage:
        """Return how many flows there are, and of what they are made."""
        flows = await self._flows.all(tenant)
        tasks: Counter[str] = Counter()
        triggers: Counter[str] = Counter()
        for flow in flows:
            tasks.update(str(task["type"]) for task in self._definitions.tasks(flow))
            triggers.update(str(one["type"]) for one in self._definitions.of(flow).get("triggers") or ())
        return FlowUsage(len(flows), len({flow.namespace for flow in flows}), tasks, triggers)

    async def executions(self, tenant: str, since: Instant | None = None) -> list[tuple[Instant, dict[str, int]]]:
        """Return how many executions began on each day, by state; days without any are left out."""
        days: dict[Instant, dict[str, int]] = {}
        for row in await self._rows(tenant, since, ("STATE",)):
            days.setdefault(row["date"], {})[row["STATE"]] = row["count"]
        return sorted(days.items())

    async def report(self, tenant: str, since: Instant | None = None) -> bytes:
        """Return tables of executions by day, flow and state, and of the types flows are made of, as a ZIP archive."""
        names = ("NAMESPACE", "FLOW_ID", "STATE")
        rows = await self._rows(tenant, since, names)
        executions = [
            (to_iso(row["date"])[:10], *(row[name] for name in names), row["count"], row["seconds"] or 0)
            for row in rows
        ]
        flows = await self.flows(tenant)
        types = [("task", *one) for one in sorted(flows.tasks.items())]
        types += [("trigger", *one) for one in sorted(flows.triggers.items())]
        head = ("date", "namespace", "flowId", "state", "executions", "seconds")
        return packed(
            (
                SourceFile("executions.csv", _table(head, sorted(executions))),
                SourceFile("types.csv", _table(("kind", "type", "uses"), types)),
            )
        )

    async def _rows(self, tenant: str, since: Instant | None, by: Sequence[str]) -> list[Mapping[str, Any]]:
        start = self._clock.now() - USUAL if since is None else since
        columns = [
            ChartColumn("date", "START_DATE", span=_DAY),
            *(ChartColumn(name, name) for name in by),
            ChartColumn("count", None, "COUNT"),
            ChartColumn("seconds", "DURATION", "SUM"),
        ]
        query = ChartQuery("Executions", columns, [ChartFilter("GREATER_THAN_OR_EQUAL_TO", "START_DATE", (start,))])
        found: list[Mapping[str, Any]] = []
        while True:
            page = await self._reads.rows(tenant, query, PageRequest(len(found) // _MANY + 1, _MANY))
            found += page.results
            if len(page.results) < _MANY:
                return found


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue().encode()
