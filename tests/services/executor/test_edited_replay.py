"""Edit and continue: replays with changed inputs, changed outputs of what is reused, and tasks left out."""

from __future__ import annotations

from typing import Any

from tests.support.live import USER, LiveServer

RETURN = "io.kestra.plugin.core.debug.Return"
EXECUTIONS = "/api/v1/main/executions"
FLOW = f"""
id: edit
namespace: team
inputs:
  - {{id: word, type: STRING, defaults: hello}}
  - {{id: times, type: INT, defaults: 2}}
tasks:
  - {{id: a, type: {RETURN}, format: "{{{{ inputs.word }}}}"}}
  - {{id: b, type: {RETURN}, format: "b after {{{{ outputs.a.value }}}} in {{{{ execution.id }}}}"}}
  - {{id: c, type: {RETURN}, format: "{{{{ inputs.word }}}} times {{{{ inputs.times }}}}"}}
"""


async def replay(live: LiveServer, execution: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    answer = await live.client.post(f"{EXECUTIONS}/{execution['id']}/replay", json=body)
    assert answer.status_code == 200, answer.text
    return await live.until(answer.json()["id"], "SUCCESS", "FAILED")


def values(execution: dict[str, Any]) -> dict[str, str | None]:
    return {run["taskId"]: (run.get("outputs") or {}).get("value") for run in execution["taskRunList"]}


async def test_replay_with_edited_outputs_uses_marks_and_records_them(live: LiveServer) -> None:
    """BEY-042."""
    await live.flow(FLOW)
    first = await live.run("edit")
    again = await replay(live, first, {"taskId": "b", "outputs": {"a": {"value": "mended"}}})
    assert values(again)["b"] == f"b after mended in {again['id']}"
    marks = {run["taskId"]: run.get("edited", False) for run in again["taskRunList"]}
    assert marks == {"a": True, "b": False, "c": False}
    edited = next(run["id"] for run in again["taskRunList"] if run["taskId"] == "a")
    assert again["metadata"]["edits"] == {
        "executionId": first["id"],
        "by": USER.username,
        "inputs": [],
        "outputs": [edited],
        "skipped": [],
    }
    assert "edits" not in first["metadata"]


async def test_replay_with_edited_inputs_keeps_the_others_and_checks_them(live: LiveServer) -> None:
    """BEY-042, API-101 (replay-with-inputs)."""
    await live.flow(FLOW)
    first = await live.run("edit", data={"times": "5"})
    again = await replay(live, first, {"inputs": {"word": "bye"}})
    assert (again["inputs"], values(again)["c"]) == ({"word": "bye", "times": 5}, "bye times 5")
    assert again["metadata"]["edits"]["inputs"] == ["word"]
    path = f"{EXECUTIONS}/{first['id']}/replay-with-inputs"
    answer = await live.client.post(path, data={"times": "7"}, params={"breakpoints": "c"})
    stopped = await live.until(answer.json()["id"], "BREAKPOINT")
    assert stopped["inputs"] == {"word": "hello", "times": 7}
    wrong = await live.client.post(path, data={"times": "many", "nothing": "x"})
    assert (wrong.status_code, len(wrong.json()["problems"])) == (422, 2)


async def test_replay_leaves_tasks_out(live: LiveServer) -> None:
    """BEY-042."""
    await live.flow(FLOW)
    first = await live.run("edit")
    again = await replay(live, first, {"skip": ["b"]})
    assert {run["taskId"]: run["state"]["current"] for run in again["taskRunList"]} == {
        "a": "SUCCESS",
        "b": "SKIPPED",
        "c": "SUCCESS",
    }
    assert again["metadata"]["edits"]["skipped"] == ["b"]


async def test_replay_with_edits_of_what_is_not_there_is_refused(live: LiveServer) -> None:
    """BEY-042."""
    await live.flow(FLOW)
    first = await live.run("edit")
    for body, complaint in (
        ({"skip": ["z"]}, "no task `z`"),
        ({"taskId": "b", "outputs": {"c": {}}}, "`c`, which is not reused"),
        ({"outputs": {"a": {}}}, "reuses none"),
    ):
        answer = await live.client.post(f"{EXECUTIONS}/{first['id']}/replay", json=body)
        assert (answer.status_code, complaint in answer.json()["message"]) == (422, True), answer.text
    assert (await live.client.post(f"{EXECUTIONS}/{first['id']}/replay", json={"nonsense": 1})).status_code == 400
    assert (await live.client.get(f"{EXECUTIONS}/search")).json()["total"] == 1


async def test_replay_in_bulk_makes_the_same_changes_to_each(live: LiveServer) -> None:
    """BEY-042 in bulk."""
    await live.flow(FLOW)
    ids = [(await live.run("edit", data={"word": word}))["id"] for word in ("one", "two")]
    body = {"executionsId": ids, "taskId": "b", "outputs": {"a": {"value": "same"}}, "skip": ["c"]}
    answer = await live.client.post(f"{EXECUTIONS}/replay/by-ids", json=body)
    assert answer.json() == {"count": 2}
    found = (await live.client.get(f"{EXECUTIONS}/search", params={"size": 10})).json()["results"]
    for one in [one for one in found if one["id"] not in ids]:
        ended = await live.until(one["id"], "SUCCESS")
        assert values(ended)["b"] == f"b after same in {one['id']}"
        assert ended["metadata"]["edits"]["executionId"] in ids


async def test_replay_in_bulk_with_edits_that_do_not_fit_some_says_which(live: LiveServer) -> None:
    """BEY-042, BEY-072."""
    await live.flow(FLOW)
    await live.flow(FLOW.replace("id: edit", "id: other").replace("id: c,", "id: d,"))
    fits, not_ = (await live.run("edit"))["id"], (await live.run("other"))["id"]
    answer = await live.client.post(f"{EXECUTIONS}/replay/by-ids", json={"executionsId": [fits, not_], "skip": ["c"]})
    assert (answer.status_code, answer.json()["count"]) == (207, 1)
    assert [one["id"] for one in answer.json()["invalids"]] == [not_]
