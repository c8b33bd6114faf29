"""Dashboards: keeping them, and what their charts show."""

from penstock.services.dashboards.charts import ChartData
from penstock.services.dashboards.overrides import Overrides
from penstock.services.dashboards.service import Dashboard, DashboardService

__all__ = ["ChartData", "Dashboard", "DashboardService", "Overrides"]
