"""What people decide over an execution's head, over HTTP: one and many, on both databases."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import Any

import pytest

from tests.api.flows import HELLO, HOOKED, PAUSED, SLEEPY
from tests.support.live import LiveServer
from tests.support.waiting import PATIENCE

EXECUTIONS = "/api/v1/main/executions"
LIMITED = PAUSED.replace("id: paused", "id: limited\nconcurrency: {limit: 1}")
THREE = """
id: three
namespace: team
tasks:
  - {id: a, type: io.kestra.plugin.core.debug.Return, format: a}
  - {id: b, type: io.kestra.plugin.core.debug.Return, format: "b after {{ outputs.a.value }}"}
  - {id: c, type: io.kestra.plugin.core.debug.Return, format: c}
"""


async def waiting(server: LiveServer, count: int = 1) -> list[dict[str, Any]]:
    """Return executions that wait for the slot of another one, which holds it."""
    await server.flow(LIMITED)
    holder = await server.start("limited")
    await server.until(holder["id"], "PAUSED")
    executions = [await server.start("limited") for _ in range(count)]
    return [holder, *[await server.until(one["id"], "QUEUED") for one in executions]]


async def state(server: LiveServer, execution: dict[str, Any]) -> str:
    body = (await server.client.get(f"{EXECUTIONS}/{execution['id']}")).json()
    current: str = body["state"]["current"]
    return current


async def test_force_run_lets_a_queued_execution_run_beside_the_one_that_holds_the_slot(server: LiveServer) -> None:
    """API-101 (force-run), BEY-003: the forced one counts, so nobody else begins in its place."""
    holder, forced, other = await waiting(server, 2)
    answer = await server.client.post(f"{EXECUTIONS}/{forced['id']}/force-run")
    assert answer.status_code == 200, answer.text
    await server.until(forced["id"], "PAUSED")
    await server.client.delete(f"{EXECUTIONS}/{holder['id']}/kill")
    await server.until(holder["id"], "KILLED")
    assert await state(server, other) == "QUEUED"
    await server.client.post(f"{EXECUTIONS}/{forced['id']}/resume")
    await server.until(other["id"], "PAUSED")


async def test_force_run_of_an_ended_execution_is_a_conflict(server: LiveServer) -> None:
    await server.flow(HELLO)
    ended = await server.run("hello")
    answer = await server.client.post(f"{EXECUTIONS}/{ended['id']}/force-run")
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")


@pytest.mark.parametrize(("asked", "end"), [("", "PAUSED"), ("CANCELLED", "CANCELLED"), ("failed", "FAILED")])
async def test_unqueue_brings_a_queued_execution_into_the_state_asked_for(
    server: LiveServer, asked: str, end: str
) -> None:
    """API-101 (unqueue)."""
    _, queued = await waiting(server)
    params = {"state": asked} if asked else {}
    answer = await server.client.post(f"{EXECUTIONS}/{queued['id']}/unqueue", params=params)
    assert answer.status_code == 200, answer.text
    await server.until(queued["id"], end)


async def test_unqueue_into_a_state_that_is_none_says_which_there_are(server: LiveServer) -> None:
    _, queued = await waiting(server)
    for wrong in ("SUCCESS", "nonsense"):
        answer = await server.client.post(f"{EXECUTIONS}/{queued['id']}/unqueue", params={"state": wrong})
        assert answer.status_code == 422
        assert answer.json()["hint"]


async def test_change_status_gives_an_ended_execution_another_end(server: LiveServer) -> None:
    """API-101 (change-status)."""
    await server.flow(HELLO)
    ended = await server.run("hello")
    answer = await server.client.post(f"{EXECUTIONS}/{ended['id']}/change-status", params={"status": "FAILED"})
    assert answer.json()["state"]["current"] == "FAILED"
    assert await state(server, ended) == "FAILED"
    refused = await server.client.post(f"{EXECUTIONS}/{ended['id']}/change-status", params={"status": "RUNNING"})
    assert (refused.status_code, "choose one of" in refused.json()["hint"]) == (422, True)


async def test_breakpoints_stop_an_execution_until_it_is_resumed_from_them(server: LiveServer) -> None:
    """API-020 (breakpoints), API-101 (resume-from-breakpoint)."""
    await server.flow(THREE)
    started = await server.start("three", params={"breakpoints": "b, c"})
    stopped = await server.until(started["id"], "BREAKPOINT")
    assert stopped["breakpoints"] == [{"id": "b"}, {"id": "c"}]
    assert [run["state"]["current"] for run in stopped["taskRunList"]] == ["SUCCESS", "CREATED"]
    evaluated = await server.client.post(
        f"{EXECUTIONS}/{started['id']}/eval/{stopped['taskRunList'][1]['id']}", content="{{ outputs.a.value }}"
    )
    assert evaluated.json() == {"result": "a"}
    path = f"{EXECUTIONS}/{started['id']}/resume-from-breakpoint"
    assert (await server.client.post(path, params={"breakpoints": ""})).status_code == 204
    ended = await server.until(started["id"], "SUCCESS")
    assert "breakpoints" not in ended
    assert (await server.client.post(path)).status_code == 409


async def test_resume_is_checked_before_it_is_done(server: LiveServer) -> None:
    """API-101 (resume/validate)."""
    await server.flow(PAUSED.replace("flow.Pause\n", "flow.Pause\n    onResume: [{id: days, type: INT, min: 1}]\n"))
    started = await server.start("paused")
    await server.until(started["id"], "PAUSED")
    path = f"{EXECUTIONS}/{started['id']}/resume/validate"
    wrong = (await server.client.post(path, data={"days": "0"})).json()
    assert (wrong["inputs"][0]["input"]["id"], len(wrong["inputs"][0]["errors"])) == ("days", 1)
    right = (await server.client.post(path, data={"days": "2"})).json()
    assert (right["inputs"][0]["value"], right["inputs"][0]["errors"]) == (2, [])
    assert await state(server, started) == "PAUSED"


PARENT = """
id: parent
namespace: team
tasks:
  - {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: team, flowId: sleepy, wait: true}
