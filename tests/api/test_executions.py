"""Executions over HTTP: start, read, search, delete."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from penstock.base.errors import NotFoundError
from penstock.services.executions import Followers, Following
from tests.api.flows import FAILING, GREETING, HELLO, SLEEPY
from tests.support.live import LiveServer, live_server

EXECUTIONS = "/api/v1/main/executions"


def labels_of(execution: dict[str, object]) -> dict[str, str]:
    labels = execution["labels"]
    assert isinstance(labels, list)
    return {label["key"]: label["value"] for label in labels}


async def test_execution_started_answers_at_once_in_state_created(server: LiveServer) -> None:
    """ENG-120, ENG-124, ENG-125, ENG-126."""
    await server.flow(HELLO)
    body = await server.start("hello")
    assert re.fullmatch(r"[0-9A-Za-z]{22}", body["id"])
    assert body["state"]["current"] == "CREATED"
    assert [change["state"] for change in body["state"]["histories"]] == ["CREATED"]
    assert body["state"]["duration"].startswith("PT")
    assert (body["namespace"], body["flowId"], body["flowRevision"]) == ("team", "hello", 1)
    assert body["originalId"] == body["id"]
    assert body["deleted"] is False
    assert body["metadata"]["attemptNumber"] == 1
    assert body["url"] == f"/ui/executions/team/hello/{body['id']}"


async def test_execution_url_begins_with_the_external_address_when_that_is_known(tmp_path: Path) -> None:
    """ENG-125."""
    async with live_server(tmp_path, change=lambda given: replace(given, url="https://flows.example.com/")) as server:
        await server.flow(HELLO)
        body = await server.start("hello")
        assert body["url"] == f"https://flows.example.com/ui/executions/team/hello/{body['id']}"


async def test_execution_awaited_answers_with_its_end_and_outputs(server: LiveServer) -> None:
    """API-020."""
    await server.flow(GREETING)
    body = await server.run("greeting", files={"name": (None, "Ada"), "times": (None, "3")})
    assert body["state"]["current"] == "SUCCESS"
    assert body["inputs"] == {"name": "Ada", "times": 3}
    assert body["outputs"] == {"greeting": "Hello Ada"}
    [run] = body["taskRunList"]
    assert run["taskId"] == "make"
    assert run["outputs"] == {"value": "Hello Ada"}
    assert run["attempts"][0]["state"]["current"] == "SUCCESS"


async def test_execution_inputs_are_accepted_as_form_and_as_json(server: LiveServer) -> None:
    """ENG-122."""
    await server.flow(GREETING)
    form = await server.run("greeting", data={"name": "Form"})
    assert form["outputs"] == {"greeting": "Hello Form"}
    body = await server.run("greeting", json={"name": "JSON", "times": 2})
    assert body["inputs"] == {"name": "JSON", "times": 2}


async def test_execution_with_a_form_of_nothing_is_created(server: LiveServer) -> None:
    """API-200: the official client for Java declares a form, without the boundary of one, and sends none."""
    await server.flow(HELLO)
    headers = {"Content-Type": "multipart/form-data"}
    path = "/api/v1/main/executions/team/hello"
    assert (await server.client.post(path, headers=headers)).status_code == 200
    answer = await server.client.post(path, headers=headers, content=b"--edge")
    assert (answer.status_code, "boundary" in answer.json()["message"]) == (400, True)


async def test_execution_with_invalid_inputs_is_not_created(server: LiveServer) -> None:
    """ENG-127, API-007."""
    await server.flow(GREETING)
    answer = await server.client.post(f"{EXECUTIONS}/team/greeting", data={"times": "many", "nmae": "x"})
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "INVALID_INPUTS"
    assert {problem["input"] for problem in body["problems"]} == {"times", "nmae"}
    assert (await server.client.get(f"{EXECUTIONS}/search")).json()["total"] == 0


async def test_execution_labels_override_inherited_ones_and_system_labels_are_set(server: LiveServer) -> None:
    """ENG-026, ENG-027, ENG-034, ENG-035."""
    await server.flow(HELLO)
    plain = await server.start("hello")
    assert labels_of(plain) == {
        "owner": "ada",
        "system.correlationId": plain["id"],
        "system.username": "ada@example.com",
    }
    params = [("labels", "owner:bob"), ("labels", "a:b:c"), ("labels", "system.correlationId:order-7")]
    given = labels_of(await server.start("hello", params=params))
    assert (given["owner"], given["a"], given["system.correlationId"]) == ("bob", "b:c", "order-7")


async def test_execution_label_of_the_system_cannot_be_given(server: LiveServer) -> None:
    await server.flow(HELLO)
    answer = await server.client.post(f"{EXECUTIONS}/team/hello", params={"labels": "system.username:root"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "RESERVED_LABEL"


async def test_execution_of_another_revision_runs_that_one(server: LiveServer) -> None:
    """ENG-025, ENG-120."""
    await server.flow(GREETING)
    changed = GREETING.replace('"Hello {{', '"Bye {{')
    await server.client.put("/api/v1/main/flows/team/greeting", content=changed)
    latest = await server.run("greeting")
    assert (latest["flowRevision"], latest["outputs"]) == (2, {"greeting": "Bye World"})
    first = await server.run("greeting", params={"revision": "1"})
    assert (first["flowRevision"], first["outputs"]) == (1, {"greeting": "Hello World"})
    answer = await server.client.post(f"{EXECUTIONS}/team/greeting", params={"revision": "9"})
    assert answer.status_code == 404


async def test_execution_of_an_unknown_flow_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{EXECUTIONS}/team/nothing")
    assert answer.status_code == 404
    assert answer.json() == {
        "message": "there is no flow team.nothing",
        "code": "NOT_FOUND",
        "path": f"{EXECUTIONS}/team/nothing",
    }


async def test_execution_of_a_disabled_flow_is_created_and_fails_at_once(server: LiveServer) -> None:
    """ENG-038."""
    await server.flow(HELLO + "disabled: true\n")
    body = await server.start("hello")
    assert body["state"]["current"] == "CREATED"
    ended = await server.until(body["id"], "FAILED")
    assert ended["error"] == "Cannot execute a flow which is disabled"
    assert ended["taskRunList"] == []


async def test_execution_with_a_schedule_date_waits_for_it(server: LiveServer) -> None:
    """API-020."""
    await server.flow(HELLO)
    later = datetime.now(UTC) + timedelta(hours=1)
    body = await server.start("hello", params={"scheduleDate": later.isoformat()})
    assert body["scheduleDate"].startswith(later.strftime("%Y-%m-%dT%H:%M"))
    stored = (await server.client.get(f"{EXECUTIONS}/{body['id']}")).json()
    assert stored["state"]["current"] == "CREATED"
    assert stored["taskRunList"] == []
    wrong = await server.client.post(f"{EXECUTIONS}/team/hello", params={"scheduleDate": "tomorrow"})
    assert wrong.status_code == 422


async def test_execution_by_the_older_address_is_started_too(server: LiveServer) -> None:
    """ENG-121."""
    await server.flow(HELLO)
    answer = await server.client.post(f"{EXECUTIONS}/trigger/team/hello", params={"wait": "true"})
    assert answer.json()["state"]["current"] == "SUCCESS"


async def test_execution_with_a_file_input_stores_the_file_under_its_name(server: LiveServer) -> None:
    """ENG-123, API-021."""
    await server.flow(
        "id: filed\nnamespace: team\ninputs:\n  - id: data\n    type: FILE\ntasks:\n"
        "  - id: show\n    type: io.kestra.plugin.core.debug.Return\n    format: '{{ read(inputs.data) }}'\n"
    )
    new = await server.run("filed", files={"data": ("../my data.txt", b"content", "text/plain")})
    assert new["inputs"]["data"] == f"kestra:///team/filed/executions/{new['id']}/inputs/data/my%20data.txt"
    assert new["taskRunList"][0]["outputs"] == {"value": "content"}
    old = await server.run("filed", files={"files": ("data", b"older form", "text/plain")})
    assert old["taskRunList"][0]["outputs"] == {"value": "older form"}


async def test_execution_check_that_blocks_answers_with_its_message(server: LiveServer) -> None:
    """ENG-193, ENG-194, ENG-409."""
    checks = """checks:
  - condition: "{{ inputs.times < 3 }}"
    message: too often
  - condition: "{{ inputs.name != 'Eve' }}"
    message: not for Eve
    behavior: FAIL_EXECUTION
