"""Dashboards of a tenant: those people write, and those that are there from the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from penstock.base.clock import Clock
from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.base.ids import new_id
from penstock.model.dashboards import Chart, DashboardDocument, ParsedDashboard, parse_chart, parse_dashboard
from penstock.model.problems import InvalidFlow, Problem
from penstock.ports.dashboards import DashboardStore, StoredDashboard
from penstock.ports.queries import Page, PageRequest
from penstock.services.dashboards.charts import ChartData, Row
from penstock.services.dashboards.overrides import Overrides

DEFAULTS = ("home", "flow", "namespace")
"""The dashboards that are there from the start; one of the same id that somebody writes takes its place."""


class InvalidDashboard(InvalidFlow):
    """A dashboard or a chart with errors; carries every problem."""

    code = "INVALID_DASHBOARD"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard, read."""

    stored: StoredDashboard
    document: DashboardDocument
    charts: Sequence[Chart]
    is_default: bool = False
    """Whether it is one that nobody wrote."""


class DashboardService:
    """Implements API-109, UI-030, UI-040 to UI-053.

    Args:
        dashboards: Where they are stored.
        data: What charts show.
        clock: Dates changes.
    """

    def __init__(self, dashboards: DashboardStore, data: ChartData, clock: Clock) -> None:
        self._dashboards = dashboards
        self._data = data
        self._clock = clock

    async def get(self, tenant: str, dashboard_id: str) -> Dashboard:
        """Return a dashboard.

        Raises:
            NotFoundError: There is none.
        """
        stored = await self._dashboards.get(tenant, dashboard_id)
        if stored is not None:
            return _read(stored)
        if dashboard_id not in DEFAULTS:
            raise NotFoundError(f"there is no dashboard {dashboard_id}")
        return _default(tenant, dashboard_id)

    async def search(self, tenant: str, query: str, page: PageRequest) -> Page[Dashboard]:
        """Return the dashboards people wrote whose id or title contains a text."""
        found = await self._dashboards.search(tenant, query, page)
        return Page([_read(one) for one in found.results], found.total)

    async def create(self, tenant: str, source: str) -> Dashboard:
        """Store a new dashboard; one that names no id gets one.

        Raises:
            InvalidDashboard: The source is no valid dashboard.
            InvalidRequestError: There is such a dashboard already.
        """
        parsed, document = _valid(source)
        now = self._clock.now()
        dashboard_id = document.id or new_id()
        stored = StoredDashboard(tenant, dashboard_id, document.title, document.description, source, now, now)
        try:
            saved = await self._dashboards.save(stored, is_new=True)
        except ConflictError as error:
            message = f"Invalid entity: Dashboard already exists for id '{dashboard_id}'"
            raise InvalidRequestError(message, hint=error.hint) from error
        return Dashboard(saved, document, parsed.charts)

    async def update(self, tenant: str, dashboard_id: str, source: str) -> Dashboard:
        """Replace a dashboard; one that is there from the start may be replaced too.

        Raises:
            NotFoundError: There is none.
            InvalidDashboard: The source is no valid dashboard.
            InvalidRequestError: The source names another one.
        """
        if dashboard_id not in DEFAULTS and await self._dashboards.get(tenant, dashboard_id) is None:
            raise NotFoundError(f"there is no dashboard {dashboard_id}")
        parsed, document = _valid(source)
        if document.id not in (None, dashboard_id):
            raise InvalidRequestError(
                f"the source is dashboard {document.id}, not {dashboard_id}", hint="the id of a dashboard cannot change"
            )
        now = self._clock.now()
        stored = StoredDashboard(tenant, dashboard_id, document.title, document.description, source, now, now)
        return Dashboard(await self._dashboards.save(stored, is_new=False), document, parsed.charts)

    async def delete(self, tenant: str, dashboard_id: str) -> None:
        """Remove a dashboard; what it took the place of is there again.

        Raises:
            NotFoundError: There is none that somebody wrote.
        """
        if not await self._dashboards.delete(tenant, dashboard_id):
            raise NotFoundError(f"there is no dashboard {dashboard_id} that could be deleted")

    def check(self, source: str) -> Sequence[Problem]:
        """Return everything that is wrong with the source of a dashboard."""
        return parse_dashboard(source).problems

    def check_chart(self, source: str) -> Sequence[Problem]:
        """Return everything that is wrong with the source of a chart."""
        return parse_chart(source).problems

    async def rows(self, tenant: str, dashboard_id: str, chart_id: str, overrides: Overrides) -> Page[Row]:
        """Return a page of what a chart of a dashboard shows.

        Raises:
            NotFoundError: There is no such dashboard or chart.
        """
        dashboard, chart = await self._chart(tenant, dashboard_id, chart_id)
        window = dashboard.document.time_window
        return await self._data.rows(tenant, chart, overrides, usual=window.default, longest=window.max)

    async def csv(self, tenant: str, dashboard_id: str, chart_id: str, overrides: Overrides) -> str:
        """Return all that a chart of a dashboard shows as CSV."""
        dashboard, chart = await self._chart(tenant, dashboard_id, chart_id)
        window = dashboard.document.time_window
        return await self._data.csv(tenant, chart, overrides, usual=window.default, longest=window.max)

    async def preview(self, tenant: str, source: str, overrides: Overrides) -> Page[Row]:
        """Return a page of what a chart would show that is not saved yet."""
        return await self._data.rows(tenant, _valid_chart(source), overrides)

    async def preview_csv(self, tenant: str, source: str, overrides: Overrides) -> str:
        """Return all that a chart would show as CSV."""
        return await self._data.csv(tenant, _valid_chart(source), overrides)

    async def _chart(self, tenant: str, dashboard_id: str, chart_id: str) -> tuple[Dashboard, Chart]:
        dashboard = await self.get(tenant, dashboard_id)
        for chart in dashboard.charts:
            if chart.id == chart_id:
                return dashboard, chart
        raise NotFoundError(f"dashboard {dashboard_id} has no chart `{chart_id}`")


def _valid(source: str) -> tuple[ParsedDashboard, DashboardDocument]:
    parsed = parse_dashboard(source)
    if parsed.document is None:
        raise InvalidDashboard(parsed.problems)
    return parsed, parsed.document


def _valid_chart(source: str) -> Chart:
    parsed = parse_chart(source)
    if parsed.chart is None:
        raise InvalidDashboard(parsed.problems)
    return parsed.chart


def _read(stored: StoredDashboard) -> Dashboard:
    parsed, document = _valid(stored.source)
    return Dashboard(stored, document, parsed.charts)


def _default(tenant: str, dashboard_id: str) -> Dashboard:
    source = resources.files(__package__).joinpath("defaults", f"{dashboard_id}.yaml").read_text("utf-8")
    parsed, document = _valid(source)
    stored = StoredDashboard(tenant, dashboard_id, document.title, document.description, source, 0, 0)
    return Dashboard(stored, document, parsed.charts, is_default=True)
