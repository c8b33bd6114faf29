"""Logs and metrics (API-103, API-104)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, attachment, paged
from penstock.api.render.logs import log_text, render_log, render_metric
from penstock.api.routes.table import FILTERS, PAGE, Routes, parameter
from penstock.api.search import filters_of, page_of
from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.engine.records import LogLine
from penstock.services.logs import LEVELS, LogSelection, LogService

_SELECTION = [
    parameter("minLevel", {"type": "string", "enum": list(LEVELS)}),
    parameter("taskRunId"),
    parameter("taskId"),
    parameter("attempt", {"type": "integer"}),
]


class LogRoutes:
    """Implements API-103, API-104.

    Args:
        logs: The use cases.
        clock: The present, for time ranges.
    """

    def __init__(self, logs: LogService, clock: Clock) -> None:
        self._logs = logs
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}", "Logs and metrics")
        add = routes.add
        add("GET", "/logs/search", self.search, "searchLogs", answers=schemas.PagedLogs, parameters=[*PAGE, *FILTERS])
        add("GET", "/logs/{execution_id}", self.of_execution, "listLogsFromExecution",
            answers=list[schemas.LogEntry], parameters=_SELECTION)  # fmt: skip
        add("DELETE", "/logs/{execution_id}", self.delete, "deleteLogsFromExecution", parameters=_SELECTION[:2])
        add("GET", "/logs/{execution_id}/download", self.download, "downloadLogsFromExecution", kind="text/plain",
            parameters=_SELECTION)  # fmt: skip
        add("DELETE", "/logs/{namespace}/{flow_id}", self.delete_of_trigger, "deleteLogsFromFlow")
        add("GET", "/metrics/{execution_id}", self.metrics, "searchByExecution", answers=schemas.PagedMetrics,
            parameters=[*PAGE, parameter("taskRunId"), parameter("taskId")])  # fmt: skip
        return routes.router

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of log lines of all executions."""
        pairs = request.query_params.multi_items()
        page = await self._logs.search(tenant, filters_of(pairs, self._clock.now()), page_of(pairs))
        return paged([render_log(line) for line in page.results], page.total)

    async def of_execution(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Return the log lines of an execution, in order."""
        pieces = await self._logs.of(tenant, execution_id, _selection(request))
        return JsonAnswer([render_log(line) async for lines in pieces for line in lines])

    async def download(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Return the log of an execution as a text file."""
        pieces = await self._logs.of(tenant, execution_id, _selection(request))
        headers = attachment(f"{execution_id}.log")
        return StreamingResponse(_texts(pieces), media_type="text/plain; charset=utf-8", headers=headers)

    async def delete(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Remove log lines of an execution."""
        return JsonAnswer({"count": await self._logs.delete(tenant, execution_id, _selection(request))})

    async def delete_of_trigger(self, tenant: str, namespace: str, flow_id: str, triggerId: str) -> Response:  # noqa: N803
        """Remove the log lines of a trigger of a flow."""
        return JsonAnswer({"count": await self._logs.delete_of_trigger(tenant, namespace, flow_id, triggerId)})

    async def metrics(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Return a page of an execution's metrics."""
        query = request.query_params
        found = await self._logs.metrics(tenant, execution_id, query.get("taskRunId"), query.get("taskId"))
        page = page_of(query.multi_items())
        first = (page.page - 1) * page.size
        results: list[Any] = [render_metric(metric) for metric in found[first : first + page.size]]
        return paged(results, len(found))


async def _texts(pieces: AsyncIterator[Sequence[LogLine]]) -> AsyncIterator[str]:
    async for lines in pieces:
        yield log_text(lines)


def _selection(request: Request) -> LogSelection:
    query = request.query_params
    attempt = query.get("attempt")
    if attempt and not attempt.isdecimal():
        raise InvalidRequestError(f"`attempt` must be a number, not `{attempt}`")
    return LogSelection(
        min_level=query.get("minLevel") or None,
        task_run_id=query.get("taskRunId") or None,
        task_id=query.get("taskId") or None,
        attempt=int(attempt) if attempt else None,
    )
