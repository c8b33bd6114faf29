"""Logs and metrics (API-103, API-104)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, attachment, paged
from penstock.api.render.logs import log_text, render_log, render_metric, render_outline
from penstock.api.routes.log_selection import LOG_LIMIT, LOG_SELECTION, LOG_STEP, log_number, log_selection
from penstock.api.routes.table import FILTERS, PAGE, Routes, parameter
from penstock.api.search import filters_of, page_of, recent
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.engine.records import LogLine
from penstock.services.log_windows import LogPosition, LogWindows
from penstock.services.logs import LogService

_WINDOW = parameter("after", text="the position to read from, as the marks give it; the beginning by default")
_LAST = parameter("last", {"type": "boolean"}, text="the last lines instead")


class LogRoutes:
    """Implements API-103, API-104.

    Args:
        logs: The use cases.
        windows: Reads pieces of long logs.
        clock: The present, for time ranges.
        settings: How far back lists reach.
    """

    def __init__(self, logs: LogService, windows: LogWindows, clock: Clock, settings: ApiSettings) -> None:
        self._logs = logs
        self._windows = windows
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}", "Logs and metrics")
        add = routes.add
        add("GET", "/logs/search", self.search, "searchLogs", answers=schemas.PagedLogs, parameters=[*PAGE, *FILTERS])
        add("GET", "/logs/{execution_id}", self.of_execution, "listLogsFromExecution",
            answers=list[schemas.LogEntry], parameters=LOG_SELECTION)  # fmt: skip
        add("GET", "/logs/{execution_id}/marks", self.marks, "outlineLogsFromExecution", answers=schemas.LogOutline,
            parameters=[*LOG_SELECTION, _WINDOW, LOG_STEP])  # fmt: skip
        add("GET", "/logs/{execution_id}/window", self.window, "readLogsFromExecution", answers=list[schemas.LogEntry],
            parameters=[*LOG_SELECTION, _WINDOW, LOG_LIMIT, _LAST])  # fmt: skip
        add("GET", "/logs/{execution_id}/counts", self.counts, "countLogsFromExecution",
            answers=list[schemas.LogCount], parameters=LOG_SELECTION)  # fmt: skip
        add("DELETE", "/logs/{execution_id}", self.delete, "deleteLogsFromExecution", parameters=LOG_SELECTION[:2])
        add("GET", "/logs/{execution_id}/download", self.download, "downloadLogsFromExecution", kind="text/plain",
            parameters=LOG_SELECTION)  # fmt: skip
        add("DELETE", "/logs/{namespace}/{flow_id}", self.delete_of_trigger, "deleteLogsFromFlow")
        add("GET", "/metrics/{execution_id}", self.metrics, "searchByExecution", answers=schemas.PagedMetrics,
            parameters=[*PAGE, parameter("taskRunId"), parameter("taskId")])  # fmt: skip
        return routes.router

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of log lines of all executions, of the last time unless a time is asked for.

        Of many lines not all are counted: `total` is then less than there are, and `totalIsExact` false.
        """
        pairs, now = request.query_params.multi_items(), self._clock.now()
        filters = recent(filters_of(pairs, now), self._settings.list_range, now)
        page = await self._logs.search(tenant, filters, page_of(pairs))
        lines = [render_log(line) for line in page.results]
        return JsonAnswer({"results": lines, "total": page.total, "totalIsExact": page.is_exact})

    async def of_execution(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Return the log lines of an execution, in order."""
        pieces = await self._logs.of(tenant, execution_id, log_selection(request))
        return JsonAnswer([render_log(line) async for lines in pieces for line in lines])

    async def download(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Return the log of an execution as a text file."""
        pieces = await self._logs.of(tenant, execution_id, log_selection(request))
        headers = attachment(f"{execution_id}.log")
        return StreamingResponse(_texts(pieces), media_type="text/plain; charset=utf-8", headers=headers)

    async def marks(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Return how many lines there are, and the position at which each window of them begins."""
        step = log_number(request, "step")
        outline = await self._windows.outline(tenant, execution_id, log_selection(request), _after(request), step)
        return JsonAnswer(render_outline(outline))

    async def window(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Return some lines behind a position, or the last ones."""
        wanted, limit = log_selection(request), log_number(request, "limit")
        if request.query_params.get("last") == "true":
            lines = await self._windows.last(tenant, execution_id, wanted, limit)
        else:
            lines = await self._windows.window(tenant, execution_id, wanted, _after(request), limit)
        return JsonAnswer([render_log(line) for line in lines])

    async def counts(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Return how many lines each task run wrote."""
        counts = await self._windows.counts(tenant, execution_id, log_selection(request))
        return JsonAnswer([{"taskRunId": one.task_run_id, "taskId": one.task_id, "count": one.count} for one in counts])

    async def delete(self, request: Request, tenant: str, execution_id: str) -> Response:
        """Remove log lines of an execution."""
        return JsonAnswer({"count": await self._logs.delete(tenant, execution_id, log_selection(request))})

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


def _after(request: Request) -> LogPosition:
    return LogPosition.parse(request.query_params.get("after") or "0")
