"""The instance: health, plugins, schemas, triggers, description, interface."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from penstock.api import create_management, schemas
from penstock.model.dashboards.documents import CHARTS
from penstock.model.dashboards.sources import KPI_TYPES
from penstock.ports.triggers import TriggerState
from penstock.services.auth import Credentials
from penstock.wiring.services import published
from penstock.wiring.version import penstock_version
from tests.api.flows import HELLO, HOOKED
from tests.api.test_shapes import check
from tests.support.live import LiveServer, live_server
from tests.support.waiting import PATIENCE


async def test_health_tells_a_visitor_no_more_than_up(server: LiveServer) -> None:
    async with server.visitor() as visitor:
        for path in ("/health", "/health/liveness", "/health/readiness"):
            answer = await visitor.get(path)
            assert (answer.status_code, answer.json()) == (200, {"name": "kestra", "status": "UP"})
        assert (await visitor.get("/ping")).text == "pong"


async def test_management_port_tells_details_and_metrics(server: LiveServer) -> None:
    """OPS-136, OPS-137."""
    app = create_management(server.services.health, published(server.core))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        health = (await client.get("/health")).json()
        assert health["details"]["jdbc"]["details"] == {"database": "SQLite"}
        assert health["details"]["diskSpace"]["details"]["threshold"] == 10485760
        assert "kestra_executor_execution_started_count_total" in (await client.get("/prometheus")).text
        assert "kestra_worker_job_thread" in (await client.get("/metrics")).json()["names"]


async def test_management_port_asks_for_its_credentials(server: LiveServer) -> None:
    """OPS-094."""
    app = create_management(server.services.health, published(server.core), credentials=Credentials("ops", "pw"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        assert (await client.get("/health")).status_code == 401
        assert (await client.get("/health", auth=("ops", "pw"))).status_code == 200


async def test_flow_schema_knows_the_installed_types(client: httpx.AsyncClient) -> None:
    """UI-110, PLG-048."""
    answer = await client.get("/api/v1/main/schemas/flow.json")
    schema = answer.json()
    assert "io.kestra.plugin.core.log.Log" in schema["definitions"]
    assert set(schema["required"]) >= {"id", "namespace", "tasks"}
    tasks = (await client.get("/api/v1/plugins/schemas/task", params={"arrayOf": "true"})).json()
    assert tasks["items"]["$ref"] == "#/definitions/task"
    assert (await client.get("/api/v1/plugins/schemas/unknown")).status_code == 404
    assert answer.headers["content-encoding"] == "gzip"
    known = {"if-none-match": answer.headers["etag"]}
    assert (await client.get("/api/v1/main/schemas/flow.json", headers=known)).status_code == 304
    plain = await client.get("/api/v1/main/schemas/flow.json", headers={"accept-encoding": "identity", **known})
    assert (plain.status_code, plain.json()) == (200, schema)


async def test_plugins_are_listed_and_documented(client: httpx.AsyncClient) -> None:
    """API-046, API-110, ENG-055."""
    [plugin] = [one for one in (await client.get("/api/v1/plugins")).json() if one["name"] == "penstock"]
    assert "io.kestra.plugin.core.log.Log" in {element["cls"] for element in plugin["tasks"]}
    assert "io.kestra.plugin.core.trigger.Webhook" in {element["cls"] for element in plugin["triggers"]}
    page = (await client.get("/api/v1/plugins/io.kestra.plugin.core.log.Log")).json()
    properties = page["schema"]["properties"]["properties"]
    assert (properties["message"].get("$dynamic"), properties["logToFile"].get("$dynamic")) == (True, None)
    assert page["markdown"].startswith("Write one line, or several, to the logs of the execution.\n")
    missing = await client.get("/api/v1/plugins/io.kestra.plugin.core.log.Logs")
    assert missing.status_code == 404
    assert "io.kestra.plugin.core.log.Log" in missing.json()["hint"]
    assert "STRING" in {one["type"] for one in (await client.get("/api/v1/plugins/inputs")).json()}


async def test_plugins_versions_groups_and_icons_are_told(client: httpx.AsyncClient) -> None:
    """API-110, PLG-044, UI-147."""
    name = "io.kestra.plugin.core.log.Log"
    versions = (await client.get(f"/api/v1/plugins/{name}/versions")).json()
    assert versions == {"type": name, "versions": [penstock_version()]}
    page = await client.get(f"/api/v1/plugins/{name}/versions/{penstock_version()}")
    assert page.json() == (await client.get(f"/api/v1/plugins/{name}")).json()
    assert (await client.get(f"/api/v1/plugins/{name}/versions/0.0.1")).status_code == 404
    groups = (await client.get("/api/v1/plugins/groups/subgroups")).json()
    [logs] = [one for one in groups if one["subGroup"] == "io.kestra.plugin.core.log"]
    assert (logs["group"], logs["title"]) == ("penstock", "log")
    assert name in {element["cls"] for element in logs["tasks"]}
    for path, key in (("icons", name), ("icons/groups", "io.kestra.plugin.core.log")):
        icon = (await client.get(f"/api/v1/plugins/{path}")).json()[key]
        assert base64.b64decode(icon["icon"]).startswith(b"<svg ")


async def test_triggers_are_listed_disabled_unlocked_and_deleted(server: LiveServer) -> None:
    """API-102, API-037."""
    await server.flow(HOOKED)
    state = TriggerState("main", "team", "hooked", "hook", date=1_700_000_000_000_000, execution_id="locked")
    await server.core.store.triggers.save(state)
    client = server.client
    [row] = (await client.get("/api/v1/main/triggers/search")).json()["results"]
    assert row["abstractTrigger"]["type"] == "io.kestra.plugin.core.trigger.Webhook"
    assert row["triggerContext"]["date"] == "2023-11-14T22:13:20.000000Z"
    [one] = (await client.get("/api/v1/main/triggers/team/hooked")).json()["results"]
    assert (one["triggerId"], one["disabled"], one["executionId"]) == ("hook", False, "locked")
    name = {"namespace": "team", "flowId": "hooked", "triggerId": "hook"}
    assert (await client.put("/api/v1/main/triggers", json={**name, "disabled": True})).json()["disabled"] is True
    unlocked = await client.post("/api/v1/main/triggers/team/hooked/hook/unlock")
    assert "executionId" not in unlocked.json()
    assert (await client.post("/api/v1/main/triggers/team/hooked/hook/unlock")).status_code == 409
    assert (await client.delete("/api/v1/main/triggers/team/hooked/hook")).status_code == 204
    assert (await client.delete("/api/v1/main/triggers/team/hooked/hook")).status_code == 404


async def test_trigger_changed_by_hand_is_announced_to_schedulers(server: LiveServer) -> None:
    await server.core.store.triggers.save(TriggerState("main", "team", "hooked", "hook"))
    async with server.core.store.notifier.subscribe("triggers") as changes:
        await server.client.put(
            "/api/v1/main/triggers",
            json={"namespace": "team", "flowId": "hooked", "triggerId": "hook", "disabled": True},
        )
        async with asyncio.timeout(PATIENCE):
            assert await anext(changes) == ("triggers", "main/team/hooked/hook")


async def test_description_names_every_operation_once_as_clients_know_it(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    operations = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(operations) == len(set(operations))
    assert {
        "createFlow",
        "updateFlow",
        "flow",
        "searchFlows",
        "validateFlows",
        "createExecution",
        "execution",
        "followExecution",
        "killExecution",
        "searchExecutions",
        "triggerExecutionByPostWebhook",
        "listLogsFromExecution",
        "searchTriggers",
    } <= set(operations)
    known = document["components"]["schemas"]
    assert {"Execution", "TaskRun", "State", "Flow", "Violation", "LogEntry", "Error", "Credentials"} <= set(known)
    text = (await client.get("/openapi.json")).text
    for reference in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert reference in known


async def test_description_page_loads_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    """ENG-134."""
    answer = await client.get("/api")
    assert answer.headers["content-type"].startswith("text/html")
    assert "createExecution" in answer.text
    assert "http" not in answer.text.replace("HTTP", "").replace("https://", "")
    assert "<script" not in answer.text


@pytest.fixture
def interface(tmp_path: Path) -> Path:
    folder = tmp_path / "ui"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>the page")
    (folder / "assets" / "app-1234.js").write_text("the script")
    (tmp_path / "secret.txt").write_text("not for you")
    return folder


async def test_interface_serves_files_and_its_page_for_every_other_address(tmp_path: Path, interface: Path) -> None:
    """UI-001."""
    async with (
        live_server(tmp_path, change=lambda given: replace(given, ui=interface)) as server,
        server.visitor() as visitor,
    ):
        assert (await visitor.get("/")).headers["location"] == "/ui/"
        page = await visitor.get("/ui/executions/team/hello/abc")
        assert page.text == "<!doctype html>the page"
        assert page.headers["cache-control"] == "no-cache"
        script = await visitor.get("/ui/assets/app-1234.js")
        assert script.text == "the script"
        assert "immutable" in script.headers["cache-control"]
        assert (await visitor.get("/ui/assets/gone.js")).status_code == 404
        for path in ("/ui/../secret.txt", "/ui/%2e%2e/secret.txt", "/ui/..%2fsecret.txt", "/ui//etc/passwd"):
            assert "not for you" not in (await visitor.get(path)).text
            assert "root:" not in (await visitor.get(path)).text


async def test_interface_that_is_missing_says_so(server: LiveServer) -> None:
    async with server.visitor() as visitor:
        answer = await visitor.get("/ui/")
    assert answer.status_code == 404
    assert answer.json()["code"] == "NO_INTERFACE"


async def test_pages_of_other_origins_may_call_when_configured(tmp_path: Path) -> None:
    """OPS-098."""
    origins = ("https://app.example.com",)
    async with live_server(tmp_path, change=lambda given: replace(given, cors_origins=origins)) as server:
        await server.flow(HELLO)
        headers = {"Origin": "https://app.example.com"}
        answer = await server.client.get("/api/v1/main/flows/team/hello", headers=headers)
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"


async def test_whoever_asks_is_told_who_they_are(server: LiveServer) -> None:
    """API-115 in part, API-114."""
    me = (await server.client.get("/api/v1/me")).json()
    check(schemas.Me, me)
    assert (me["profile"]["username"], me["tenants"]) == ("ada@example.com", [{"id": "main", "name": "main"}])
    async with server.visitor() as visitor:
        assert (await visitor.get("/api/v1/me")).status_code == 401
        assert (await visitor.get("/api/v1/setup")).json() == {"done": True}


async def test_schemas_of_inputs_and_dashboards_are_told(server: LiveServer) -> None:
    """API-110, UI-034."""
    found = (await server.client.get("/api/v1/plugins/inputs/INT")).json()
    check(schemas.Documentation, found)
    assert {"id", "min", "max"} <= set(found["schema"]["properties"]["properties"])
    assert (await server.client.get("/api/v1/plugins/inputs/NONE")).status_code == 404
    assert "tasks" in (await server.client.get("/api/v1/plugins/properties/FLOW")).json()
    assert "charts" in (await server.client.get("/api/v1/plugins/properties/DASHBOARD")).json()
    assert (await server.client.get("/api/v1/plugins/properties/TASK")).status_code == 404
    schema = (await server.client.get("/api/v1/plugins/schemas/DASHBOARD")).json()
    places = {one["$ref"].rpartition("/")[2] for one in schema["properties"]["charts"]["items"]["oneOf"]}
    assert places == {"BarChart", "PieChart", "TimeSeriesChart", "TableChart", "KpiChart", "MarkdownChart"}
    assert places <= set(schema["definitions"])
    assert set(schema["properties"]["charts"]["items"]["discriminator"]["mapping"]) == set(CHARTS)
    assert schema["definitions"]["KpiData"]["properties"]["type"]["enum"] == list(KPI_TYPES)
    assert "FLOW_ID" in schema["definitions"]["Column"]["properties"]["field"]["anyOf"][0]["enum"]
    assert len((await server.client.get("/api/v1/plugins/schemas/CHART")).json()["oneOf"]) == 6
