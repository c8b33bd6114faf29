"""Blueprints: each is told about, and runs as it is."""

from __future__ import annotations

import pytest

from penstock.api import schemas
from penstock.model.dashboards import parse_dashboard
from penstock.services.blueprints import BlueprintCatalogue, Kind
from tests.api.test_shapes import check
from tests.support.live import LiveServer

API = "/api/v1/main/blueprints/community"
FLOWS = [one.id for one in BlueprintCatalogue().search(Kind.FLOW)]


async def test_blueprints_are_searched_by_text_and_tags(server: LiveServer) -> None:
    """API-111, UI-144, UI-146."""
    everything = (await server.client.get(f"{API}/FLOW", params={"size": 100})).json()
    check(schemas.PagedBlueprints, everything)
    assert everything["total"] == len(FLOWS) >= 10
    scripts = (await server.client.get(f"{API}/flow", params={"tags": "Scripts", "q": "python"})).json()
    assert [one["id"] for one in scripts["results"]] == ["python-script"]
    assert "io.kestra.plugin.scripts.python.Script" in scripts["results"][0]["includedTasks"]
    tags = (await server.client.get(f"{API}/FLOW/tags", params={"q": "trig"})).json()
    assert tags == [{"id": "Triggers", "name": "Triggers"}]
    found = (await server.client.get(f"{API}/FLOW/first-flow")).json()
    check(schemas.Blueprint, found)
    source = await server.client.get(f"{API}/FLOW/first-flow/source")
    assert source.text == found["source"]
    assert source.text.startswith("id: first-flow\n"), "without what is told about it"
    graph = (await server.client.get(f"{API}/FLOW/first-flow/graph")).json()
    check(schemas.FlowGraph, graph)
    assert (await server.client.get(f"{API}/APP")).json() == {"results": [], "total": 0}
    for path in ("FLOW/none", "PIE", "DASHBOARD/one-team/graph"):
        assert (await server.client.get(f"{API}/{path}")).status_code == 404


@pytest.mark.parametrize("blueprint", FLOWS)
async def test_blueprint_of_a_flow_runs_as_it_is(server: LiveServer, blueprint: str) -> None:
    """UI-144."""
    source = (await server.client.get(f"{API}/FLOW/{blueprint}/source")).text
    [verdict] = (await server.client.post("/api/v1/main/flows/validate", content=source)).json()
    assert verdict["problems"] == []
    await server.flow(source)
    answer = await server.client.post(f"/api/v1/main/executions/company.team/{blueprint}", params={"wait": "true"})
    expected = "WARNING" if blueprint == "retries-and-errors" else "SUCCESS"
    logs = (await server.client.get(f"/api/v1/main/logs/{answer.json()['id']}")).json()
    assert answer.json()["state"]["current"] == expected, [line["message"] for line in logs]


def test_blueprint_of_a_dashboard_has_no_mistakes() -> None:
    """UI-144."""
    for one in BlueprintCatalogue().search(Kind.DASHBOARD):
        assert parse_dashboard(one.source).problems == ()