"""


@pytest.mark.parametrize(("cascade", "end"), [("true", "KILLED"), ("false", "RUNNING")])
async def test_kill_reaches_the_executions_it_waits_for_unless_told_not_to(
    server: LiveServer, cascade: str, end: str
) -> None:
    """ENG-157, BEY-004: `isOnKillCascade`."""
    await server.flow(SLEEPY)
    await server.flow(PARENT)
    parent = await server.start("parent")
    async with asyncio.timeout(PATIENCE):
        found: list[dict[str, Any]] = []
        while not found:
            params = {"flowId": "sleepy", "state": "RUNNING"}
            found = (await server.client.get(f"{EXECUTIONS}/search", params=params)).json()["results"]
    await server.client.delete(f"{EXECUTIONS}/{parent['id']}/kill", params={"isOnKillCascade": cascade})
    await server.until(parent["id"], "KILLED")
    await server.until(found[0]["id"], end)
    await server.client.delete(f"{EXECUTIONS}/{found[0]['id']}/kill")


async def test_delete_of_an_execution_that_runs_ends_it_and_frees_its_slot(server: LiveServer) -> None:
    """ENG-256, API-025."""
    holder, queued = await waiting(server)
    refused = await server.client.request("DELETE", f"{EXECUTIONS}/by-ids", json=[holder["id"]])
    assert refused.status_code == 422
    answer = await server.client.request(
        "DELETE", f"{EXECUTIONS}/by-ids", json=[holder["id"]], params={"includeNonTerminated": "true"}
    )
    assert answer.json() == {"count": 1}
    assert (await server.client.get(f"{EXECUTIONS}/{holder['id']}")).status_code == 404
    await server.until(queued["id"], "PAUSED")


# -- many at once


async def ended(server: LiveServer, count: int) -> list[str]:
    await server.flow(HELLO)
    return [(await server.run("hello"))["id"] for _ in range(count)]


async def test_bulk_by_ids_says_everything_that_is_wrong_and_does_nothing(server: LiveServer) -> None:
    """API-011, BEY-072."""
    first, second = await ended(server, 2)
    for action in ("force-run", "unqueue"):
        answer = await server.client.post(f"{EXECUTIONS}/{action}/by-ids", json=[first, "missing", second])
        assert answer.status_code == 422
        assert [one["id"] for one in answer.json()["invalids"]] == [first, "missing", second]


async def test_bulk_change_of_status_by_ids_and_by_query(server: LiveServer) -> None:
    """API-101 (change-status in bulk)."""
    ids = await ended(server, 3)
    path = f"{EXECUTIONS}/change-status"
    answer = await server.client.post(f"{path}/by-ids", json=ids[:2], params={"newStatus": "FAILED"})
    assert answer.json() == {"count": 2}
    params = {"newStatus": "WARNING", "filters[state][IN]": "FAILED"}
    assert (await server.client.post(f"{path}/by-query", params=params)).json() == {"count": 2}
    found = (await server.client.get(f"{EXECUTIONS}/search", params={"state": "WARNING"})).json()
    assert sorted(one["id"] for one in found["results"]) == sorted(ids[:2])


async def test_bulk_unqueue_and_force_run_by_query_take_those_that_wait(server: LiveServer) -> None:
    """API-101 (force-run and unqueue in bulk)."""
    _, first, second, third = await waiting(server, 3)
    path = f"{EXECUTIONS}/unqueue/by-ids"
    assert (await server.client.post(path, json=[first["id"]], params={"state": "CANCELLED"})).json() == {"count": 1}
    await server.until(first["id"], "CANCELLED")
    params = {"flowId": "limited", "state": "QUEUED"}
    assert (await server.client.post(f"{EXECUTIONS}/force-run/by-query", params=params)).json() == {"count": 2}
    for execution in (second, third):
        await server.until(execution["id"], "PAUSED")


async def test_bulk_replay_makes_a_new_execution_of_each_with_the_latest_revision(server: LiveServer) -> None:
    """ENG-156, API-101 (replay in bulk)."""
    ids = await ended(server, 2)
    await server.client.put("/api/v1/main/flows/team/hello", content=HELLO.replace("Hello", "Good day"))
    answer = await server.client.post(f"{EXECUTIONS}/replay/by-ids", json=ids, params={"latestRevision": "true"})
    assert answer.json() == {"count": 2}
    answer = await server.client.post(f"{EXECUTIONS}/replay/by-query", params={"filters[flowId][EQUALS]": "hello"})
    assert answer.json() == {"count": 4}
    found = (await server.client.get(f"{EXECUTIONS}/search", params={"flowId": "hello", "size": 100})).json()
    revisions = sorted((one["flowRevision"], one["metadata"]["attemptNumber"]) for one in found["results"])
    assert revisions == [(1, 1), (1, 1), (1, 2), (1, 2), (2, 2), (2, 2), (2, 3), (2, 3)]


async def test_bulk_request_over_more_executions_than_a_batch_reaches_all(server: LiveServer) -> None:
    """API-011: in batches."""
    await server.flow(LIMITED)
    started = [await server.start("limited") for _ in range(520)]
    answer = await server.client.request("DELETE", f"{EXECUTIONS}/kill/by-query", params={"flowId": "limited"})
    assert answer.json() == {"count": len(started)}
    found = (await server.client.get(f"{EXECUTIONS}/search", params={"state": "KILLED"})).json()
    assert found["total"] == len(started)
    ids = [one["id"] for one in started]
    assert (await server.client.request("DELETE", f"{EXECUTIONS}/by-ids", json=ids)).json() == {"count": len(ids)}
    assert (await server.client.get(f"{EXECUTIONS}/search")).json()["total"] == 0


FLAKY = """
id: flaky
namespace: team
tasks:
  - {id: good, type: io.kestra.plugin.core.debug.Return, format: "{{ execution.id }}"}
  - id: bad
    type: io.kestra.plugin.core.execution.Fail
    retry: {type: constant, interval: PT0.01S, maxAttempts: 2}
