"""What the tasks of flows measured, over all their executions (API-104)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.render.instants import iso
from penstock.api.routes.table import Routes, parameter
from penstock.api.search import read_date
from penstock.base.clock import Instant
from penstock.services.flow_metrics import AGGREGATIONS, FlowMetrics

_DATE = {"type": "string", "format": "date-time"}
_SPAN = [
    parameter("startDate", _DATE),
    parameter("endDate", _DATE),
    parameter("aggregation", {"type": "string", "enum": list(AGGREGATIONS), "default": "sum"}),
]


class MetricRoutes:
    """Implements API-104 by flow and task.

    Args:
        metrics: The use cases.
    """

    def __init__(self, metrics: FlowMetrics) -> None:
        self._metrics = metrics

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/metrics", "Logs and metrics")
        add, flow = routes.add, "{namespace}/{flow_id}"
        add("GET", f"/names/{flow}", self.of_flow, "listFlowMetrics", answers=list[str])
        add("GET", f"/names/{flow}/{{task_id}}", self.of_task, "listTaskMetrics", answers=list[str])
        add("GET", f"/tasks/{flow}", self.tasks, "listTasksWithMetrics", answers=list[str])
        add("GET", f"/aggregates/{flow}/{{metric}}", self.course_of_flow, "aggregateMetricsFromFlow",
            answers=schemas.MetricAggregations, parameters=_SPAN)  # fmt: skip
        add("GET", f"/aggregates/{flow}/{{task_id}}/{{metric}}", self.course_of_task, "aggregateMetricsFromTask",
            answers=schemas.MetricAggregations, parameters=_SPAN)  # fmt: skip
        return routes.router

    async def of_flow(self, tenant: str, namespace: str, flow_id: str) -> Response:
        """Return the names of a flow's metrics."""
        return JsonAnswer(await self._metrics.names(tenant, namespace, flow_id))

    async def of_task(self, tenant: str, namespace: str, flow_id: str, task_id: str) -> Response:
        """Return the names of a task's metrics."""
        return JsonAnswer(await self._metrics.names(tenant, namespace, flow_id, task_id))

    async def tasks(self, tenant: str, namespace: str, flow_id: str) -> Response:
        """Return the tasks of a flow that measured something."""
        return JsonAnswer(await self._metrics.tasks(tenant, namespace, flow_id))

    async def course_of_flow(
        self, request: Request, tenant: str, namespace: str, flow_id: str, metric: str
    ) -> Response:
        """Return a metric of a flow over time."""
        return await self._course(request, tenant, (namespace, flow_id), metric, None)

    async def course_of_task(
        self, request: Request, tenant: str, namespace: str, flow_id: str, task_id: str, metric: str
    ) -> Response:
        """Return a metric of a task over time."""
        return await self._course(request, tenant, (namespace, flow_id), metric, task_id)

    async def _course(
        self, request: Request, tenant: str, flow: tuple[str, str], metric: str, task_id: str | None
    ) -> Response:
        course = await self._metrics.course(
            tenant,
            flow,
            metric,
            task_id=task_id,
            start=_date(request, "startDate"),
            end=_date(request, "endDate"),
            aggregation=request.query_params.get("aggregation") or "sum",
        )
        points = [{"name": metric, "value": value, "date": iso(date)} for date, value in course.points]
        return JsonAnswer({"groupBy": course.step, "aggregations": points})


def _date(request: Request, name: str) -> Instant | None:
    text = request.query_params.get(name)
    return read_date(name, text) if text else None
