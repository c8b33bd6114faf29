"""Dashboards: the default one, one's own, and editing with a preview."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.flows import FAILING, HELLO
from tests.ui.server import Server
from tests.ui.test_flows import write_source

pytestmark = pytest.mark.browser

EVERY_KIND = """\
title: Every kind
timeWindow: {default: P1D, max: P30D}
charts:
  - id: ratio
    type: io.kestra.plugin.core.dashboard.chart.KPI
    chartOptions: {displayName: Ratio, numberType: PERCENTAGE, width: 3}
    data:
      type: io.kestra.plugin.core.dashboard.data.ExecutionsKPI
      columns: {field: ID, agg: COUNT}
      numerator: [{field: STATE, type: IN, values: [SUCCESS]}]
      where: [{field: FLOW_ID, type: EQUAL_TO, value: charted}]
  - id: bars
    type: io.kestra.plugin.core.dashboard.chart.Bar
    chartOptions: {displayName: By namespace, column: namespace}
    data: &states
      type: io.kestra.plugin.core.dashboard.data.Executions
      columns: {namespace: {field: NAMESPACE}, state: {field: STATE}, total: {agg: COUNT}}
  - id: donut
    type: io.kestra.plugin.core.dashboard.chart.Pie
    chartOptions: {displayName: By state, colorByColumn: state}
    data:
      type: io.kestra.plugin.core.dashboard.data.Executions
      columns: {state: {field: STATE}, total: {agg: COUNT}}
  - id: course
    type: io.kestra.plugin.core.dashboard.chart.TimeSeries
    chartOptions: {displayName: Over time, column: date, colorByColumn: state}
    data:
      type: io.kestra.plugin.core.dashboard.data.Executions
      columns: {date: {field: START_DATE}, state: {field: STATE}, total: {agg: COUNT, graphStyle: BARS}}
  - id: rows
    type: io.kestra.plugin.core.dashboard.chart.Table
    chartOptions: {displayName: The executions}
    data:
      type: io.kestra.plugin.core.dashboard.data.Executions
      columns: {id: {field: ID}, namespace: {field: NAMESPACE}, flow: {field: FLOW_ID}, state: {field: STATE}}
      where: [{field: FLOW_ID, type: EQUAL_TO, value: charted}]
  - id: notes
    type: io.kestra.plugin.core.dashboard.chart.Markdown
    chartOptions: {displayName: Notes}
    source: {type: Text, content: "Look **here** first."}
  - id: nothing
    type: io.kestra.plugin.core.dashboard.chart.Pie
    chartOptions: {displayName: Nothing, colorByColumn: state}
    data:
      type: io.kestra.plugin.core.dashboard.data.Executions
      columns: {state: {field: STATE}, total: {agg: COUNT}}
      where: [{field: FLOW_ID, type: EQUAL_TO, value: there_is_no_such_flow}]
