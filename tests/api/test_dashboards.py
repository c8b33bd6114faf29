"""Dashboards over HTTP: kept as written, their charts show what ran."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest

from penstock.api import schemas
from penstock.model.dashboards import parse_dashboard
from penstock.model.dashboards.sources import SOURCES
from penstock.services.dashboards.service import DEFAULTS
from tests.api.flows import FAILING, GREETING
from tests.api.test_shapes import check
from tests.support.live import LiveServer

API = "/api/v1/main/dashboards"
CHART = "io.kestra.plugin.core.dashboard.chart"
DATA = "io.kestra.plugin.core.dashboard.data"
RATIO = f"""
  - id: ratio
    type: {CHART}.KPI
    chartOptions: {{displayName: Success Ratio, numberType: PERCENTAGE, width: 3}}
    data:
      type: {DATA}.ExecutionsKPI
      columns: {{field: FLOW_ID, agg: COUNT}}
      numerator:
        - {{field: STATE, type: IN, values: [SUCCESS]}}
"""
BARS = f"""
  - id: bars
    type: {CHART}.Bar
    chartOptions: {{displayName: By state, column: state}}
    data:
      type: {DATA}.Executions
      columns:
        state: {{field: STATE}}
        total: {{displayName: =Executions, agg: COUNT}}
"""
COURSE = f"""
  - id: course
    type: {CHART}.TimeSeries
    chartOptions: {{displayName: Over time, column: date, colorByColumn: state}}
    data:
      type: {DATA}.Executions
      columns:
        date: {{field: START_DATE}}
        state: {{field: STATE}}
        total: {{agg: COUNT, graphStyle: BARS}}
        duration: {{field: DURATION, agg: SUM, graphStyle: LINES}}
"""
LOGS = f"""
  - id: lines
    type: {CHART}.Table
    chartOptions: {{displayName: Lines}}
    data:
      type: {DATA}.Logs
      columns:
        level: {{field: LEVEL, displayName: Level}}
        count: {{agg: COUNT}}
      where:
        - {{field: NAMESPACE, type: EQUAL_TO, value: team}}
      orderBy:
        - {{column: count, order: DESC}}
"""
NOTES = f"""
  - id: notes
    type: {CHART}.Markdown
    chartOptions: {{displayName: Notes}}
    content: |
      ## Hello
  - id: described
    type: {CHART}.Markdown
    chartOptions: {{displayName: Described}}
    source: {{type: FlowDescription, namespace: team, flowId: greeting}}
