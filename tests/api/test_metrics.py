"""Metrics of flows over time, and tables of flows and triggers."""

from __future__ import annotations

from penstock.api import schemas
from tests.api.flows import GREETING, HELLO
from tests.api.test_shapes import check
from tests.support.live import LiveServer

API = "/api/v1/main"


async def test_metrics_of_a_flow_are_named_and_added_up_over_time(server: LiveServer) -> None:
    """API-104, API-036, SCR-041."""
    await server.flow(GREETING)
    for _ in range(3):
        await server.run("greeting", data={"name": "Ada"})
    names = await server.client.get(f"{API}/metrics/names/team/greeting")
    assert "length" in names.json()
    assert (await server.client.get(f"{API}/metrics/tasks/team/greeting")).json() == ["make"]
    of_task = await server.client.get(f"{API}/metrics/names/team/greeting/make")
    assert of_task.json() == names.json()
    path = f"{API}/metrics/aggregates/team/greeting"
    course = (await server.client.get(f"{path}/length")).json()
    check(schemas.MetricAggregations, course)
    assert (course["groupBy"], sum(point["value"] for point in course["aggregations"])) == ("day", 27.0)
    mean = (await server.client.get(f"{path}/make/length", params={"aggregation": "avg"})).json()
    assert {point["value"] for point in mean["aggregations"]} == {9.0}
    past = {"startDate": "2026-01-01T00:00:00Z", "endDate": "2026-01-01T01:00:00Z"}
    assert (await server.client.get(f"{path}/length", params=past)).json() == {"groupBy": "minute", "aggregations": []}
    assert (await server.client.get(f"{path}/length", params={"aggregation": "median"})).status_code == 422


async def test_flows_are_exported_as_a_table(server: LiveServer) -> None:
    """API-100."""
    await server.flow(HELLO + "description: =1+1\n")
    await server.flow(GREETING)
    answer = await server.client.get(f"{API}/flows/export/by-query/csv", params={"filters[flowId][EQUALS]": "hello"})
    head, row = answer.text.splitlines()
    assert head == "namespace,id,revision,disabled,updated,description,labels"
    assert row.startswith("team,hello,1,false,")
    assert row.endswith(",'=1+1,owner:ada"), "booleans as elsewhere, and no formula"