"""


def test_default_dashboard_shows_what_ran_and_what_failed(page: Page, server: Server) -> None:
    """Implements UI-030 in the browser."""
    server.create_flow(FAILING.format(id="on_the_dashboard"))
    execution_id = server.execute("ui.tests", "on_the_dashboard")
    page.goto("/ui/main/dashboards?flowId=on_the_dashboard")
    for title in ("Executions over time", "Executions by state", "Executions by namespace", "Failures by namespace"):
        expect(page.get_by_role("img", name=title).locator("svg")).to_be_visible()
    expect(page.get_by_role("region", name="Success ratio")).to_contain_text("0%")
    expect(page.get_by_role("region", name="Errors").first).to_contain_text("the orders are missing")
    page.get_by_role("region", name="Failed executions").get_by_role("link", name=execution_id[:8]).click()
    page.wait_for_url(f"**/executions/ui.tests/on_the_dashboard/{execution_id}")


def test_dashboard_of_ones_own_draws_every_kind_of_chart(page: Page, server: Server) -> None:
    """Implements UI-040 to UI-048 (drawing), UI-033 in the browser."""
    for flow in (FAILING, HELLO):
        server.create_flow(flow.format(id="charted"))
        server.execute("ui.tests", "charted")
    headers = {"Content-Type": "application/x-yaml"}
    answer = server.client.post("/api/v1/main/dashboards", content=f"id: every_kind\n{EVERY_KIND}", headers=headers)
    assert answer.status_code < 300, answer.text
    page.goto("/ui/main/dashboards")
    page.get_by_role("button", name="Dashboard Overview: choose another").click()
    page.get_by_role("menuitem", name="Every kind").click()
    expect(page.get_by_role("region", name="Ratio")).to_contain_text("50%")
    for title in ("By namespace", "By state", "Over time"):
        expect(page.get_by_role("img", name=title).locator("svg path").first).to_be_attached()
    expect(page.get_by_role("region", name="Notes").locator("strong")).to_have_text("here")
    expect(page.get_by_role("region", name="Nothing")).to_contain_text("No data")
    rows = page.get_by_role("region", name="The executions")
    expect(rows.get_by_role("row")).to_have_count(3)
    rows.hover()
    with page.expect_download() as saved:
        rows.get_by_role("button", name="Download The executions as CSV").click()
    assert len(saved.value.path().read_text().splitlines()) == 3
    page.get_by_role("button", name="Delete dashboard").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete dashboard").click()
    page.wait_for_url("**/ui/main/dashboards")
    assert server.client.get("/api/v1/main/dashboards/every_kind").status_code == 404


def test_dashboard_is_previewed_before_it_is_saved(page: Page, server: Server) -> None:
    """Implements UI-034 in the browser."""
    page.goto("/ui/main/dashboards/new")
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_role("region", name="Success ratio")).to_be_visible()
    write_source(page, "id: previewed\ntitle: Previewed\ncharts: []\n")
    expect(preview.get_by_role("region")).to_have_count(0)
    page.get_by_role("button", name="Add a chart").click()
    page.get_by_role("menuitem", name="Text").click()
    expect(preview.get_by_role("region", name="Notes")).to_contain_text("Write Markdown here.")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/dashboards/previewed/edit")
    page.get_by_role("link", name="View").click()
    expect(page.get_by_role("region", name="Notes")).to_be_visible()
    assert server.client.delete("/api/v1/main/dashboards/previewed").status_code == 204


def test_dashboard_with_errors_says_where_they_are(page: Page) -> None:
    page.goto("/ui/main/dashboards/new")
    page.locator(".monaco-editor .view-line").first.wait_for()
    write_source(page, EVERY_KIND.replace("width: 3", "width: 40"))
    expect(page.get_by_role("region", name="Problems")).to_contain_text("width")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("region", name="Problems")).to_contain_text("width")
    assert page.url.endswith("/dashboards/new")


def test_dashboard_is_built_as_a_form_and_goes_on_as_text(page: Page, server: Server) -> None:
    """Implements UI-034 (form, documentation, blueprints) and UI-035 in the browser: a ratio from nothing."""
    server.create_flow(HELLO.format(id="counted"))
    server.execute("ui.tests", "counted")
    page.goto("/ui/main/dashboards/new?panes=source,form,preview")
    page.locator(".monaco-editor .view-line").first.wait_for()
    write_source(page, "# of my own\nid: formed\ntitle: Formed\ntimeWindow:\n  default: P365D\n")
    form = page.get_by_role("region", name="Form")
    form.get_by_role("button", name="Add to charts").click()
    form.get_by_label("type", exact=True).select_option(label="chart.KPI")
    form.get_by_role("button", name="chartOptions", exact=True).click()
    form.get_by_label("displayName", exact=True).fill("Ratio")
    form.get_by_text("Optional properties").click()
    form.get_by_label("numberType", exact=True).select_option("PERCENTAGE")
    form.get_by_label("width", exact=True).fill("3")
    form.get_by_role("button", name="chart_1", exact=True).click()
    form.get_by_role("button", name="data", exact=True).click()
    form.get_by_label("type", exact=True).select_option(label="data.ExecutionsKPI")
    form.get_by_role("button", name="columns", exact=True).click()
    form.get_by_label("field", exact=True).select_option("ID")
    form.get_by_label("agg", exact=True).select_option("COUNT")
    form.get_by_role("button", name="data", exact=True).click()
    form.get_by_text("Optional properties").click()
    form.get_by_role("button", name="Add to numerator").click()
    form.get_by_label("type", exact=True).select_option("IN")
    form.get_by_text("Optional properties").click()
    form.get_by_label("field", exact=True).select_option("STATE")
    form.get_by_label("values", exact=True).fill("[SUCCESS]")
    form.get_by_label("values", exact=True).blur()
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_role("region", name="Ratio")).to_contain_text("%")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/dashboards/formed/edit?**")
    saved = server.client.get("/api/v1/main/dashboards/formed").json()["source"]
    assert saved.startswith("# of my own\nid: formed\n")
    assert "displayName: Ratio" in saved
    page.goto("/ui/main/dashboards/formed/edit?panes=source,documentation,blueprints")
    page.locator(".view-line").filter(has_text="agg: COUNT").click()
    expect(page.get_by_role("region", name="Documentation").locator("[aria-current]")).to_contain_text("agg")
    page.get_by_role("button", name="Use What failed").click()
    expect(page.locator(".view-lines")).to_contain_text("failed_ratio")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert "failed_ratio" in server.client.get("/api/v1/main/dashboards/formed").json()["source"]