"""
DASHBOARD = f"""# what matters
id: mine
title: What matters
description: To us
timeWindow: {{default: P1D, max: P30D}}
charts:{RATIO}{BARS}{COURSE}{LOGS}{NOTES}"""


async def rows(server: LiveServer, chart: str, **body: Any) -> dict[str, Any]:
    answer = await server.client.post(f"{API}/mine/charts/{chart}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    check(schemas.ChartRows, found)
    return found


async def test_dashboard_is_kept_as_written_until_it_is_deleted(server: LiveServer) -> None:
    """API-109, UI-040, UI-041, API-006."""
    created = (await server.client.post(API, content=DASHBOARD)).json()
    check(schemas.Dashboard, created)
    assert created["source"] == DASHBOARD
    assert [chart["id"] for chart in created["charts"]] == ["ratio", "bars", "course", "lines", "notes", "described"]
    again = await server.client.post(API, content=DASHBOARD)
    assert (again.status_code, "already exists" in again.json()["message"]) == (422, True)
    changed = (await server.client.put(f"{API}/mine", content=DASHBOARD.replace("What matters", "All"))).json()
    assert (changed["title"], changed["created"]) == ("All", created["created"])
    other = await server.client.put(f"{API}/mine", content=DASHBOARD.replace("id: mine", "id: yours"))
    assert other.status_code == 422
    found = (await server.client.get(API, params={"q": "all"})).json()
    check(schemas.PagedDashboards, found)
    assert [one["id"] for one in found["results"]] == ["mine"]
    assert (await server.client.delete(f"{API}/mine")).status_code == 204
    for method in ("GET", "PUT", "DELETE"):
        assert (await server.client.request(method, f"{API}/mine", content=DASHBOARD)).status_code == 404
    nameless = (await server.client.post(API, content=DASHBOARD.replace("id: mine\n", ""))).json()
    assert nameless["id"]


async def test_charts_show_what_ran(server: LiveServer) -> None:
    """UI-043, UI-045 to UI-050, UI-033."""
    await server.client.post(API, content=DASHBOARD)
    assert await rows(server, "ratio") == {"results": [], "total": 0}
    assert await rows(server, "bars") == {"results": [], "total": 0}
    await server.flow(GREETING.replace("inputs:", "description: '**Greets**'\ninputs:"))
    await server.flow(FAILING)
    for flow in ("greeting", "greeting", "greeting", "failing"):
        await server.run(flow)
    assert (await rows(server, "ratio"))["results"] == [{"value": 75.0}]
    states = [{"state": "FAILED", "total": 1}, {"state": "SUCCESS", "total": 3}]
    assert await rows(server, "bars") == {"results": states, "total": 2}
    assert (await rows(server, "bars", pageSize=1, pageNumber=2))["results"] == states[1:]
    course = (await rows(server, "course"))["results"]
    assert {row["date"][13:19] for row in course} == {":00:00"}, "a day is shown by hours"
    assert sum(row["total"] for row in course) == 4
    assert all(row["duration"] > 0 for row in course)
    assert {row["level"] for row in (await rows(server, "lines"))["results"]} >= {"ERROR"}
    assert (await rows(server, "notes"))["results"] == [{"content": "## Hello\n"}]
    assert (await rows(server, "described"))["results"] == [{"content": "**Greets**"}]
    csv = await server.client.post(f"{API}/mine/charts/bars/export/to-csv", json={"pageSize": 1})
    assert csv.text == "state,'=Executions\nFAILED,1\nSUCCESS,3\n", "all rows, and no formula"


async def test_charts_are_narrowed_to_what_their_viewer_asks_for(server: LiveServer) -> None:
    """API-049, UI-032."""
    await server.client.post(API, content=DASHBOARD)
    await server.flow(GREETING)
    await server.flow(FAILING)
    await server.run("greeting", params={"labels": "team:a"})
    await server.run("failing")
    for body, total in (
        ({"namespace": "team"}, 2),
        ({"namespace": "tea"}, 0),
        ({"labels": {"team": "a"}}, 1),
        ({"startDate": "2026-01-01T00:00:00Z", "endDate": "2026-01-02T00:00:00Z"}, 0),
        ({"filters": [{"field": "flowId", "operation": "EQUALS", "value": "greeting"}]}, 1),
        ({"filters": [{"field": "FLOW_ID", "operation": "IN", "value": ["greeting", "failing"]}]}, 2),
        ({"filters": [{"field": "state", "operation": "NOT_IN", "value": ["FAILED"]}]}, 1),
        ({"filters": [{"field": "labels", "operation": "EQUALS", "value": {"team": "b"}}]}, 0),
        ({"filters": [{"field": "timeRange", "operation": "EQUALS", "value": "PT1H"}]}, 2),
        ({"filters": [{"field": "level", "operation": "EQUALS", "value": "ERROR"}]}, 2),
        ({"filters": [{"field": "q", "operation": "EQUALS", "value": "greet"}]}, 1),
        ({"filters": [{"field": "scope", "operation": "EQUALS", "value": "SYSTEM"}]}, 0),
    ):
        assert sum(row["total"] for row in (await rows(server, "bars", **body))["results"]) == total, body
    lines = await rows(server, "lines", filters=[{"field": "level", "operation": "EQUALS", "value": "ERROR"}])
    assert [row["level"] for row in lines["results"]] == ["ERROR"]
    for body, word in (
        ({"filters": [{"field": "colour", "operation": "EQUALS", "value": "red"}]}, "colour"),
        ({"filters": [{"field": "state", "operation": "PREFIX", "value": "S"}]}, "PREFIX"),
        ({"startDate": "2020-01-01T00:00:00Z"}, "at most P30D"),
        ({"startDate": "yesterday"}, "yesterday"),
        ({"pageSize": 0}, "pageSize"),
    ):
        answer = await server.client.post(f"{API}/mine/charts/bars", json=body)
        assert (answer.status_code, word in answer.text) == (422, True), answer.text
    assert (await server.client.post(f"{API}/mine/charts/none", json={})).status_code == 404


async def test_chart_is_previewed_before_it_is_saved(server: LiveServer) -> None:
    """API-109, UI-034."""
    await server.flow(GREETING)
    await server.run("greeting")
    chart = textwrap.dedent(BARS.replace("  - id", "    id"))
    found = await server.client.post(f"{API}/charts/preview", json={"chart": chart})
    assert found.json() == {"results": [{"state": "SUCCESS", "total": 1}], "total": 1}
    body = {"chart": chart, "globalFilter": {"namespace": "other"}}
    assert (await server.client.post(f"{API}/charts/preview", json=body)).json()["total"] == 0
    csv = await server.client.post(f"{API}/charts/export/to-csv", json={"chart": chart})
    assert csv.headers["content-type"].startswith("text/csv")
    assert (await server.client.post(f"{API}/validate/chart", content=chart)).json()["problems"] == []
    wrong = (await server.client.post(f"{API}/validate/chart", content=chart.replace("STATE", "STAET"))).json()
    check(schemas.Violation, wrong)
    assert "the fields are ID" in wrong["constraints"]
    assert (await server.client.post(f"{API}/charts/preview", json={"chart": "type: x"})).status_code == 422


@pytest.mark.parametrize("name", DEFAULTS)
async def test_dashboard_that_is_there_from_the_start_shows_every_chart(server: LiveServer, name: str) -> None:
    """UI-030."""
    await server.flow(FAILING)
    await server.run("failing")
    dashboard = (await server.client.get(f"{API}/{name}")).json()
    check(schemas.Dashboard, dashboard)
    assert dashboard["isDefault"]
    for chart in dashboard["charts"]:
        answer = await server.client.post(f"{API}/{name}/charts/{chart['id']}", json={"namespace": "team"})
        assert answer.status_code == 200, answer.text
        if chart["id"] != "next_executions":
            assert answer.json()["results"], chart["id"]


async def test_dashboard_of_ones_own_takes_the_place_of_the_first_one(server: LiveServer) -> None:
    """UI-031."""
    own = DASHBOARD.replace("id: mine", "id: home")
    assert (await server.client.put(f"{API}/home", content=own)).status_code == 200
    assert (await server.client.get(f"{API}/home")).json()["title"] == "What matters"
    await server.client.delete(f"{API}/home")
    assert (await server.client.get(f"{API}/home")).json()["title"] == "Overview"
    assert (await server.client.delete(f"{API}/home")).status_code == 404


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        ("state: {field: STATE}", "state: {field: ID, agg: COUNT}", "charts[1].data.columns", "exactly one"),
        ("level: {field: LEVEL, displayName: Level}", "level: {field: MESSAGE, agg: MAX}", "level.agg", "aggregated"),
        ("state: {field: STATE}\n        total: {agg", "state: {field: ID, agg: MIN}\n        total: {agg", "charts[2]",
         "one or two"),
        ("ExecutionsKPI", "Executions", "charts[0].data.type", "no data for this chart"),
        ("width: 3", "width: 13", "charts[0].chartOptions.width", "at most 12"),
        ("column: state}", "column: nope}", "charts[1].chartOptions.column", "no column `nope`"),
        ("column: count", "column: nope", "charts[3].data.orderBy[0].column", "no column `nope`"),
        ("field: DURATION", "field: LENGTH", "duration.field", "no field `LENGTH`"),
        ("field: DURATION", "field: STATE", "duration.agg", "no number"),
        ("{agg: COUNT}\n      where", "{agg: SUM}\n      where", "count.field", "without a `field`"),
        ("type: EQUAL_TO, value: team", "type: EQUAL_TO", "charts[3].data.where[0]", "needs a `value`"),
        ("type: IN, values: [SUCCESS]", "type: OR, values: [{field: NOPE, type: IS_NULL}]", "numerator[0]", "NOPE"),
        ("id: bars", "id: ratio", "charts[1].id", "already"),
        ("chart.Bar", "chart.Bars", "charts[1].type", "no type of chart"),
        ("content: |\n      ## Hello\n", "content:\n", "charts[4]", "either `content` or a `source`"),
        ("default: P1D", "default: soon", "timeWindow.default", "soon"),
        ("title: What matters\n", "", "title", ""),
        ("description: To us", "colour: red", "colour", ""),
    ],
)  # fmt: skip
def test_dashboard_with_a_mistake_is_told_where_it_is(old: str, new: str, where: str, message: str) -> None:
    """UI-162: refused with the place and what would do."""
    assert parse_dashboard(DASHBOARD).problems == ()
    assert old in DASHBOARD
    parsed = parse_dashboard(DASHBOARD.replace(old, new, 1))
    assert parsed.document is None
    found = [(problem.path, problem.message) for problem in parsed.problems]
    assert any(where in path and message in text for path, text in found), found
    assert all(problem.line for problem in parsed.problems)


async def preview(server: LiveServer, data: str, columns: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """Return the rows of a table."""
    body = {"type": f"{DATA}.{data}", "columns": columns, **more}
    chart = {"id": "shown", "type": f"{CHART}.Table", "chartOptions": {"displayName": "Shown"}, "data": body}
    answer = await server.client.post(f"{API}/charts/preview", json={"chart": json.dumps(chart)})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


async def test_every_field_of_every_source_is_a_column(server: LiveServer) -> None:
    """UI-051."""
    every = "{id: each, type: io.kestra.plugin.core.trigger.Schedule, cron: '0 0 1 1 *'}"
    await server.flow(f"{GREETING}labels: {{team: data}}\ntriggers:\n  - {every}\n")
    ended = await server.run("greeting")
    await server.flow(FAILING)
    await server.run("failing")
    for source in SOURCES.values():
        fields = {name: {"field": name} for name in source.fields}
        if "LABELS" in fields:
            fields["LABELS"]["labelKey"] = "team"
        found = await preview(server, source.name, fields)
        assert found or source.name == "Triggers", source.name  # whose rows a scheduler keeps, which is not here
        assert all(set(row) <= set(fields) for row in found)
    where = [{"field": "ID", "type": "EQUAL_TO", "value": ended["id"]}]
    names = ("ID", "NAMESPACE", "FLOW_ID", "FLOW_REVISION", "STATE", "SCOPE")
    columns = {name: {"field": name} for name in names} | {"team": {"field": "LABELS", "labelKey": "team"}}
    (row,) = await preview(server, "Executions", columns, where=where)
    expected = (ended["id"], "team", "greeting", 1, "SUCCESS", "USER")
    assert row == {**dict(zip(names, expected, strict=True)), "team": "data"}


async def test_rows_are_picked_by_every_type_of_filter(server: LiveServer) -> None:
    """UI-052: conditions all hold; those of an `OR`, one of them."""
    await server.flow(GREETING)
    await server.flow(FAILING)
    await server.run("greeting", params={"labels": "on:true"})
    await server.run("failing", params={"labels": "on:false"})
    fields = {"flow": {"field": "FLOW_ID"}}
    on = {"field": "LABELS", "labelKey": "on"}
    name = {"field": "FLOW_ID"}
    equal = [name | {"type": "EQUAL_TO", "value": value} for value in ("greeting", "failing")]
    for expected, condition in (
        ("greeting", name | {"type": "CONTAINS", "value": "reet"}),
        ("failing greeting", name | {"type": "ENDS_WITH", "value": "ing"}),
        ("greeting", name | {"type": "STARTS_WITH", "value": "gr"}),
        ("greeting", name | {"type": "REGEX", "value": "^g.*g$"}),
        ("failing", equal[1]),
        ("failing", name | {"type": "NOT_EQUAL_TO", "value": "greeting"}),
        ("failing greeting", name | {"type": "IN", "values": ["greeting", "failing", "other"]}),
        ("failing", name | {"type": "NOT_IN", "values": ["greeting"]}),
        ("greeting", on | {"type": "IS_TRUE"}),
        ("failing", on | {"type": "IS_FALSE"}),
        ("failing greeting", {"field": "TRIGGER_EXECUTION_ID", "type": "IS_NULL"}),
        ("", {"field": "TRIGGER_EXECUTION_ID", "type": "IS_NOT_NULL"}),
        ("", {"field": "FLOW_REVISION", "type": "GREATER_THAN", "value": 1}),
        ("failing greeting", {"field": "FLOW_REVISION", "type": "GREATER_THAN_OR_EQUAL_TO", "value": 1}),
        ("failing greeting", {"field": "FLOW_REVISION", "type": "LESS_THAN", "value": 2}),
        ("failing greeting", {"field": "FLOW_REVISION", "type": "LESS_THAN_OR_EQUAL_TO", "value": 1}),
        ("failing greeting", {"field": "FLOW_ID", "type": "OR", "values": equal}),
    ):
        order = [{"column": "flow", "order": "ASC"}]
        found = await preview(server, "Executions", fields, where=[condition], orderBy=order)
        assert " ".join(row["flow"] for row in found) == expected, condition
    assert await preview(server, "Executions", fields, where=equal) == [], "all conditions hold"


REFERENCE = {
    "count and time": COURSE,
    "ratio": RATIO,
    "sums of metrics": f"""
  - id: metrics
    type: {CHART}.Table
    chartOptions: {{displayName: Sums, header: {{enabled: true}}, pagination: {{enabled: true}}}}
    data:
      type: {DATA}.Metrics
      columns:
        namespace: {{field: NAMESPACE}}
        flow: {{field: FLOW_ID}}
        name: {{field: NAME}}
        sum: {{field: VALUE, agg: SUM, displayName: Sum, columnAlignment: RIGHT}}
      where:
        - {{field: NAME, type: EQUAL_TO, value: length}}
        - {{field: NAMESPACE, type: STARTS_WITH, value: te}}
      orderBy:
        - {{column: sum, order: DESC}}
