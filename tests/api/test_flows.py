"""Flows over HTTP: create, update, read, search, validate, delete."""

from __future__ import annotations

import httpx

from penstock.api import schemas
from tests.api.flows import FAILING, GREETING, HELLO
from tests.api.test_shapes import check
from tests.support.live import USER, LiveServer

FLOWS = "/api/v1/main/flows"


async def test_flow_created_comes_back_with_its_source_byte_for_byte(client: httpx.AsyncClient) -> None:
    """API-006, ENG-008, ENG-023."""
    answer = await client.post(FLOWS, content=HELLO, headers={"Content-Type": "application/x-yaml"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["namespace"], body["revision"]) == ("hello", "team", 1)
    assert body["source"] == HELLO
    assert body["labels"] == [{"key": "owner", "value": "ada"}]
    assert body["disabled"] is False
    assert body["deleted"] is False
    assert body["tasks"][0]["type"] == "io.kestra.plugin.core.log.Log"


async def test_flow_given_as_json_is_accepted(client: httpx.AsyncClient) -> None:
    """API-006."""
    flow = {
        "id": "json",
        "namespace": "team",
        "tasks": [{"id": "a", "type": "io.kestra.plugin.core.log.Log", "message": "x"}],
    }
    answer = await client.post(FLOWS, json=flow)
    assert answer.status_code == 200
    assert answer.json()["id"] == "json"


async def test_flow_invalid_is_refused_with_every_problem_and_its_place(client: httpx.AsyncClient) -> None:
    """API-007."""
    source = HELLO.replace("message: Hello", "mesage: Hello") + "  - id: greet\n    type: nothing.Known\n"
    answer = await client.post(FLOWS, content=source)
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "INVALID_FLOW"
    problems = {problem["path"]: problem for problem in body["problems"]}
    assert problems["tasks[0].mesage"]["hint"] == "did you mean `message`?"
    assert problems["tasks[0].mesage"]["line"] == 9
    assert "tasks[1].type" in problems
    assert (await client.get(f"{FLOWS}/team/hello")).status_code == 404


async def test_flow_that_exists_cannot_be_created_again(client: httpx.AsyncClient) -> None:
    """API-007."""
    await client.post(FLOWS, content=HELLO)
    answer = await client.post(FLOWS, content=HELLO)
    assert answer.status_code == 422
    assert answer.json()["message"] == "Invalid entity: Flow already exists for id 'hello'"


async def test_flow_update_makes_a_revision_and_keeps_the_old_one(client: httpx.AsyncClient) -> None:
    """ENG-023, API-027."""
    await client.post(FLOWS, content=HELLO)
    changed = HELLO.replace("Hello\n", "Goodbye\n")
    answer = await client.put(f"{FLOWS}/team/hello", content=changed)
    assert answer.status_code == 200
    assert answer.json()["revision"] == 2
    first = (await client.get(f"{FLOWS}/team/hello", params={"revision": 1, "source": True})).json()
    assert first["source"] == HELLO
    revisions = (await client.get(f"{FLOWS}/team/hello/revisions")).json()
    assert [(flow["revision"], flow["source"]) for flow in revisions] == [(1, HELLO), (2, changed)]


async def test_flow_update_without_a_change_makes_no_revision(client: httpx.AsyncClient) -> None:
    await client.post(FLOWS, content=HELLO)
    assert (await client.put(f"{FLOWS}/team/hello", content=HELLO)).json()["revision"] == 1


async def test_flow_update_under_another_name_is_refused(client: httpx.AsyncClient) -> None:
    """ENG-004, API-027."""
    await client.post(FLOWS, content=HELLO)
    answer = await client.put(f"{FLOWS}/team/hello", content=HELLO.replace("namespace: team", "namespace: other"))
    assert answer.status_code == 422
    assert "cannot change" in answer.json()["hint"]


async def test_flow_update_of_an_older_revision_is_a_conflict_when_asked_so(client: httpx.AsyncClient) -> None:
    await client.post(FLOWS, content=HELLO)
    await client.put(f"{FLOWS}/team/hello", content=HELLO + "# more\n")
    late = await client.put(f"{FLOWS}/team/hello", content=HELLO + "# late\n", headers={"If-Match": '"1"'})
    assert late.status_code == 409
    timely = await client.put(f"{FLOWS}/team/hello", content=HELLO + "# now\n", headers={"If-Match": '"2"'})
    assert timely.json()["revision"] == 3


async def test_flow_update_of_an_unknown_one_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.put(f"{FLOWS}/team/hello", content=HELLO)
    assert answer.status_code == 404
    assert answer.json()["message"] == "there is no flow team.hello"


async def test_flow_read_leaves_the_source_out_unless_asked(client: httpx.AsyncClient) -> None:
    await client.post(FLOWS, content=HELLO)
    assert "source" not in (await client.get(f"{FLOWS}/team/hello")).json()
    assert (await client.get(f"{FLOWS}/team/hello", params={"source": "true"})).json()["source"] == HELLO


async def test_flow_deleted_is_gone_but_readable_when_asked(client: httpx.AsyncClient) -> None:
    """OPS-169."""
    await client.post(FLOWS, content=HELLO)
    assert (await client.delete(f"{FLOWS}/team/hello")).status_code == 204
    assert (await client.get(f"{FLOWS}/team/hello")).status_code == 404
    assert (await client.get(f"{FLOWS}/team/hello", params={"allowDeleted": "true"})).json()["deleted"] is True
    assert (await client.delete(f"{FLOWS}/team/hello")).status_code == 404
    again = await client.post(FLOWS, content=HELLO)
    assert again.status_code == 200
    assert again.json()["deleted"] is False


async def test_flow_search_pages_sorts_and_filters(client: httpx.AsyncClient) -> None:
    """API-008, API-009."""
    for name in ("one", "two", "three"):
        await client.post(FLOWS, content=HELLO.replace("id: hello", f"id: {name}"))
    await client.post(FLOWS, content=HELLO.replace("namespace: team", "namespace: other"))
    page = (await client.get(f"{FLOWS}/search", params={"page": 1, "size": 2, "sort": "id:asc"})).json()
    assert page["total"] == 4
    assert [flow["id"] for flow in page["results"]] == ["hello", "one"]
    found = (await client.get(f"{FLOWS}/search", params={"filters[namespace][EQUALS]": "other"})).json()
    assert [flow["namespace"] for flow in found["results"]] == ["other"]
    found = (await client.get(f"{FLOWS}/search", params={"filters[q][EQUALS]": "thr"})).json()
    assert [flow["id"] for flow in found["results"]] == ["three"]
    found = (await client.get(f"{FLOWS}/search", params={"q": "two", "namespace": "team"})).json()
    assert [flow["id"] for flow in found["results"]] == ["two"]


async def test_flow_search_by_an_unknown_field_names_the_known_ones(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{FLOWS}/search", params={"filters[colour][EQUALS]": "red"})
    assert answer.status_code == 422
    assert "colour" in answer.json()["message"]
    assert "namespace" in answer.json()["hint"]


async def test_flows_are_found_by_their_source(client: httpx.AsyncClient) -> None:
    await client.post(FLOWS, content=HELLO)
    await client.post(FLOWS, content=FAILING)
    found = (await client.get(f"{FLOWS}/source", params={"q": "A COMMENT"})).json()
    assert found["total"] == 1
    assert found["results"][0]["model"]["id"] == "hello"
    assert found["results"][0]["fragments"] == ["# a comment that stays"]


async def test_flows_of_a_namespace_and_the_namespaces_are_listed(client: httpx.AsyncClient) -> None:
    await client.post(FLOWS, content=HELLO)
    await client.post(FLOWS, content=HELLO.replace("namespace: team", "namespace: team.sub"))
    assert [flow["namespace"] for flow in (await client.get(f"{FLOWS}/team")).json()] == ["team"]
    assert (await client.get(f"{FLOWS}/distinct-namespaces")).json() == ["team", "team.sub"]
    assert (await client.get(f"{FLOWS}/distinct-namespaces", params={"q": "sub"})).json() == ["team.sub"]


async def test_flow_validation_judges_every_document(client: httpx.AsyncClient) -> None:
    """API-039."""
    answer = await client.post(f"{FLOWS}/validate", content=f"{HELLO}---\nid: broken\nnamespace: team\n")
    good, bad = answer.json()
    assert "constraints" not in good
    assert (good["index"], good["flow"], good["namespace"]) == (0, "hello", "team")
    assert bad["index"] == 1
    assert "tasks" in bad["constraints"]
    assert bad["problems"][0]["line"] >= 11


async def test_flow_validation_of_several_files_names_them(client: httpx.AsyncClient) -> None:
    files = [("flows", ("a.yaml", HELLO)), ("flows", ("b.yaml", "id: [")), ("flows", ("c.yaml", GREETING))]
    verdicts = (await client.post(f"{FLOWS}/validate", files=files)).json()
    assert [(one["index"], one["filename"]) for one in verdicts] == [(0, "a.yaml"), (1, "b.yaml"), (2, "c.yaml")]
    assert ["constraints" in one for one in verdicts] == [False, True, False]


async def test_flow_validation_says_when_the_revision_is_outdated(client: httpx.AsyncClient) -> None:
    await client.post(FLOWS, content=HELLO)
    await client.put(f"{FLOWS}/team/hello", content=HELLO + "# more\n")
    [verdict] = (await client.post(f"{FLOWS}/validate", content=HELLO + "revision: 1\n")).json()
    assert verdict["outdated"] is True


async def test_flow_with_a_reserved_id_is_refused(client: httpx.AsyncClient) -> None:
    """API-012, MIG-057."""
    answer = await client.post(FLOWS, content=HELLO.replace("id: hello", "id: pause"))
    assert answer.status_code == 422
    assert "pause" in answer.json()["message"]


async def test_flows_deleted_in_bulk_are_counted(client: httpx.AsyncClient) -> None:
    """API-011."""
    await client.post(FLOWS, content=HELLO)
    await client.post(FLOWS, content=FAILING)
    names = [{"namespace": "team", "id": "hello"}, {"namespace": "team", "id": "unknown"}]
    answer = await client.request("DELETE", f"{FLOWS}/delete/by-ids", json=names)
    assert answer.json() == {"count": 1}
    answer = await client.delete(f"{FLOWS}/delete/by-query", params={"filters[namespace][EQUALS]": "team"})
    assert answer.json() == {"count": 1}


async def test_task_of_a_flow_is_returned_as_written(server: LiveServer) -> None:
    await server.flow(HELLO)
    task = (await server.client.get(f"{FLOWS}/team/hello/tasks/greet")).json()
    assert task == {"id": "greet", "type": "io.kestra.plugin.core.log.Log", "message": "Hello"}
    assert (await server.client.get(f"{FLOWS}/team/hello/tasks/other")).status_code == 404


async def test_flow_source_that_is_not_utf8_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(FLOWS, content=b"id: \xff\xfe")
    assert answer.status_code == 400
    assert answer.json()["code"] == "MALFORMED_BODY"


async def test_validation_knows_the_keys_of_the_server(server: LiveServer) -> None:
    """BEY-033: names that are not there are warnings, with line and column."""
    put = await server.client.put("/api/v1/main/namespaces/team/kv/bucket", content='"x"')
    assert put.status_code == 200, put.text
    source = """id: names
namespace: team
tasks:
  - {id: own, type: io.kestra.plugin.core.kv.Set, key: mine, value: 1}
  - id: show
    type: io.kestra.plugin.core.log.Log
    message: "{{ kv('bucket') }} {{ kv('mine') }} {{ kv('buket') }} {{ kv('b', errorOnMissing=false) }}"
  - {id: open, type: io.kestra.plugin.core.log.Log, message: "{{ secret('NOWHERE') }} {{ secret('OTHER') ?? '' }}"}
"""
    answer = await server.client.post("/api/v1/main/flows/validate", content=source)
    problems = [(one["message"], one["hint"], one["line"]) for one in answer.json()[0]["problems"]]
    assert problems == [
        ("namespace team has no key `buket`", "did you mean `bucket`?", 7),
        ("there is no secret `NOWHERE`", "add it before the flow runs", 8),
    ]
    assert answer.json()[0].get("constraints") is None


async def test_archive_that_is_none_is_refused(server: LiveServer) -> None:
    """API-007, API-100."""
    path = "/api/v1/main/flows/import"
    for content, status in ((b"PK\x03\x04 and no more", 422), (b"[", 200)):
        answer = await server.client.post(path, files={"fileUpload": ("flows.zip", content)})
        assert answer.status_code == status, answer.text
    assert answer.json() == ["flows.zip"], "it holds no flow"
    assert (await server.client.post(path, content=b"-")).status_code == 400


async def test_one_task_is_replaced_in_the_source(server: LiveServer) -> None:
    """API-100: the deprecated change of a single task."""
    await server.flow(HELLO)
    task = {"id": "greet", "type": "io.kestra.plugin.core.log.Log", "message": "Good day"}
    changed = await server.client.patch("/api/v1/main/flows/team/hello/greet", json=task)
    assert (changed.status_code, changed.json()["revision"]) == (200, 2)
    assert changed.json()["source"] == HELLO.replace("message: Hello", "message: Good day")
    wrong = await server.client.patch("/api/v1/main/flows/team/hello/greet", json={**task, "type": "no.such.Type"})
    assert wrong.status_code == 422


async def test_flows_that_use_what_is_deprecated_are_listed_with_the_places(server: LiveServer) -> None:
    """API-100."""
    older = "id: older\nnamespace: team.sub\ntasks:\n  - {id: one, type: io.kestra.core.tasks.log.Log, message: x}\n"
    await server.flow(older)
    await server.flow(HELLO)
    [found] = (await server.client.get("/api/v1/main/flows/deprecated", params={"namespace": "team"})).json()
    check(schemas.DatedFlow, found)
    [place] = found.pop("deprecations")
    assert found == {"namespace": "team.sub", "id": "older", "revision": 1}
    assert (place["path"], place["line"]) == ("tasks[0].type", 4)
    assert place["hint"] == "write `io.kestra.plugin.core.log.Log`"
    assert (await server.client.get("/api/v1/main/flows/deprecated", params={"namespace": "tea"})).json() == []


async def test_revisions_tell_who_saved_them_and_over_which_way(server: LiveServer) -> None:
    """BEY-002: a person by login, in the interface and on the command line, a program, and a task."""
    sources = [f"{HELLO}\ndescription: change {number}\n" for number in range(4)]
    await server.flow(sources[0])
    cli = {"User-Agent": "penstock"}
    assert (await server.client.put(f"{FLOWS}/team/hello", content=sources[1], headers=cli)).status_code == 200
    async with server.visitor(headers={"X-Requested-With": "ui"}) as browser:
        await browser.post("/login", json={"username": USER.username, "password": USER.password})
        assert (await browser.put(f"{FLOWS}/team/hello", content=sources[2])).status_code == 200
    await server.client.post("/api/v1/service-accounts", json={"name": "deployer"})
    made = await server.client.post("/api/v1/service-accounts/deployer/api-tokens", json={"name": "t", "maxAge": "P1D"})
    async with server.visitor(headers={"Authorization": f"Bearer {made.json()['fullToken']}"}) as program:
        answer = await program.post(f"{FLOWS}/bulk", content=sources[3])
        assert answer.status_code == 200, answer.text
    revisions = (await server.client.get(f"{FLOWS}/team/hello/revisions")).json()
    assert [(one["savedBy"]["name"], one["savedBy"]["way"]) for one in revisions] == [
        (USER.username, "API"),
        (USER.username, "COMMAND_LINE"),
        (USER.username, "INTERFACE"),
        ("deployer", "SERVICE_ACCOUNT"),
    ]
