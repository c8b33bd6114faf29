"""Executions as a table for spreadsheets: all that meet the filters, one page of the search after another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from penstock.api.answers import attachment
from penstock.api.render.instants import iso
from penstock.api.routes.table import FILTERS, Routes
from penstock.api.search import filters_of
from penstock.base.clock import Clock
from penstock.base.codec import to_json_text
from penstock.base.durations import format_duration
from penstock.engine.records import Execution
from penstock.ports.queries import Filter, PageRequest
from penstock.services.executions import ExecutionReader
from penstock.services.tables import csv_text

_PAGE = 500
_IN_ORDER = (("id", True),)
"""Newest first would shift the pages while executions are created."""
_COLUMNS = (
    "id",
    "namespace",
    "flowId",
    "flowRevision",
    "state",
    "startDate",
    "endDate",
    "duration",
    "labels",
    "trigger",
)


class ExportRoutes:
    """Implements the CSV export of API-101.

    Args:
        reader: Finds executions.
        clock: The present, for time ranges and durations.
    """

    def __init__(self, reader: ExecutionReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/executions", "Executions")
        routes.add("GET", "/export/by-query/csv", self.export, "exportExecutions", kind="text/csv", parameters=FILTERS)
        return routes.router

    async def export(self, request: Request, tenant: str) -> Response:
        """Return all executions that meet the filters as CSV, oldest first."""
        filters = filters_of(request.query_params.multi_items(), self._clock.now())
        first = await self._reader.search(
            tenant, filters, PageRequest(1, _PAGE, _IN_ORDER)
        )  # a wrong filter fails here
        table = self._table(tenant, filters, first.results)
        return StreamingResponse(table, media_type="text/csv", headers=attachment("executions.csv"))

    async def _table(self, tenant: str, filters: Sequence[Filter], found: Sequence[Execution]) -> AsyncIterator[bytes]:
        yield _lines([_COLUMNS])
        page = 1
        while found:
            yield _lines([self._row(execution) for execution in found])
            if len(found) < _PAGE:
                return
            page += 1
            found = (await self._reader.search(tenant, filters, PageRequest(page, _PAGE, _IN_ORDER))).results

    def _row(self, execution: Execution) -> Sequence[str | int]:
        state = execution.state
        end = state.end
        return (
            execution.id,
            execution.namespace,
            execution.flow_id,
            execution.flow_revision,
            state.current.value,
            iso(state.start),
            "" if end is None else iso(end),
            format_duration(max(0, (self._clock.now() if end is None else end) - state.start)),
            to_json_text(dict(execution.labels)),
            "" if execution.trigger is None else execution.trigger.id,
        )


def _lines(rows: Sequence[Sequence[str | int]]) -> bytes:
    return csv_text(rows).encode()
