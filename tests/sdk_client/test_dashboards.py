"""The official client's methods for dashboards (API-109)."""

from __future__ import annotations

import pytest
from kestrapy.exceptions import NotFoundException, UnprocessableEntityException
from kestrapy.models.chart_filters_overrides import ChartFiltersOverrides
from kestrapy.models.dashboard import Dashboard
from kestrapy.models.dashboard_controller_preview_request import DashboardControllerPreviewRequest

from tests.sdk_client.conftest import TENANT, Sdk
from tests.sdk_client.flows import HELLO

CHART = """\
id: bars
type: io.kestra.plugin.core.dashboard.chart.Bar
chartOptions: {displayName: By state, column: state}
data:
  type: io.kestra.plugin.core.dashboard.data.Executions
  columns:
    state: {field: STATE}
    total: {agg: COUNT}
"""


def board(sdk: Sdk, title: str = "Mine") -> str:
    chart = CHART.replace("\n", "\n    ").rstrip()
    return f"id: {sdk.namespace.replace('.', '-')}\ntitle: {title}\ncharts:\n  - {chart}\n"


def test_dashboard_is_created_read_updated_found_and_deleted(sdk: Sdk) -> None:
    dashboards = sdk.api.dashboards
    created = dashboards.create_dashboard(TENANT, board(sdk))
    assert Dashboard.from_dict(created).charts[0].id == "bars"
    assert dashboards.update_dashboard(created["id"], TENANT, board(sdk, "Ours"))["title"] == "Ours"
    assert dashboards.dashboard(created["id"], TENANT)["title"] == "Ours"
    assert dashboards.search_dashboards(TENANT, page=1, size=5, q=created["id"], sort=["title:asc"])["total"] == 1
    dashboards.delete_dashboard(created["id"], TENANT)
    with pytest.raises(NotFoundException):
        dashboards.dashboard(created["id"], TENANT)


def test_validate_dashboard_and_chart_tell_what_is_wrong(sdk: Sdk) -> None:
    assert sdk.api.dashboards.validate_dashboard(TENANT, board(sdk)).constraints is None
    assert sdk.api.dashboards.validate_chart(TENANT, CHART).constraints is None
    assert "COLOUR" in sdk.api.dashboards.validate_chart(TENANT, CHART.replace("STATE", "COLOUR")).constraints
    with pytest.raises(UnprocessableEntityException):
        sdk.api.dashboards.create_dashboard(TENANT, board(sdk).replace("STATE", "COLOUR"))


def test_chart_data_are_exported_as_a_table(sdk: Sdk) -> None:
    sdk.flow(HELLO)
    sdk.run("hello")
    created = sdk.api.dashboards.create_dashboard(TENANT, board(sdk))
    narrowed = ChartFiltersOverrides(namespace=sdk.namespace, pageSize=10, pageNumber=1)
    csv = sdk.api.dashboards.export_dashboard_chart_data_to_csv(created["id"], "bars", TENANT, narrowed)
    assert csv == b"state,total\nSUCCESS,1\n"
    request = DashboardControllerPreviewRequest(chart=CHART, globalFilter=narrowed)
    assert sdk.api.dashboards.export_chart_to_csv(TENANT, request) == csv


def test_chart_data_are_rows_by_column(sdk: Sdk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's model of rows takes maps alone for values, and so refuses whatever a chart can hold."""
    monkeypatch.undo()
    sdk.flow(HELLO)
    sdk.run("hello")
    created = sdk.api.dashboards.create_dashboard(TENANT, board(sdk))
    narrowed = ChartFiltersOverrides(namespace=sdk.namespace)
    page = sdk.api.dashboards.dashboard_chart_data(created["id"], "bars", TENANT, narrowed)
    assert page.results == [{"state": "SUCCESS", "total": 1}]
    request = DashboardControllerPreviewRequest(chart=CHART, globalFilter=narrowed)
    assert sdk.api.dashboards.preview_chart(TENANT, request).results == page.results
