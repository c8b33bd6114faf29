"""Assets: kept by hand, and recorded as flows use and make them."""

from __future__ import annotations

from typing import Any

from penstock.api import schemas
from tests.api.test_shapes import check
from tests.support.live import LiveServer

API = "/api/v1/main/assets"
CHAIN = """id: chain
namespace: shop
tasks:
  - id: load
    type: io.kestra.plugin.core.debug.Return
    format: x
    assets:
      inputs: [{id: source}]
      outputs:
        - {id: "orders_{{ flow.id }}", type: TABLE, namespace: "{{ flow.namespace }}", metadata: {system: postgres}}
  - id: report
    type: io.kestra.plugin.core.log.Log
    message: x
    assets:
      inputs: [{id: orders_chain}]
      outputs: [{id: report, type: io.kestra.core.models.assets.File}]
  - id: broken
    type: io.kestra.plugin.core.log.Log
    message: x
    assets: {outputs: [{id: x, colour: red}]}
"""


async def get(server: LiveServer, path: str, **params: str) -> Any:
    answer = await server.client.get(f"{API}/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def run_chain(server: LiveServer) -> Any:
    await server.flow(CHAIN)
    answer = await server.client.post("/api/v1/main/executions/shop/chain", params={"wait": "true"})
    return answer.json()


async def test_assets_of_a_flow_are_recorded_as_its_tasks_run(server: LiveServer) -> None:
    """API-121, GOV-333, GOV-334, GOV-336, GOV-337, GOV-338, GOV-339."""
    execution = await run_chain(server)
    page = await get(server, "search")
    check(schemas.PagedAssets, page)
    assert [(one["id"], one["type"].rpartition(".")[2], one.get("namespace")) for one in page["results"]] == [
        ("orders_chain", "Table", "shop"),
        ("report", "File", None),
        ("source", "External", None),
    ]
    assert page["results"][0]["metadata"] == {"system": "postgres"}
    uses = await get(server, "usages/search", **{"filters[assetId][EQUALS]": "orders_chain"})
    check(schemas.PagedAssetUses, uses)
    assert {one["taskId"] for one in uses["results"]} == {"load", "report"}
    assert {one["executionId"] for one in uses["results"]} == {execution["id"]}
    events = await get(server, "lineage-events/search", **{"filters[taskId][EQUALS]": "load"})
    check(schemas.PagedAssetEvents, events)
    [event] = events["results"]
    assert (event["inputs"], event["outputs"]) == ([{"id": "source"}], [{"id": "orders_chain"}])
    assert event["state"] == "SUCCESS"


async def test_assets_that_make_no_sense_are_a_line_of_the_log(server: LiveServer) -> None:
    """GOV-334: what the task did stays done."""
    execution = await run_chain(server)
    assert execution["state"]["current"] == "SUCCESS"
    lines = (await server.client.get(f"/api/v1/main/logs/{execution['id']}")).json()
    [line] = [one["message"] for one in lines if "not recorded" in one["message"]]
    assert "colour" in line


async def test_graph_of_an_asset_goes_one_step_or_to_the_ends(server: LiveServer) -> None:
    """API-121, GOV-339."""
    await run_chain(server)

    async def ids(name: str, **params: str) -> list[str]:
        graph = await get(server, f"{name}/dependencies", **params)
        check(schemas.AssetGraph, graph)
        ends = {end for edge in graph["edges"] for end in (edge["source"], edge["target"])}
        assert ends <= {node["uid"] for node in graph["nodes"]}
        return [node["id"] for node in graph["nodes"] if node["type"] == "ASSET"]

    assert await ids("source") == ["orders_chain", "source"]
    assert await ids("source", expandAll="true") == ["orders_chain", "report", "source"]
    assert await ids("report", expandAll="true") == ["orders_chain", "report", "source"]
    assert await ids("orders_chain") == ["orders_chain", "report", "source"]
    assert await ids("orders_chain", destinationOnly="true") == ["orders_chain", "report"]
    assert (await server.client.get(f"{API}/none/dependencies")).status_code == 404


async def test_asset_that_makes_no_sense_is_refused(server: LiveServer) -> None:
    """API-121."""
    for source, word in (
        ("id: a", "type"),
        ("type: b", "id"),
        ("[]", "map"),
        ("id: [", "problems"),
        ("{id: a, type: b, colour: red}", "colour"),
        ("{id: a, type: b, metadata: 1}", "metadata"),
        ("{id: a, type: b, namespace: 'no namespace'}", "no namespace"),
    ):
        answer = await server.client.post(API, content=source)
        assert answer.status_code == 422, answer.text
        assert word in answer.text
    assert (await get(server, "search"))["total"] == 0


SCRIPT = """id: script
namespace: shop
tasks:
  - id: named
    type: io.kestra.plugin.scripts.shell.Script
    taskRunner: {type: io.kestra.plugin.core.runner.Process}
    script: |
      echo '::{"assets": [{"id": "sheet", "type": "FILE", "metadata": {"path": "/a"}}]}::'
"""


async def test_assets_that_a_script_names_are_recorded(server: LiveServer) -> None:
    """GOV-336."""
    await server.flow(SCRIPT)
    await server.client.post("/api/v1/main/executions/shop/script", params={"wait": "true"})
    found = await get(server, "sheet")
    assert (found["type"], found["metadata"]) == ("io.kestra.plugin.ee.assets.File", {"path": "/a"})