"""
    await server.flow(GREETING + checks)
    blocked = await server.client.post(f"{EXECUTIONS}/team/greeting", data={"times": "5"})
    assert (blocked.status_code, blocked.json()["message"]) == (422, "too often")
    assert (await server.run("greeting", data={"times": "1"}))["state"]["current"] == "SUCCESS"
    failed = await server.until((await server.start("greeting", data={"name": "Eve"}))["id"], "FAILED")
    assert (failed["error"], failed["taskRunList"]) == ("not for Eve", [])


async def test_launch_validation_tells_values_errors_and_failing_checks(server: LiveServer) -> None:
    checks = "checks:\n  - condition: \"{{ inputs.name == 'Ada' }}\"\n    message: only Ada\n    style: WARNING\n"
    await server.flow(GREETING + checks)
    body = (await server.client.post(f"{EXECUTIONS}/team/greeting/validate", data={"times": "0"})).json()
    name, times = body["inputs"]
    assert (name["value"], name["isDefault"], name["enabled"], name["errors"]) == ("World", True, True, [])
    assert name["input"]["type"] == "STRING"
    assert times["errors"][0]["message"].startswith("`0` is given")
    assert body["checks"] == [{"message": "only Ada", "style": "WARNING", "behavior": "BLOCK_EXECUTION"}]
    assert (await server.client.get(f"{EXECUTIONS}/search")).json()["total"] == 0


async def test_executions_are_searched_by_state_namespace_flow_label_and_time(server: LiveServer) -> None:
    """API-009, API-010, ENG-133."""
    await server.flow(HELLO)
    await server.flow(FAILING)
    good = await server.run("hello", params={"labels": "team.size:5"})
    bad = await server.run("failing")

    async def found(**params: str) -> list[str]:
        answer = await server.client.get(f"{EXECUTIONS}/search", params=params)
        assert answer.status_code == 200, answer.text
        return sorted(one["id"] for one in answer.json()["results"])

    assert await found() == sorted([good["id"], bad["id"]])
    assert await found(state="FAILED") == [bad["id"]]
    assert await found(**{"filters[state][IN]": "FAILED,KILLED"}) == [bad["id"]]
    assert await found(**{"filters[flowId][EQUALS]": "hello"}) == [good["id"]]
    assert await found(**{"filters[labels][EQUALS][team.size]": "5"}) == [good["id"]]
    assert await found(**{"filters[labels][EQUALS]": "team.size:5"}) == [good["id"]]
    assert await found(**{"filters[timeRange][EQUALS]": "PT1H", "namespace": "team"}) == sorted([good["id"], bad["id"]])
    assert await found(**{"filters[startDate][LESS_THAN]": "2020-01-01T00:00:00Z"}) == []
    answer = await server.client.get(EXECUTIONS, params={"namespace": "team", "flowId": "failing"})
    assert [one["id"] for one in answer.json()["results"]] == [bad["id"]]


async def test_search_without_bodies_leaves_inputs_and_outputs_out(server: LiveServer) -> None:
    """BEY-022, API-101: what the official client reads is there unless somebody asks for less."""
    await server.flow(GREETING)
    await server.run("greeting", files={"name": (None, "Ada"), "times": (None, "3")})
    whole, light = [
        (await server.client.get(f"{EXECUTIONS}/search", params=params)).json()["results"][0]
        for params in ({}, {"bodies": "false"})
    ]
    assert (whole["inputs"], whole["outputs"]) == ({"name": "Ada", "times": 3}, {"greeting": "Hello Ada"})
    assert light == {name: value for name, value in whole.items() if name not in ("inputs", "outputs", "variables")}


async def test_latest_executions_are_returned_one_for_each_flow_that_has_one(server: LiveServer) -> None:
    """API-049."""
    await server.flow(HELLO)
    await server.flow(FAILING)
    first = await server.run("hello")
    last = await server.run("hello")
    wanted = [{"namespace": "team", "id": "hello"}, {"namespace": "team", "id": "failing"}]
    [body] = (await server.client.post(f"{EXECUTIONS}/latest", json=wanted)).json()
    assert body == {
        "id": last["id"],
        "flowId": "hello",
        "namespace": "team",
        "startDate": last["state"]["startDate"],
        "endDate": last["state"]["endDate"],
        "status": "SUCCESS",
    }
    several = (await server.client.post(f"{EXECUTIONS}/latest", json=wanted, params={"count": 5})).json()
    assert [one["id"] for one in several] == [last["id"], first["id"]]


async def test_execution_deleted_is_gone_with_its_logs_and_files(server: LiveServer) -> None:
    """API-025."""
    await server.flow(HELLO)
    ended = await server.run("hello")
    assert (await server.client.delete(f"{EXECUTIONS}/{ended['id']}")).status_code == 204
    assert (await server.client.get(f"{EXECUTIONS}/{ended['id']}")).status_code == 404
    assert (await server.client.get(f"/api/v1/main/logs/{ended['id']}")).status_code == 404


async def test_execution_that_runs_cannot_be_deleted(server: LiveServer) -> None:
    await server.flow(SLEEPY)
    running = await server.start("sleepy")
    await server.until(running["id"], "RUNNING")
    assert (await server.client.delete(f"{EXECUTIONS}/{running['id']}")).status_code == 409
    await server.client.delete(f"{EXECUTIONS}/{running['id']}/kill")
    await server.until(running["id"], "KILLED")


async def test_flow_of_an_execution_shows_what_ran_without_the_tasks_properties(server: LiveServer) -> None:
    await server.flow(GREETING)
    ended = await server.run("greeting")
    await server.client.delete("/api/v1/main/flows/team/greeting")
    body = (await server.client.get(f"{EXECUTIONS}/{ended['id']}/flow")).json()
    assert body["tasks"] == [{"id": "make", "type": "io.kestra.plugin.core.debug.Return"}]
    assert [one["id"] for one in body["inputs"]] == ["name", "times"]
    assert "source" not in body


async def test_expression_is_evaluated_in_the_context_of_a_task_run(tmp_path: Path) -> None:
    """UI-127, EXP-010, EXP-011."""
    async with live_server(tmp_path, secrets={"TOKEN": "hidden-value"}) as server:
        await server.flow(GREETING)
        ended = await server.run("greeting")
        path = f"{EXECUTIONS}/{ended['id']}/eval/{ended['taskRunList'][0]['id']}"
        good = await server.client.post(path, content="{{ outputs.make.value | upper }}")
        assert good.json() == {"result": "HELLO WORLD"}
        wrong = await server.client.post(path, content="{{ outputs.mkae.value }}")
        assert "mkae" in wrong.json()["error"]
        secret = await server.client.post(path, content="{{ secret('TOKEN') }}")
        assert "hidden-value" not in secret.text
        assert "error" in secret.json()
        whole = json.loads((await server.client.post(path, content="{{ printContext() }}")).json()["result"])
        assert whole["outputs"] == {"make": {"value": "Hello World"}}
        assert {"flow", "execution", "inputs", "taskrun", "task"} <= whole.keys()


async def test_executions_waited_for_in_parallel_all_answer(server: LiveServer) -> None:
    await server.flow(GREETING)
    bodies = await asyncio.gather(*(server.run("greeting", data={"name": str(one)}) for one in range(20)))
    assert sorted(body["outputs"]["greeting"] for body in bodies) == sorted(f"Hello {one}" for one in range(20))
    assert server.core.followers.count == 0


async def test_execution_is_awaited_no_longer_once_it_is_deleted_or_the_server_stops(
    server: LiveServer,
) -> None:
    """API-020."""
    await server.flow(SLEEPY)
    execution_id = (await server.start("sleepy"))["id"]
    store = server.core.store
    stopping = Followers(store.notifier)
    stopping.leave()
    with stopping.watch(execution_id) as watch:
        view = await Following(store.queries, stopping).end("main", execution_id, watch)
    assert not view.is_over
    await server.client.delete(f"{EXECUTIONS}/{execution_id}/kill")
    await server.until(execution_id, "KILLED")
    assert (await server.client.delete(f"{EXECUTIONS}/{execution_id}")).status_code == 204
    followers = Followers(store.notifier)
    with followers.watch(execution_id) as watch:
        following = Following(store.queries, followers, poll=0.01)
        with pytest.raises(NotFoundError, match=execution_id):
            await following.end("main", execution_id, watch)


@pytest.mark.parametrize("flow_id", ["labels", "replay", "eval"])
async def test_flow_named_like_an_action_of_executions_is_started_by_its_address(
    server: LiveServer, flow_id: str
) -> None:
    """ENG-120, API-012: only a few words cannot name a flow."""
    await server.flow(HELLO.replace("id: hello", f"id: {flow_id}").replace("namespace: team", "namespace: team.sub"))
    answer = await server.client.post(f"/api/v1/main/executions/team.sub/{flow_id}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["flowId"] == flow_id


async def test_search_leaves_out_what_was_played_unless_asked_for_it(server: LiveServer) -> None:
    """UI-102, ENG-381."""
    await server.flow(HELLO)
    played = await server.client.post(f"{EXECUTIONS}/team/hello", params={"kind": "PLAYGROUND", "wait": "true"})
    assert (await server.client.get(f"{EXECUTIONS}/search")).json()["total"] == 0
    found = (await server.client.get(f"{EXECUTIONS}/search", params={"filters[kind][EQUALS]": "PLAYGROUND"})).json()
    assert [one["id"] for one in found["results"]] == [played.json()["id"]]
