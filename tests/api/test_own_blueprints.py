"""Blueprints that people write themselves."""

from __future__ import annotations

from typing import Any

import httpx
import yaml

from penstock.api import schemas
from tests.api.test_shapes import check

API = "/api/v1/main/blueprints"
FLOW = """id: greet
namespace: company.team
tasks:
  - id: hello
    type: io.kestra.plugin.core.log.Log
    message: Hello {{ execution.id }} << nobody
"""
TEMPLATE = """extend:
  templateArguments:
    - id: values
      displayName: What to say
      type: MULTISELECT
      values: [One Word, two]
    - id: limit
      type: INT
      defaults: 3

id: myflow
namespace: company.team
description: "{{ flow.id }} and {# this #} < << arg.limit + 1 >>"
tasks:
<% for value in arg.values %>
  - id: log_<< value | slugify >>
    type: io.kestra.plugin.core.log.Log
    message: "{{ outputs.<< value | slugify >>-x.uri ?? '<< value >>' }}"
<% endfor %>
"""


async def create(client: httpx.AsyncClient, title: str, source: str, **about: Any) -> dict[str, Any]:
    answer = await client.post(f"{API}/flows", json={"title": title, "source": source, **about})
    assert answer.status_code == 200, answer.text
    check(schemas.OwnBlueprint, answer.json())
    body: dict[str, Any] = answer.json()
    return body


async def test_blueprint_that_is_being_written_shows_the_flow_it_makes(client: httpx.AsyncClient) -> None:
    """GOV-348: nothing is stored."""
    body = {"source": TEMPLATE, "templateArgumentsInputs": {"values": ["two"]}}
    made = await client.post(f"{API}/flows/preview", json=body)
    assert yaml.safe_load(made.json()["generatedFlowSource"])["tasks"][0]["id"] == "log_two"
    plain = await client.post(f"{API}/flows/preview", json={"source": FLOW})
    assert plain.json() == {"generatedFlowSource": FLOW}
    refused = await client.post(f"{API}/flows/preview", json={"source": TEMPLATE})
    assert (refused.status_code, "values" in refused.text) == (422, True)
    assert (await client.get(f"{API}/custom")).json()["total"] == 0


async def test_blueprint_is_kept_found_changed_and_deleted(client: httpx.AsyncClient) -> None:
    """API-111, ENG-378, GOV-347."""
    made = await create(client, "Greeting", FLOW, description="Says hello", tags=["team", "first", "team"])
    assert (made["tags"], made["includedTasks"]) == (["first", "team"], ["io.kestra.plugin.core.log.Log"])
    await create(client, "Another", FLOW)
    for query, titles in (
        ({}, ["Another", "Greeting"]),
        ({"sort": "title:desc", "size": "1"}, ["Greeting"]),
        ({"q": "HELLO"}, ["Greeting"]),
        ({"tags": "team,first"}, ["Greeting"]),
        ({"tags": "none"}, []),
    ):
        page = (await client.get(f"{API}/custom", params=query)).json()
        check(schemas.PagedOwnBlueprints, page)
        assert [one["title"] for one in page["results"]] == titles, query
    assert (await client.get(f"{API}/custom/tags", params={"q": "fi"})).json() == ["first"]
    place = f"{API}/flows/{made['id']}"
    changed = (await client.put(place, json={"title": "Greeting 2", "source": FLOW + "# more\n"})).json()
    assert (changed["title"], changed["tags"], changed["publishedAt"]) == ("Greeting 2", [], made["publishedAt"])
    assert (await client.get(f"{API}/custom/{made['id']}/source")).text == FLOW + "# more\n"
    assert (await client.delete(place)).status_code == 204
    for gone in (await client.delete(place), await client.get(place), await client.put(place, json=changed)):
        assert gone.status_code == 404


async def test_blueprint_that_makes_no_sense_is_refused(client: httpx.AsyncClient) -> None:
    """API-111, GOV-350."""
    for title, source, word in (
        (" ", FLOW, "title"),
        ("x" * 151, FLOW, "title"),
        ("Broken", "id: [", "line 1"),
        ("Broken", TEMPLATE.replace("MULTISELECT", "MULTI"), "extend.templateArguments[0].type"),
        ("Broken", "extend:\n  templateArguments: none\n", "no list"),
        ("Broken", "extend:\n  templateArguments: [\n", "extend"),
    ):
        answer = await client.post(f"{API}/flows", json={"title": title, "source": source})
        assert (answer.status_code, word in answer.text or "problems" in answer.text) == (422, True), answer.text
    assert (await client.get(f"{API}/custom")).json()["total"] == 0


async def test_template_makes_a_flow_of_its_arguments(client: httpx.AsyncClient) -> None:
    """GOV-348, GOV-349, GOV-350, GOV-351, API-111."""
    made = await create(client, "Words", TEMPLATE)
    assert list(made["template"]["templateArguments"]) == ["values", "limit"]
    place = f"{API}/flows/{made['id']}/use-template"
    answer = await client.post(place, json={"templateArgumentsInputs": {"values": ["One Word", "two"]}})
    assert answer.status_code == 200, answer.text
    source = answer.json()["generatedFlowSource"]
    flow = yaml.safe_load(source)
    assert "extend" not in flow
    assert flow["description"] == "{{ flow.id }} and {# this #} < 4"
    assert [task["id"] for task in flow["tasks"]] == ["log_one-word", "log_two"]
    assert flow["tasks"][0]["message"] == "{{ outputs.one-word-x.uri ?? 'One Word' }}"
    for arguments, word in (({}, "values"), ({"values": ["three"]}, "three"), ({"value": "x", "values": []}, "value")):
        refused = await client.post(place, json={"templateArgumentsInputs": arguments})
        assert refused.status_code == 422, refused.text
        assert word in refused.text


async def test_template_that_makes_no_flow_says_why(client: httpx.AsyncClient) -> None:
    """GOV-350: a blueprint without arguments is the flow it holds."""
    for source, word in (
        (TEMPLATE.replace("arg.limit + 1", "arg.other.x"), "other"),
        (TEMPLATE.replace("namespace: company.team\n", ""), "namespace"),
    ):
        made = await create(client, "Wrong", source)
        arguments = {"templateArgumentsInputs": {"values": ["two"]}}
        refused = await client.post(f"{API}/flows/{made['id']}/use-template", json=arguments)
        assert refused.status_code == 422, refused.text
        assert word in refused.text
    plain = await create(client, "Plain", FLOW)
    answer = await client.post(f"{API}/flows/{plain['id']}/use-template", json={})
    assert answer.json() == {"generatedFlowSource": FLOW}
