"""Namespaces over HTTP, and what their settings do to flows."""

from __future__ import annotations

from pathlib import Path

from penstock.api import schemas
from tests.api.test_shapes import check
from tests.support.live import LiveServer, live_server

API = "/api/v1/main/namespaces"
GREETING = """id: greeting
namespace: team
tasks:
  - {id: made, type: io.kestra.plugin.core.debug.Return}
  - {id: said, type: io.kestra.plugin.core.log.Log}
"""
DEFAULTS = [
    {"type": "io.kestra.plugin.core.debug.Return", "values": {"format": "Hello {{ namespace.who }}"}},
    {"type": "io.kestra.plugin.core.log", "values": {"message": "hello"}},
]


async def test_namespace_is_there_as_soon_as_a_flow_declares_it(server: LiveServer) -> None:
    """ENG-018, ENG-019, API-042, API-105."""
    assert (await server.client.get(f"{API}/company")).status_code == 404
    await server.flow(GREETING.replace("Log}", "Log, message: x}").replace("team", "company.sub_team.a-b"))
    for name in ("company", "company.sub_team", "company.sub_team.a-b"):
        answer = await server.client.get(f"{API}/{name}")
        check(schemas.Namespace, answer.json())
        assert answer.json() == {"id": name, "deleted": False}
    found = (await server.client.get(f"{API}/search", params={"q": "SUB", "size": 1, "sort": "id:desc"})).json()
    assert (found["total"], found["results"][0]["id"]) == (2, "company.sub_team.a-b")
    found = (await server.client.get(f"{API}/search", params={"existing": "true"})).json()
    assert [one["id"] for one in found["results"]] == ["company.sub_team.a-b"]
    assert (await server.client.post(f"{API}/autocomplete", json={"q": "a-b"})).json() == ["company.sub_team.a-b"]


async def test_settings_of_a_namespace_reach_its_flows_at_once(server: LiveServer) -> None:
    """ENG-022, ENG-317, ENG-320, EXP-020: variables and plugin defaults, inherited from above, the nearer first."""
    refused = await server.client.post("/api/v1/main/flows", content=GREETING.replace("team", "team.one"))
    assert refused.status_code == 422
    body = {"id": "team", "description": "All teams", "variables": {"who": "all"}, "pluginDefaults": DEFAULTS}
    created = await server.client.post(API, json=body)
    assert created.json() == {**body, "deleted": False}
    assert (await server.client.post(API, json=body)).status_code == 409
    await server.flow(GREETING)
    assert (await server.run("greeting"))["taskRunList"][0]["outputs"] == {"value": "Hello all"}
    below = {"id": "team.one", "variables": {"who": "one"}}
    assert (await server.client.put(f"{API}/team.one", json=below)).status_code == 200
    await server.flow(GREETING.replace("team", "team.one"))
    answer = await server.client.post("/api/v1/main/executions/team.one/greeting", params={"wait": "true"})
    assert answer.json()["taskRunList"][0]["outputs"] == {"value": "Hello one"}
    assert (await server.client.get(f"{API}/team.one/inherited-variables")).json() == {"who": "all"}
    inherited = (await server.client.get(f"{API}/team.one/inherited-plugindefaults")).json()
    assert inherited == [{"namespace": "team", **entry} for entry in DEFAULTS]
    await server.client.put(f"{API}/team", json={**body, "variables": {"who": "everybody"}})
    assert (await server.run("greeting"))["taskRunList"][0]["outputs"] == {"value": "Hello everybody"}
    assert (await server.client.delete(f"{API}/team")).status_code == 204
    assert (await server.client.delete(f"{API}/team")).status_code == 404
    answer = await server.client.post("/api/v1/main/executions/team/greeting")
    assert answer.status_code == 422
    assert "tasks[1].message" in answer.text


async def test_settings_that_make_no_sense_are_refused(server: LiveServer) -> None:
    """API-105."""
    for body, word in (
        ({"id": "no namespace"}, "no namespace"),
        ({"id": "team", "pluginDefaults": [{"values": {}}]}, "pluginDefaults[0]"),
        ({"id": "team", "pluginDefaults": [{"type": "x", "values": 1}]}, "pluginDefaults[0].values"),
        ({"id": "team", "pluginDefaults": [{"type": "x", "value": {}}]}, "value"),
        ({"id": "team", "colour": "red"}, "colour"),
        ({"id": "other"}, "other"),
    ):
        answer = await server.client.put(f"{API}/team", json=body)
        assert answer.status_code in (400, 422), body
        assert word in answer.text
    assert (await server.client.get(f"{API}/team")).status_code == 404


async def test_expression_is_evaluated_over_what_a_namespace_gives_its_flows(tmp_path: Path) -> None:
    """UI-077, EXP-032: variables, inherited ones too, and pairs; a secret is masked; no execution can be asked."""
    async with live_server(tmp_path, secrets={"TOKEN": "never-shown"}) as server:
        await server.client.put(
            f"{API}/team", json={"id": "team", "variables": {"db": {"host": "pg1"}, "github.org": "acme"}}
        )
        await server.client.put(f"{API}/team.one/kv/port", content="5432")
        cases = {
            "{{ namespace.db.host }}:{{ kv('port') }}": {"result": "pg1:5432"},
            "{{ secret('TOKEN') | upper }} of {{ flow.namespace }}": {"result": "****** of team.one"},
            "{{ namespace.github.org }} {{ namespace['github.org'] }}": {"result": "acme acme"},
            "{{ namespace.db }}": {"result": '{"host":"pg1"}'},
        }
        for expression, outcome in cases.items():
            answer = await server.client.post(f"{API}/team.one/eval", content=expression)
            check(schemas.EvalResult, answer.json())
            assert answer.json() == outcome
        for expression, word in (
            ("{{ secret('NONE') }}", "NONE"),
            ("{{ read('kestra:///team/one/x.txt') }}", "`read`"),
            ("{{ outputs.a.value }}", "outputs"),
            ("{{ kv('none') }}", "none"),
        ):
            answer = await server.client.post(f"{API}/team.one/eval", content=expression)
            assert word in answer.json()["error"], answer.text
