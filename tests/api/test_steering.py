"""Steering executions over HTTP: kill, pause, resume, restart, labels, states; one and many."""

from __future__ import annotations

import asyncio

import pytest

from tests.api.flows import FAILING, HELLO, PAUSED, SLEEPY
from tests.support.live import LiveServer
from tests.support.waiting import PATIENCE

EXECUTIONS = "/api/v1/main/executions"
SLEEP = "io.kestra.plugin.core.flow.Sleep"


async def test_kill_stops_a_running_execution(server: LiveServer) -> None:
    """ENG-157."""
    await server.flow(SLEEPY)
    running = await server.start("sleepy")
    await server.until(running["id"], "RUNNING")
    answer = await server.client.delete(f"{EXECUTIONS}/{running['id']}/kill")
    assert answer.status_code == 202
    ended = await server.until(running["id"], "KILLED")
    assert ended["taskRunList"][0]["state"]["current"] == "KILLED"


async def test_kill_of_an_ended_execution_is_a_conflict(server: LiveServer) -> None:
    """API-007."""
    await server.flow(HELLO)
    ended = await server.run("hello")
    answer = await server.client.delete(f"{EXECUTIONS}/{ended['id']}/kill")
    assert answer.status_code == 409
    assert "has ended already" in answer.json()["message"]


async def test_kill_after_the_end_stops_what_runs_after_it_and_leaves_the_state(server: LiveServer) -> None:
    """ENG-157, ENG-231."""
    await server.flow(f"{HELLO}afterExecution:\n  - {{id: late, type: {SLEEP}, duration: PT1H}}\n")
    ended = await server.until((await server.start("hello"))["id"], "SUCCESS")
    answer = await server.client.delete(f"{EXECUTIONS}/{ended['id']}/kill")
    assert answer.status_code == 202, answer.text
    states = [""]
    async with asyncio.timeout(PATIENCE):
        while states[-1] != "KILLED":  # the server tells by being asked
            await asyncio.sleep(0.01)
            found = await server.until(ended["id"], "SUCCESS")
            states = [run["state"]["current"] for run in found["taskRunList"] if run["taskId"] == "late"]


@pytest.mark.parametrize(
    ("method", "action"), [("DELETE", "kill"), ("POST", "pause"), ("POST", "resume"), ("POST", "restart")]
)
async def test_steering_of_an_unknown_execution_is_not_found(server: LiveServer, method: str, action: str) -> None:
    answer = await server.client.request(method, f"{EXECUTIONS}/unknown/{action}")
    assert answer.status_code == 404
    assert answer.json()["message"] == "there is no execution unknown"


async def test_resume_lets_a_paused_execution_go_on(server: LiveServer) -> None:
    """ENG-095."""
    await server.flow(PAUSED)
    started = await server.start("paused")
    await server.until(started["id"], "PAUSED")
    assert (await server.client.post(f"{EXECUTIONS}/{started['id']}/resume")).status_code == 204
    ended = await server.until(started["id"], "SUCCESS")
    assert [run["taskId"] for run in ended["taskRunList"]] == ["wait", "after"]


ASKING = PAUSED.replace(
    "flow.Pause\n",
    "flow.Pause\n    onResume:\n      - {id: ok, type: BOOL}\n      - {id: days, type: INT, min: 1, defaults: 3}\n",
)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [({}, "`ok`: is required"), ({"ok": "maybe"}, "must be `true` or `false`"), ({"ok": "true", "x": "1"}, "`x`")],
)
async def test_resume_with_values_that_do_not_fit_leaves_the_execution_paused(
    server: LiveServer, given: dict[str, str], complaint: str
) -> None:
    """ENG-095, USE-B029."""
    await server.flow(ASKING)
    started = await server.start("paused")
    await server.until(started["id"], "PAUSED")
    answer = await server.client.post(f"{EXECUTIONS}/{started['id']}/resume", data=given)
    assert answer.status_code == 422
    assert complaint in answer.json()["message"]
    assert (await server.client.get(f"{EXECUTIONS}/{started['id']}")).json()["state"]["current"] == "PAUSED"


