"""Dashboards as code: reading them, and finding everything that is wrong with them."""

from penstock.model.dashboards.documents import (
    BarChart,
    Chart,
    Column,
    DashboardDocument,
    DataFilter,
    KpiChart,
    MarkdownChart,
    Order,
    PieChart,
    TableChart,
    TimeSeriesChart,
)
from penstock.model.dashboards.parsing import ParsedChart, ParsedDashboard, parse_chart, parse_dashboard
from penstock.model.dashboards.schema import chart_schema, dashboard_schema
from penstock.model.dashboards.sources import SOURCES, Kind, Source

__all__ = [
    "SOURCES",
    "BarChart",
    "Chart",
    "Column",
    "DashboardDocument",
    "DataFilter",
    "Kind",
    "KpiChart",
    "MarkdownChart",
    "Order",
    "ParsedChart",
    "ParsedDashboard",
    "PieChart",
    "Source",
    "TableChart",
    "TimeSeriesChart",
    "chart_schema",
    "dashboard_schema",
    "parse_chart",
    "parse_dashboard",
]