"""


async def test_retry_restart_and_replay_are_three_ways_to_run_again(server: LiveServer) -> None:
    """ENG-152, ENG-153, ENG-154: attempts within, the same execution once more, a new execution."""
    await server.flow(FLAKY)
    first = await server.run("flaky")
    good, bad = first["taskRunList"]
    assert (first["state"]["current"], len(bad["attempts"])) == ("FAILED", 2)
    await server.client.post(f"{EXECUTIONS}/{first['id']}/restart")
    again = await server.until(first["id"], "FAILED")
    history = [change["state"] for change in again["state"]["histories"]]
    assert history[:5] == ["CREATED", "RUNNING", "FAILED", "RESTARTED", "RUNNING"]
    assert [len(run["attempts"]) for run in again["taskRunList"]] == [1, 3]
    answer = await server.client.post(f"{EXECUTIONS}/{first['id']}/replay", params={"taskRunId": bad["id"]})
    replayed = await server.until(answer.json()["id"], "FAILED")
    assert (replayed["id"] != first["id"], replayed["originalId"]) == (True, first["id"])
    assert replayed["taskRunList"][0]["outputs"] == good["outputs"], "reused, not run again"


async def test_calls_need_a_login_and_webhooks_do_not(server: LiveServer) -> None:
    """ENG-130, API-004."""
    await server.flow(HOOKED)
    async with server.visitor() as visitor:
        assert (await visitor.post(f"{EXECUTIONS}/team/hooked")).status_code == 401
        assert (await visitor.get(f"{EXECUTIONS}/search")).status_code == 401
        assert (await visitor.post(f"{EXECUTIONS}/webhook/team/hooked/abc123")).status_code == 200


async def test_flow_is_rolled_back_by_saving_an_earlier_revision(server: LiveServer) -> None:
    """ENG-024, ENG-025."""
    await server.flow(HELLO)
    path = "/api/v1/main/flows/team/hello"
    await server.client.put(path, content=HELLO.replace("Hello", "Good day"))
    revisions = (await server.client.get(f"{path}/revisions")).json()
    assert [one["revision"] for one in revisions] == [1, 2]
    assert (await server.client.put(path, content=revisions[0]["source"])).json()["revision"] == 3
    assert (await server.run("hello"))["flowRevision"] == 3


async def test_correlation_id_is_given_at_the_launch_and_stays(server: LiveServer) -> None:
    """ENG-034, API-026."""
    await server.flow(HELLO)
    ended = await server.run("hello", params={"labels": "system.correlationId:order-1"})
    wanted = [{"key": "system.correlationId", "value": "other"}]
    assert (await server.client.post(f"{EXECUTIONS}/{ended['id']}/labels", json=wanted)).status_code == 422
    bulk = {"executionsId": [ended["id"]], "executionLabels": wanted}
    assert (await server.client.post(f"{EXECUTIONS}/labels/by-ids", json=bulk)).status_code == 422
    labels = (await server.client.get(f"{EXECUTIONS}/{ended['id']}")).json()["labels"]
    assert {"key": "system.correlationId", "value": "order-1"} in labels


async def test_executions_are_exported_as_a_table_over_more_than_one_page(server: LiveServer) -> None:
    """API-101 (CSV export)."""
    await server.flow(LIMITED)
    ids = [(await server.start("limited", params={"labels": "a:x,y"}))["id"] for _ in range(502)]
    answer = await server.client.get(f"{EXECUTIONS}/export/by-query/csv", params={"flowId": "limited"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == sorted(ids)
    assert (rows[0]["state"], json.loads(rows[0]["labels"])["a"]) == ("PAUSED", "x,y")
    wrong = await server.client.get(f"{EXECUTIONS}/export/by-query/csv", params={"filters[nonsense][EQUALS]": "x"})
    assert wrong.status_code == 422


async def test_change_of_all_that_fits_refuses_what_would_be_no_filter(server: LiveServer) -> None:
    """API-011: a filter whose name is misspelt would otherwise reach everything."""
    await server.flow(LIMITED)
    execution = await server.start("limited")
    for misspelt in ("filter[namespace][EQUALS]", "flowid", "size"):
        answer = await server.client.delete(f"{EXECUTIONS}/kill/by-query", params={misspelt: "none"})
        assert (answer.status_code, misspelt in answer.json()["message"]) == (422, True)
    assert (await server.client.get(f"{EXECUTIONS}/{execution['id']}")).json()["state"]["current"] != "KILLED"
    answer = await server.client.delete(f"{EXECUTIONS}/kill/by-query", params={"flowId": "limited"})
    assert answer.json() == {"count": 1}


async def test_flows_of_a_namespace_are_listed_for_whoever_may_execute_them(server: LiveServer) -> None:
    """API-101 (namespaces/{namespace}/flows)."""
    await server.flow(HELLO)
    found = (await server.client.get(f"{EXECUTIONS}/namespaces/team/flows")).json()
    assert [(one["id"], "source" in one) for one in found] == [("hello", False)]
