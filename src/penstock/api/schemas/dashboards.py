"""Dashboards and what their charts show."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from penstock.api.schemas.base import Shape


class DashboardWindow(Shape):
    """How much of the past a dashboard shows, as ISO 8601 durations."""

    default: str
    max: str


class DashboardChart(Shape):
    """A chart as written; its type says what else it has."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    id: str
    type: str
    chart_options: dict[str, Any] | None = None


class Dashboard(Shape):
    """A dashboard with its source."""

    id: str
    title: str
    description: str | None = None
    time_window: DashboardWindow
    charts: list[DashboardChart]
    deleted: bool
    is_default: bool = Field(description="Whether it is there from the start, as written by nobody here.")
    created: datetime | None = None
    updated: datetime | None = None
    source: str
    source_code: str = Field(description="The same under its older name.")


class PagedDashboards(Shape):
    """A page of dashboards."""

    results: list[Dashboard]
    total: int


class ChartRows(Shape):
    """A page of what a chart shows: rows by column key. A KPI has one row with `value`, or none; Markdown `content`."""

    results: list[dict[str, Any]]
    total: int


class ChartFilter(Shape):
    """One filter; the operations are those of searches."""

    field: str = Field(description="Such as `namespace`, `flowId`, `state`, `labels`, `scope`, `timeRange`, `level`.")
    operation: str = "EQUALS"
    value: Any = None


class ChartFilters(Shape):
    """What all charts of a dashboard are narrowed to; where the source has no such field it does not matter."""

    start_date: datetime | None = None
    end_date: datetime | None = None
    page_size: int | None = Field(None, ge=1)
    page_number: int | None = Field(None, ge=1)
    namespace: str | None = Field(None, description="It, and what lies below it.")
    labels: dict[str, str] | None = None
    filters: list[ChartFilter] | None = None


class ChartPreview(Shape):
    """A chart that is not saved yet."""

    chart: str = Field(description="Its YAML source.")
    global_filter: ChartFilters | None = None
