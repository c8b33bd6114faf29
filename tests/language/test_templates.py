"""Templates: lists of tasks that older flows share, asked of a whole server."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.language.conftest import outputs
from tests.support.live import LiveServer, live_server

RETURN = "io.kestra.plugin.core.debug.Return"
PAUSE = "io.kestra.plugin.core.flow.Pause"
TEMPLATE = f"""
id: shared
namespace: team
tasks:
  - {{id: wait, type: {PAUSE}}}
  - {{id: in_template, type: {RETURN}, format: "%s {{{{ parent.outputs.args.store }}}} {{{{ outputs.first.value }}}}"}}
"""
FLOW = f"""
id: flow
namespace: team
inputs:
  - {{id: store, type: STRING, defaults: north}}
tasks:
  - {{id: first, type: {RETURN}, format: one}}
  - id: group
    type: io.kestra.core.tasks.flows.Template
    namespace: team
    templateId: shared
    args: {{store: "{{{{ inputs.store }}}}"}}
  - {{id: last, type: {RETURN}, format: "{{{{ outputs.in_template.value }}}}"}}
"""
PATH = "/api/v1/main/templates"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(tmp_path, templates=True) as running:
        yield running


async def test_template_runs_in_the_place_of_its_task_as_it_was_when_the_execution_began(server: LiveServer) -> None:
    """ENG-100, ENG-014, MIG-030, BEY-008."""
    created = await server.client.post(PATH, content=TEMPLATE % "old")
    assert created.status_code == 200, created.text
    await server.flow(FLOW)
    started = await server.start("flow")
    await server.until(started["id"], "PAUSED")
    assert (await server.client.put(f"{PATH}/team/shared", content=TEMPLATE % "new")).status_code == 200
    await server.client.post(f"/api/v1/main/executions/{started['id']}/resume")
    ended = await server.until(started["id"], "SUCCESS", "FAILED")
    assert outputs(ended, "last").get("value") == "old north one"
    [group] = [run for run in ended["taskRunList"] if run["taskId"] == "group"]
    inside = [run["taskId"] for run in ended["taskRunList"] if run.get("parentTaskRunId") == group["id"]]
    assert inside == ["wait", "in_template"]


async def test_flow_that_uses_a_template_is_told_that_it_is_deprecated(server: LiveServer) -> None:
    """ENG-014."""
    answer = await server.client.post("/api/v1/main/flows/validate", content=FLOW)
    [verdict] = answer.json()
    assert not verdict.get("constraints")
    assert any("older name" in text or "deprecated" in text for text in verdict["deprecationPaths"] + [answer.text])


async def test_templates_are_written_searched_and_deleted(server: LiveServer) -> None:
    """API-112."""
    two = (TEMPLATE % "x").replace("id: shared", "id: other")
    assert (await server.client.post(PATH, content=TEMPLATE % "x")).status_code == 200
    again = await server.client.post(PATH, content=TEMPLATE % "x")
    assert again.status_code == 422
    assert "exists already" in again.text
    wrong = await server.client.post(f"{PATH}/validate", content=f"{TEMPLATE % 'x'}\ninputs: []\n")
    assert "a template has no `inputs`" in wrong.text
    bulk = await server.client.post(f"{PATH}/team", content=two)
    assert [one["id"] for one in bulk.json()] == ["other"]
    found = (await server.client.get(f"{PATH}/search", params={"q": "oth"})).json()
    assert [(one["id"], one["revision"]) for one in found["results"]] == [("other", 1)]
    assert found["total"] == 1
    assert (await server.client.get(f"{PATH}/distinct-namespaces")).json() == ["team"]
    assert (await server.client.get(f"{PATH}/team/shared")).status_code == 404
    assert (await server.client.get(f"{PATH}/team/other")).json()["source"] == two
    gone = await server.client.request("DELETE", f"{PATH}/delete/by-ids", json=[{"namespace": "team", "id": "other"}])
    assert gone.json() == {"count": 1}
    assert (await server.client.delete(f"{PATH}/team/other")).status_code == 404
    assert (await server.client.get("/api/v1/configs")).json()["isTemplateEnabled"] is True


async def test_templates_that_are_not_enabled_are_not_there(tmp_path: Path) -> None:
    """MIG-030: off by default, and whoever uses one is told what to do."""
    async with live_server(tmp_path) as server:
        answer = await server.client.get(f"{PATH}/search")
        assert answer.status_code == 404
        assert "kestra.templates.enabled" in answer.text
        await server.flow(FLOW)
        answer = await server.client.post("/api/v1/main/executions/team/flow")
        assert answer.status_code == 409
        assert "templates are not enabled" in answer.text


async def test_templates_are_exported_and_imported_again(server: LiveServer) -> None:
    """API-112."""
    two = (TEMPLATE % "x").replace("id: shared", "id: other")
    for source in (TEMPLATE % "x", two):
        await server.client.post(PATH, content=source)
    archive = (await server.client.get(f"{PATH}/export/by-query", params={"namespace": "team"})).content
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        assert {name: packed.read(name).decode() for name in packed.namelist()} == {
            "team.other.yml": two,
            "team.shared.yml": TEMPLATE % "x",
        }
    names = [{"namespace": "team", "id": "other"}]
    one = (await server.client.post(f"{PATH}/export/by-ids", json=names)).content
    assert zipfile.ZipFile(io.BytesIO(one)).namelist() == ["team.other.yml"]
    assert (await server.client.post(f"{PATH}/export/by-ids", json=[{"namespace": "team"}])).status_code == 404
    await server.client.request("DELETE", f"{PATH}/delete/by-query", params={"q": ""})
    assert (await server.client.post(f"{PATH}/import", files={"fileUpload": ("all.zip", archive)})).json() == []
    assert (await server.client.get(f"{PATH}/team/shared")).json()["source"] == TEMPLATE % "x"


async def test_import_names_the_templates_that_are_wrong(server: LiveServer) -> None:
    """API-112."""
    text = f"{TEMPLATE % 'x'}---\nid: wrong\nnamespace: team\ninputs: []\n".encode()
    assert (await server.client.post(f"{PATH}/import", files={"fileUpload": ("two.yml", text)})).json() == ["two.yml#2"]
    assert (await server.client.get(f"{PATH}/search")).json()["total"] == 1
    assert (await server.client.post(f"{PATH}/import", files={"other": ("two.yml", text)})).status_code == 400
    broken = await server.client.post(f"{PATH}/import", files={"fileUpload": ("a.zip", b"PK\x03\x04 no archive")})
    assert (broken.status_code, "archive" in broken.text) == (422, True)
