"""What the tasks of a flow measured, over all its executions: names, and courses over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock.base.clock import Clock, Instant, Micros
from penstock.base.errors import InvalidRequestError
from penstock.ports.dashboards import ChartColumn, ChartFilter, ChartQuery, ChartReads
from penstock.ports.queries import PageRequest

AGGREGATIONS = ("sum", "avg", "min", "max")
_HOUR: Micros = 3_600_000_000
_DAY = 24 * _HOUR
_STEPS: Sequence[tuple[Micros, str, Micros]] = (
    (6 * _HOUR, "minute", _HOUR // 60),
    (3 * _DAY, "hour", _HOUR),
    (180 * _DAY, "day", _DAY),
)
"""(longest span, name of the step, its length)."""
_USUAL = 30 * _DAY
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Course:
    """A metric over time: (beginning of a step, value)."""

    step: str
    points: Sequence[tuple[Instant, float]]


class FlowMetrics:
    """Implements API-104 by flow and task.

    Args:
        reads: The metrics.
        clock: The present.
    """

    def __init__(self, reads: ChartReads, clock: Clock) -> None:
        self._reads = reads
        self._clock = clock

    async def names(self, tenant: str, namespace: str, flow_id: str, task_id: str | None = None) -> list[str]:
        """Return the names of the metrics of a flow, or of one of its tasks."""
        return await self._distinct("NAME", tenant, _where(namespace, flow_id, task_id))

    async def tasks(self, tenant: str, namespace: str, flow_id: str) -> list[str]:
        """Return the tasks of a flow that measured something."""
        return await self._distinct("TASK_ID", tenant, _where(namespace, flow_id, None))

    async def course(
        self,
        tenant: str,
        flow: tuple[str, str],
        metric: str,
        *,
        task_id: str | None = None,
        start: Instant | None = None,
        end: Instant | None = None,
        aggregation: str = "sum",
    ) -> Course:
        """Return a metric over time.

        Args:
            tenant: Whose it is.
            flow: The flow's namespace and id.
            metric: The metric's name.
            task_id: The task; all of the flow by default.
            start: When the time begins; thirty days before its end by default.
            end: When it ends; now by default.
            aggregation: How the values of one step become one.

        Raises:
            InvalidRequestError: There is no such aggregation.
        """
        if aggregation.lower() not in AGGREGATIONS:
            raise InvalidRequestError(
                f"`{aggregation}` is no aggregation", hint=f"use one of {', '.join(AGGREGATIONS)}"
            )
        end = self._clock.now() if end is None else end
        start = end - _USUAL if start is None else start
        name, span = next(((name, span) for most, name, span in _STEPS if end - start <= most), ("week", 7 * _DAY))
        where = [
            *_where(*flow, task_id),
            ChartFilter("EQUAL_TO", "NAME", (metric,)),
            ChartFilter("GREATER_THAN_OR_EQUAL_TO", "DATE", (start,)),
            ChartFilter("LESS_THAN_OR_EQUAL_TO", "DATE", (end,)),
        ]
        columns = [ChartColumn("date", "DATE", span=span), ChartColumn("value", "VALUE", aggregation.upper())]
        page = await self._reads.rows(tenant, ChartQuery("Metrics", columns, where), PageRequest(1, _MANY))
        return Course(name, [(row["date"], row["value"]) for row in page.results])

    async def _distinct(self, field: str, tenant: str, where: Sequence[ChartFilter]) -> list[str]:
        columns = [ChartColumn("name", field), ChartColumn("count", None, "COUNT")]
        page = await self._reads.rows(tenant, ChartQuery("Metrics", columns, where), PageRequest(1, _MANY))
        rows: Sequence[Mapping[str, str]] = page.results
        return [row["name"] for row in rows]


def _where(namespace: str, flow_id: str, task_id: str | None) -> list[ChartFilter]:
    found = [ChartFilter("EQUAL_TO", "NAMESPACE", (namespace,)), ChartFilter("EQUAL_TO", "FLOW_ID", (flow_id,))]
    return found if task_id is None else [*found, ChartFilter("EQUAL_TO", "TASK_ID", (task_id,))]