async def test_resume_hands_over_values_in_the_form_of_their_types(server: LiveServer) -> None:
    """ENG-095, USE-B029."""
    await server.flow(ASKING)
    started = await server.start("paused")
    await server.until(started["id"], "PAUSED")
    answer = await server.client.post(f"{EXECUTIONS}/{started['id']}/resume", data={"ok": "true"})
    assert answer.status_code == 204
    ended = await server.until(started["id"], "SUCCESS")
    assert ended["taskRunList"][0]["outputs"]["onResume"] == {"ok": True, "days": 3}


async def test_bulk_resume_leaves_out_executions_that_ask_for_values(server: LiveServer) -> None:
    """ENG-095, API-011."""
    await server.flow(ASKING)
    asking = await server.start("paused")
    await server.until(asking["id"], "PAUSED")
    answer = await server.client.post(f"{EXECUTIONS}/resume/by-ids", json=[asking["id"]])
    assert (answer.status_code, answer.json()["count"]) == (207, 0)
    assert [(one["id"], "`ok`" in one["message"]) for one in answer.json()["invalids"]] == [(asking["id"], True)]


async def test_resume_asking_for_an_unknown_type_makes_the_flow_invalid(server: LiveServer) -> None:
    """ENG-095."""
    answer = await server.client.post(
        "/api/v1/main/flows",
        content=ASKING.replace("BOOL", "BOOLL"),
        headers={"Content-Type": "application/x-yaml"},
    )
    assert answer.status_code == 422
    assert "unknown input type `BOOLL`" in answer.json()["message"]


async def test_resume_of_an_execution_that_is_not_paused_is_a_conflict(server: LiveServer) -> None:
    await server.flow(HELLO)
    ended = await server.run("hello")
    assert (await server.client.post(f"{EXECUTIONS}/{ended['id']}/resume")).status_code == 409


async def test_pause_holds_a_running_execution_until_it_is_resumed(server: LiveServer) -> None:
    """ENG-146."""
    await server.flow(
        SLEEPY.replace("PT30S", "PT0.3S") + "  - id: after\n    type: io.kestra.plugin.core.log.Log\n    message: x\n"
    )
    started = await server.start("sleepy")
    await server.until(started["id"], "RUNNING")
    assert (await server.client.post(f"{EXECUTIONS}/{started['id']}/pause")).status_code == 204
    held = await server.until(started["id"], "PAUSED")
    assert [run["taskId"] for run in held["taskRunList"]] == ["nap"]
    assert (await server.client.post(f"{EXECUTIONS}/{started['id']}/pause")).status_code == 409
    await server.client.post(f"{EXECUTIONS}/{started['id']}/resume")
    await server.until(started["id"], "SUCCESS")


async def test_restart_runs_the_failed_task_again_and_labels_the_execution(server: LiveServer) -> None:
    """ENG-153, API-026."""
    await server.flow(FAILING)
    failed = await server.run("failing")
    answer = await server.client.post(f"{EXECUTIONS}/{failed['id']}/restart")
    assert answer.status_code == 200
    ended = await server.until(failed["id"], "FAILED")
    states = [change["state"] for change in ended["state"]["histories"]]
    assert "RESTARTED" in states
    assert {"key": "system.restarted", "value": "true"} in ended["labels"]
    assert len(ended["taskRunList"][0]["attempts"]) == 2


async def test_restart_of_a_running_execution_is_a_conflict(server: LiveServer) -> None:
    await server.flow(PAUSED)
    started = await server.start("paused")
    await server.until(started["id"], "PAUSED")
    assert (await server.client.post(f"{EXECUTIONS}/{started['id']}/restart")).status_code == 409


async def test_labels_are_set_on_an_ended_execution_and_on_no_other(server: LiveServer) -> None:
    """ENG-028."""
    await server.flow(HELLO)
    await server.flow(PAUSED)
    ended = await server.run("hello")
    path = f"{EXECUTIONS}/{ended['id']}/labels"
    answer = await server.client.post(path, json=[{"key": "owner", "value": "bob"}, {"key": "new", "value": "1"}])
    labels = {label["key"]: label["value"] for label in answer.json()["labels"]}
    assert (labels["owner"], labels["new"]) == ("bob", "1")
    assert (await server.client.post(path, json=[{"key": "system.username", "value": "x"}])).status_code == 422
    assert (await server.client.post(path, json={"key": "a"})).status_code == 400
    paused = await server.start("paused")
    await server.until(paused["id"], "PAUSED")
    answer = await server.client.post(f"{EXECUTIONS}/{paused['id']}/labels", json=[{"key": "a", "value": "b"}])
    assert answer.status_code == 409