""",
    "lines by level": LOGS,
    "bars by namespace": f"""
  - id: namespaces
    type: {CHART}.Bar
    chartOptions: {{displayName: By namespace, legend: {{enabled: true}}, column: namespace}}
    data:
      type: {DATA}.Executions
      columns:
        namespace: {{field: NAMESPACE}}
        state: {{field: STATE}}
        total: {{displayName: Executions, agg: COUNT}}
""",
    "donut by state": f"""
  - id: pie
    type: {CHART}.Pie
    chartOptions: {{displayName: By state, graphStyle: DONUT, legend: {{enabled: true}}, colorByColumn: state}}
    data:
      type: {DATA}.Executions
      columns:
        state: {{field: STATE}}
        total: {{agg: COUNT}}
""",
    "words": NOTES,
}


async def test_charts_as_the_documentation_has_them_show_what_ran(server: LiveServer) -> None:
    """UI-053: each kind of the documented dashboards, unchanged in form."""
    await server.client.post(API, content=DASHBOARD.partition("charts:")[0] + "charts:" + "".join(REFERENCE.values()))
    await server.flow(GREETING.replace("inputs:", "description: '**Greets**'\ninputs:"))
    await server.run("greeting")
    length = len("Hello World")
    sums = [{"namespace": "team", "flow": "greeting", "name": "length", "sum": length}]
    assert (await rows(server, "metrics"))["results"] == sums
    bars = [{"namespace": "team", "state": "SUCCESS", "total": 1}]
    assert (await rows(server, "namespaces"))["results"] == bars
    assert (await rows(server, "pie"))["results"] == [{"state": "SUCCESS", "total": 1}]
    assert (await rows(server, "ratio"))["results"] == [{"value": 100.0}]
    (point,) = (await rows(server, "course"))["results"]
    assert (point["total"], point["state"]) == (1, "SUCCESS")
    assert (await rows(server, "described"))["results"] == [{"content": "**Greets**"}]
