"""Dashboards and what their charts show (API-109)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, attachment, no_content, paged
from penstock.api.bodies import decode_json, read_body, read_json, read_text
from penstock.api.render.dashboards import OverridesBody, PreviewBody, overrides_of, render_check, render_dashboard
from penstock.api.routes.table import PAGE, YAML, Routes, json_body, parameter
from penstock.api.search import page_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.services.dashboards import DashboardService, Overrides


class DashboardRoutes:
    """Implements API-109.

    Args:
        dashboards: The use cases.
        clock: The present, for time ranges.
        settings: Bounds.
    """

    def __init__(self, dashboards: DashboardService, clock: Clock, settings: ApiSettings) -> None:
        self._dashboards = dashboards
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes; those with fixed words stand before those with names in the same place."""
        routes = Routes("/api/v1/{tenant}/dashboards", "Dashboards")
        add = routes.add
        preview, filters = json_body(schemas.ChartPreview), json_body(schemas.ChartFilters)
        add("GET", "", self.search, "searchDashboards", answers=schemas.PagedDashboards,
            parameters=[*PAGE, parameter("q")])  # fmt: skip
        add("POST", "", self.create, "createDashboard", answers=schemas.Dashboard, body=YAML)
        add("POST", "/validate", self.validate, "validateDashboard", answers=schemas.Violation, body=YAML)
        add("POST", "/validate/chart", self.validate_chart, "validateChart", answers=schemas.Violation, body=YAML)
        add("POST", "/charts/preview", self.preview, "previewChart", answers=schemas.ChartRows, body=preview)
        add("POST", "/charts/export/to-csv", self.preview_csv, "exportChartToCsv", kind="text/csv", body=preview)
        add("GET", "/{id}", self.get, "dashboard", answers=schemas.Dashboard)
        add("PUT", "/{id}", self.update, "updateDashboard", answers=schemas.Dashboard, body=YAML)
        add("DELETE", "/{id}", self.delete, "deleteDashboard", status=204)
        add("POST", "/{id}/charts/{chart_id}", self.data, "dashboardChartData", answers=schemas.ChartRows,
            body=filters)  # fmt: skip
        add("POST", "/{id}/charts/{chart_id}/export/to-csv", self.csv, "exportDashboardChartDataToCSV",
            kind="text/csv", body=filters)  # fmt: skip
        return routes.router

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of the dashboards people wrote."""
        page = page_of(request.query_params.multi_items())
        found = await self._dashboards.search(tenant, request.query_params.get("q", ""), page)
        return paged([render_dashboard(one) for one in found.results], found.total)

    async def create(self, request: Request, tenant: str) -> Response:
        """Create a dashboard from its YAML source."""
        source = await read_text(request, self._settings)
        return JsonAnswer(render_dashboard(await self._dashboards.create(tenant, source)))

    async def get(self, tenant: str, id: str) -> Response:  # noqa: A002
        """Return a dashboard; `home`, `flow` and `namespace` are there from the start."""
        return JsonAnswer(render_dashboard(await self._dashboards.get(tenant, id)))

    async def update(self, request: Request, tenant: str, id: str) -> Response:  # noqa: A002
        """Replace a dashboard's source; `home`, `flow` and `namespace` get one of your own."""
        source = await read_text(request, self._settings)
        return JsonAnswer(render_dashboard(await self._dashboards.update(tenant, id, source)))

    async def delete(self, tenant: str, id: str) -> Response:  # noqa: A002
        """Delete a dashboard; one that is there from the start is as it was."""
        await self._dashboards.delete(tenant, id)
        return no_content()

    async def validate(self, request: Request, tenant: str) -> Response:
        """Check the source of a dashboard without storing it."""
        return JsonAnswer(render_check(self._dashboards.check(await read_text(request, self._settings))))

    async def validate_chart(self, request: Request, tenant: str) -> Response:
        """Check the source of one chart."""
        return JsonAnswer(render_check(self._dashboards.check_chart(await read_text(request, self._settings))))

    async def data(self, request: Request, tenant: str, id: str, chart_id: str) -> Response:  # noqa: A002
        """Return a page of what a chart shows."""
        page = await self._dashboards.rows(tenant, id, chart_id, await self._overrides(request))
        return paged(list(page.results), page.total)

    async def csv(self, request: Request, tenant: str, id: str, chart_id: str) -> Response:  # noqa: A002
        """Return all that a chart shows as CSV."""
        text = await self._dashboards.csv(tenant, id, chart_id, await self._overrides(request))
        return _csv(text, f"{id}-{chart_id}.csv")

    async def preview(self, request: Request, tenant: str) -> Response:
        """Return a page of what a chart would show that is not saved yet."""
        body = await read_json(request, self._settings, PreviewBody)
        overrides = overrides_of(body.global_filter, self._clock.now())
        page = await self._dashboards.preview(tenant, body.chart, overrides)
        return paged(list(page.results), page.total)

    async def preview_csv(self, request: Request, tenant: str) -> Response:
        """Return all that a chart would show as CSV."""
        body = await read_json(request, self._settings, PreviewBody)
        overrides = overrides_of(body.global_filter, self._clock.now())
        return _csv(await self._dashboards.preview_csv(tenant, body.chart, overrides), "chart.csv")

    async def _overrides(self, request: Request) -> Overrides:
        body = await read_body(request, self._settings)
        return overrides_of(decode_json(body, OverridesBody) if body.strip() else None, self._clock.now())


def _csv(text: str, name: str) -> Response:
    return Response(text, media_type="text/csv; charset=utf-8", headers=attachment(name))