async def test_task_run_paused_is_marked_as_running_by_hand(server: LiveServer) -> None:
    """ENG-096."""
    await server.flow(PAUSED)
    started = await server.start("paused")
    paused = await server.until(started["id"], "PAUSED")
    body = {"taskRunId": paused["taskRunList"][0]["id"], "state": "RUNNING"}
    assert (await server.client.post(f"{EXECUTIONS}/{started['id']}/state", json=body)).status_code == 200
    await server.until(started["id"], "SUCCESS")


async def test_bulk_request_with_an_id_that_does_not_allow_it_does_nothing(server: LiveServer) -> None:
    """API-011."""
    await server.flow(PAUSED)
    await server.flow(HELLO)
    paused = await server.start("paused")
    await server.until(paused["id"], "PAUSED")
    ended = await server.run("hello")
    ids = [paused["id"], ended["id"], "unknown"]
    answer = await server.client.request("DELETE", f"{EXECUTIONS}/kill/by-ids", json=ids)
    assert answer.status_code == 422
    assert {one["id"] for one in answer.json()["invalids"]} == {ended["id"], "unknown"}
    assert (await server.client.get(f"{EXECUTIONS}/{paused['id']}")).json()["state"]["current"] == "PAUSED"


async def test_bulk_kill_resume_and_restart_by_ids_count_what_they_did(server: LiveServer) -> None:
    await server.flow(PAUSED)
    await server.flow(FAILING)
    ids = [(await server.start("paused"))["id"] for _ in range(3)]
    for one in ids:
        await server.until(one, "PAUSED")
    killed = await server.client.request("DELETE", f"{EXECUTIONS}/kill/by-ids", json=ids[:1])
    assert killed.json() == {"count": 1}
    resumed = await server.client.post(f"{EXECUTIONS}/resume/by-ids", json=ids[1:])
    assert resumed.json() == {"count": 2}
    await server.until(ids[0], "KILLED")
    for one in ids[1:]:
        await server.until(one, "SUCCESS")
    failed = await server.run("failing")
    refused = await server.client.post(f"{EXECUTIONS}/restart/by-ids", json=[failed["id"], ids[1]])
    assert refused.status_code == 422
    assert [one["id"] for one in refused.json()["invalids"]] == [ids[1]]
    restarted = await server.client.post(f"{EXECUTIONS}/restart/by-ids", json=[failed["id"]])
    assert restarted.json() == {"count": 1}


async def test_bulk_requests_by_query_take_what_meets_the_filters_and_allows_it(server: LiveServer) -> None:
    await server.flow(PAUSED)
    await server.flow(HELLO)
    paused = await server.start("paused")
    await server.until(paused["id"], "PAUSED")
    await server.run("hello")
    params = {"filters[namespace][EQUALS]": "team"}
    assert (await server.client.delete(f"{EXECUTIONS}/kill/by-query", params=params)).json() == {"count": 1}
    await server.until(paused["id"], "KILLED")
    labelled = await server.client.post(
        f"{EXECUTIONS}/labels/by-query", params=params, json=[{"key": "seen", "value": "yes"}]
    )
    assert labelled.json() == {"count": 2}
    assert (await server.client.delete(f"{EXECUTIONS}/by-query", params=params)).json() == {"count": 2}
    assert (await server.client.get(f"{EXECUTIONS}/search")).json()["total"] == 0


async def test_bulk_delete_by_ids_leaves_running_ones_unless_told_so(server: LiveServer) -> None:
    await server.flow(PAUSED)
    paused = await server.start("paused")
    await server.until(paused["id"], "PAUSED")
    refused = await server.client.request("DELETE", f"{EXECUTIONS}/by-ids", json=[paused["id"]])
    assert refused.status_code == 422


async def test_execution_of_a_flow_named_like_a_bulk_word_is_no_bulk_request(server: LiveServer) -> None:
    """The words of other routes are no flow ids there; the execution's own routes win."""
    await server.flow(PAUSED)
    started = await server.start("paused")
    await server.until(started["id"], "PAUSED")
    answer = await server.client.post(
        f"{EXECUTIONS}/{started['id']}/state", json={"taskRunId": "x", "state": "SUCCESS"}
    )
    assert answer.status_code == 404
    assert "task run" in answer.json()["message"]
