"""What keeps executions and triggers from going on, asked of a live server."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from penstock.base.clock import SECOND
from penstock.engine.events import TaskEnded, TaskStarted
from penstock.engine.states import StateType
from penstock.ports.gateway import Report
from penstock.services.explaining.blockers import in_words, waited_in_words
from tests.support.live import USER, LiveServer
from tests.support.waiting import PATIENCE

RETURN = "io.kestra.plugin.core.debug.Return"
PAUSE = "{id: wait, type: io.kestra.plugin.core.flow.Pause}"
FLOWS = {
    "grouped": f"tasks: [{{id: first, type: {RETURN}, format: x, workerGroup: {{key: gpu}}}}]",
    "paused": f"concurrency: {{limit: 1}}\ntasks: [{PAUSE}]",
    "later": "tasks: [{id: wait, type: io.kestra.plugin.core.flow.Pause, pauseDuration: PT1H}]",
    "retried": "tasks:\n  - id: flaky\n    type: io.kestra.plugin.core.execution.Fail\n"
    "    retry: {type: constant, interval: PT1H, maxAttempts: 2}",
    "parent": "tasks: [{id: call, type: io.kestra.plugin.core.flow.Subflow, "
    "namespace: team, flowId: grouped, wait: true}]",
    "hello": f"tasks: [{{id: one, type: {RETURN}, format: x}}]",
}


@pytest.fixture(autouse=True)
async def flows(live: LiveServer) -> None:
    for name, rest in FLOWS.items():
        await live.flow(f"id: {name}\nnamespace: team\n{rest}")


async def why(live: LiveServer, execution_id: str, reason: str) -> dict[str, Any]:
    """Return the blocker of an execution once it has one of this reason."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await live.client.get(f"/api/v1/main/executions/{execution_id}/why")
            assert answer.status_code == 200, answer.text
            body: dict[str, Any] = answer.json()
            if [one["reason"] for one in body["blockers"]] == [reason]:
                return body
            await asyncio.sleep(0.02)


async def test_task_without_a_worker_of_its_group_is_named_with_the_command_that_starts_one(live: LiveServer) -> None:
    """BEY-002."""
    body = await why(live, (await live.start("grouped"))["id"], "WORKER")
    assert body["sentence"] == "Task `first` waits for a worker of group `gpu`, and none is running"
    (blocker,) = body["blockers"]
    assert blocker["action"] == "start one: `penstock server worker --worker-group gpu`"
    assert blocker["taskId"] == "first"


async def test_task_behind_others_says_how_many_come_before_it(live: LiveServer) -> None:
    """BEY-002."""
    await live.core.store.jobs.register("busy", "gpu", "host", live.core.clock.now())
    first, second = (await live.start("grouped"))["id"], (await live.start("grouped"))["id"]
    assert (await why(live, first, "WORKER"))["sentence"].endswith("to be free; it is next")
    assert (await why(live, second, "WORKER"))["sentence"].endswith("to be free; 1 task comes before it")


async def test_task_at_work_names_its_worker(live: LiveServer) -> None:
    """BEY-002."""
    jobs, now = live.core.store.jobs, live.core.clock.now()
    execution_id = (await live.start("grouped"))["id"]
    await why(live, execution_id, "WORKER")
    await jobs.register("w1", "gpu", "host-1", now)
    await jobs.claim("w1", "gpu", 1, now)
    body = await why(live, execution_id, "TASK")
    assert body["sentence"].startswith("Worker w1 on host-1 runs attempt 1 of task `first` since ")
    assert body["blockers"][0]["action"] == "kill the execution to stop it"
    await live.client.delete(f"/api/v1/main/executions/{execution_id}/kill")
    await live.until(execution_id, "KILLING")
    (blocker,) = (await why(live, execution_id, "TASK"))["blockers"]
    assert "has been told to end attempt 1 of task `first`" in blocker["sentence"]
    assert "action" not in blocker


async def test_queued_execution_names_limit_holder_and_place(live: LiveServer) -> None:
    """BEY-002."""
    holder = (await live.start("paused"))["id"]
    await live.until(holder, "PAUSED")
    await live.until((await live.start("paused"))["id"], "QUEUED")
    body = await why(live, (await live.start("paused"))["id"], "SLOT")
    assert body["blockers"][0]["executions"] == [holder]
    assert "flow team.paused lets 1 run at a time" in body["sentence"]
    assert f"held by {holder}" in body["sentence"]
    assert body["sentence"].endswith("number 2 of 2 in the queue")


async def test_paused_execution_says_where_and_how_it_goes_on(live: LiveServer) -> None:
    """BEY-002."""
    body = await why(live, (await live.start("paused"))["id"], "PAUSE")
    assert body["sentence"].startswith("It is paused at task `wait` since ")
    assert body["blockers"][0]["action"] == "resume it"


async def test_held_execution_says_who_has_paused_it(live: LiveServer) -> None:
    """BEY-002."""
    execution_id = (await live.start("grouped"))["id"]
    await why(live, execution_id, "WORKER")
    answer = await live.client.post(f"/api/v1/main/executions/{execution_id}/pause")
    assert answer.status_code == 204, answer.text
    body = (await live.client.get(f"/api/v1/main/executions/{execution_id}/why")).json()
    assert [one["reason"] for one in body["blockers"]] == ["PAUSE", "WORKER"]
    assert body["sentence"].startswith(f"{USER.username} has paused it since ")


@pytest.mark.parametrize(("flow", "reason", "words"), [
    ("later", "TIMER", "It goes on with task `wait` at 2"),
    ("retried", "RETRY", "Attempt 2 of task `flaky` begins at 2"),
])  # fmt: skip
async def test_execution_that_waits_for_an_instant_names_it(
    live: LiveServer, flow: str, reason: str, words: str
) -> None:
    """BEY-002."""
    body = await why(live, (await live.start(flow))["id"], reason)
    assert body["sentence"].startswith(words)
    assert body["blockers"][0]["until"] > body["blockers"][0]["since"]


async def test_scheduled_execution_names_its_date(live: LiveServer) -> None:
    """BEY-002."""
    execution = await live.start("hello", params={"scheduleDate": "2199-01-01T00:00:00Z"})
    body = await why(live, execution["id"], "DATE")
    assert body["sentence"] == "It begins at 2199-01-01 00:00:00 UTC"


async def test_parent_says_what_its_child_waits_for(live: LiveServer) -> None:
    """BEY-002."""
    body = await why(live, (await live.start("parent"))["id"], "CHILD")
    (blocker,) = body["blockers"]
    (child,) = blocker["executions"]
    assert body["sentence"].startswith(f"Task `call` waits for execution {child}, which is ")
    while not blocker.get("because"):
        (blocker,) = (await why(live, body["id"], "CHILD"))["blockers"]
    assert blocker["because"][0]["reason"] in ("WORKER", "EVENT")


async def test_execution_without_an_executor_says_so_first(live: LiveServer) -> None:
    """BEY-002."""
    execution = await live.start("paused")
    await live.until(execution["id"], "PAUSED")
    await live.core.store.journal.release("*")
    body = (await live.client.get(f"/api/v1/main/why/execution/{execution['id']}")).json()
    assert [one["reason"] for one in body["blockers"]] == ["EXECUTOR", "PAUSE"]


async def test_task_run_is_explained_by_itself(live: LiveServer) -> None:
    """BEY-002."""
    execution_id = (await live.start("grouped"))["id"]
    await why(live, execution_id, "WORKER")
    execution = await live.until(execution_id, "RUNNING")
    run = execution["taskRunList"][0]["id"]
    body = (await live.client.get(f"/api/v1/main/why/taskrun/{run}")).json()
    assert (body["kind"], body["state"], body["blockers"][0]["taskRunId"]) == ("taskrun", "SUBMITTED", run)


async def test_ended_execution_says_what_it_has_waited_for(live: LiveServer) -> None:
    """BEY-002."""
    execution = await live.start("paused")
    await live.until(execution["id"], "PAUSED")
    await asyncio.sleep(1.1)
    await live.client.post(f"/api/v1/main/executions/{execution['id']}/resume")
    await live.until(execution["id"], "SUCCESS")
    body = (await live.client.get(f"/api/v1/main/executions/{execution['id']}/why")).json()
    assert body["blockers"] == []
    assert body["sentence"].startswith("It ended SUCCESS at ")
    assert re.search(r"; it waited [1-9]\d* s for somebody$", body["sentence"])
    assert set(body["waited"]) >= {"pause"}


async def test_killed_task_of_a_lost_worker_is_said_to_be_unconfirmed(live: LiveServer) -> None:
    """BEY-002, BEY-009."""
    jobs, now = live.core.store.jobs, live.core.clock.now()
    await jobs.register("gone", "gpu", "host", now)
    execution_id = (await live.start("grouped"))["id"]
    await why(live, execution_id, "WORKER")
    (job,) = await jobs.claim("gone", "gpu", 1, now)
    await live.core.gateway.report([Report(job, TaskStarted(job.task_run_id, 1, "gone", now))])
    await jobs.release("gone")
    await live.client.delete(f"/api/v1/main/executions/{execution_id}/kill")
    execution = await live.until(execution_id, "KILLED")
    (attempt,) = execution["taskRunList"][0]["attempts"]
    assert (attempt["workerId"], attempt["unconfirmed"]) == ("gone", True)
    body = (await live.client.get(f"/api/v1/main/executions/{execution_id}/why")).json()
    assert body["sentence"].endswith("; it is unconfirmed that what task `first` ran on worker gone has stopped")


async def test_killed_task_names_what_of_it_may_still_run(live: LiveServer) -> None:
    """BEY-002, BEY-009: processes by their numbers, in the API and in the answer to why."""
    jobs, now = live.core.store.jobs, live.core.clock.now()
    await jobs.register("stubborn", "gpu", "host", now)
    execution_id = (await live.start("grouped"))["id"]
    await why(live, execution_id, "WORKER")
    (job,) = await jobs.claim("stubborn", "gpu", 1, now)
    left = ("process 4711 on host", "process 4712 on host")
    ended = TaskEnded(job.task_run_id, 1, StateType.FAILED, now, now, "stubborn", unconfirmed=True, left=left)
    await live.core.gateway.report([Report(job, ended)])
    execution = await live.until(execution_id, "FAILED")
    (attempt,) = execution["taskRunList"][0]["attempts"]
    assert (attempt["unconfirmed"], attempt["left"]) == (True, list(left))
    body = (await live.client.get(f"/api/v1/main/executions/{execution_id}/why")).json()
    assert body["sentence"].endswith("worker stubborn has stopped: process 4711 on host, process 4712 on host")
    await jobs.release("stubborn")


@pytest.mark.parametrize(("path", "status"), [
    ("why/execution/none", 404), ("executions/none/why", 404), ("why/taskrun/none", 404),
    ("why/trigger/team/hello/none", 404), ("why/trigger/none", 422), ("why/flow/hello", 404),
])  # fmt: skip
async def test_question_about_what_is_not_known_is_refused(live: LiveServer, path: str, status: int) -> None:
    """BEY-002."""
    answer = await live.client.get(f"/api/v1/main/{path}")
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


@pytest.mark.parametrize(("more", "change", "reason", "words"), [
    ("", {"next_date": 7_258_118_400_000_000}, "DATE", "It fires at 2200-01-01 00:00:00 UTC"),
    ("", {"next_date": 1_000_000}, "SCHEDULER", "no scheduler has served it"),
    ("", {}, "SCHEDULER", "No scheduler has planned what it does next"),
    (", disabled: true", {}, "DISABLED", "The flow's source disables it"),
    ("", {"disabled": True}, "DISABLED", "It was disabled by hand, or by its own `stopAfter`"),
    ("", {"disabled": True, "disabled_by": "ada@example.com"}, "DISABLED", "It was disabled by ada@example.com"),
    ("", {"error": "no answer", "failures": 3}, "ERROR", "has failed 3 times in a row: no answer"),
    ("", {"execution_id": "e1"}, "LOCK", "waits for the end of execution e1"),
])  # fmt: skip
async def test_trigger_that_does_not_fire_says_why(
    live: LiveServer, more: str, change: dict[str, Any], reason: str, words: str
) -> None:
    """BEY-002."""
    from penstock.ports.triggers import TriggerState

    schedule = f"{{id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: '0 1 * * *'{more}}}"
    await live.flow(f"id: dated\nnamespace: team\ntriggers: [{schedule}]\n{FLOWS['hello']}")
    await live.core.store.triggers.save(TriggerState("main", "team", "dated", "daily", **change))
    body = (await live.client.get("/api/v1/main/why/trigger/team/dated/daily")).json()
    assert [one["reason"] for one in body["blockers"]] == [reason]
    assert words in body["sentence"]


async def test_schedule_without_a_date_to_come_or_whose_last_date_started_nothing_says_so(live: LiveServer) -> None:
    """BEY-002: the error is in the trigger's log, as its state goes on to the next date."""
    from penstock.engine.records import LogLine
    from penstock.ports.triggers import TriggerState

    past = "{id: past, type: io.kestra.plugin.core.trigger.ScheduleOnDates, dates: ['2020-01-01T00:00:00Z']}"
    daily = "{id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: '0 1 * * *'}"
    await live.flow(f"id: planned\nnamespace: team\ntriggers: [{past}, {daily}]\n{FLOWS['hello']}")
    store, now = live.core.store, live.core.clock.now()
    await store.triggers.save(TriggerState("main", "team", "planned", "past", updated=now))
    await store.triggers.save(
        TriggerState("main", "team", "planned", "daily", next_date=now + 3600 * SECOND, updated=now)
    )
    lines = [(now, "ERROR", "no x"), (now - 5 * SECOND, "ERROR", "older"), (now, "WARN", "less")]
    await store.journal.send((), logs=[LogLine("main", "team", "planned", *line, trigger_id="daily") for line in lines])
    said = (await live.client.get("/api/v1/main/why/trigger/team/planned/past")).json()
    assert said["sentence"] == "None of its dates is still to come"
    said = (await live.client.get("/api/v1/main/why/trigger/team/planned/daily")).json()
    assert [one["reason"] for one in said["blockers"]] == ["ERROR", "DATE"]
    assert said["sentence"].endswith(" it could not start: no x")


async def test_trigger_whose_evaluation_waits_is_at_a_worker_or_is_lost_says_so(live: LiveServer) -> None:
    """BEY-002: no worker of its group, then one that has it, then no job any more."""
    from penstock.engine.decision import Job
    from penstock.ports.evaluations import Step
    from penstock.ports.triggers import TriggerState

    looks = "{id: looks, type: io.kestra.plugin.core.http.Trigger, uri: 'http://127.0.0.1:1', interval: PT1H}"
    await live.flow(f"id: polled\nnamespace: team\ntriggers: [{looks}]\n{FLOWS['hello']}")
    store, now = live.core.store, live.core.clock.now()
    before = TriggerState("main", "team", "polled", "looks")
    job = Job("ev", 1, "ex", "main", "team", "polled", 1, "looks", worker_group="moon", created=now, trigger_id="looks")
    after = TriggerState("main", "team", "polled", "looks", evaluation="ev", evaluating_since=now)
    await store.triggers.save(before)
    await store.evaluations.take(Step(before, after, offered=job))

    async def said() -> tuple[str, str]:
        (blocker,) = (await live.client.get("/api/v1/main/why/trigger/team/polled/looks")).json()["blockers"]
        return blocker["reason"], blocker["sentence"]

    assert await said() == ("WORKER", "Its evaluation waits for a worker of group `moon`, and none is running")
    await store.jobs.register("w1", "moon", "host-1", now)
    await store.jobs.claim("w1", "moon", 1, now)
    reason, sentence = await said()
    assert (reason, sentence[:33]) == ("EVALUATION", "Worker w1 on host-1 evaluates it;")
    await store.evaluations.end("ev")
    assert await said() == ("NOTHING", "Its evaluation is lost: no job is there for it")


async def test_trigger_of_a_disabled_flow_says_since_which_revision_and_when(live: LiveServer) -> None:
    """BEY-002: the revision that disabled it counts, not a later one."""
    schedule = "triggers: [{id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: '0 1 * * *'}]"
    source = f"id: off\nnamespace: team\n{schedule}\n{FLOWS['hello']}\n"
    await live.flow(source)
    for more in ("disabled: true\n", "disabled: true\ndescription: later\n"):
        answer = await live.client.put("/api/v1/main/flows/team/off", content=source + more)
        assert answer.status_code == 200, answer.text
    revisions = (await live.client.get("/api/v1/main/flows/team/off/revisions")).json()
    (blocker,) = (await live.client.get("/api/v1/main/why/trigger/team/off/daily")).json()["blockers"]
    assert blocker["reason"] == "DISABLED"
    assert "Flow team.off is disabled by its revision 2, saved at " in blocker["sentence"]
    assert blocker["sentence"].endswith(f" by {USER.username} over the API")
    assert blocker["since"] == next(one["updated"] for one in revisions if one["revision"] == 2)


async def test_trigger_on_another_flow_names_what_is_not_met(live: LiveServer) -> None:
    """BEY-002."""
    trigger = """
triggers:
  - id: after
    type: io.kestra.plugin.core.trigger.Flow
    preconditions: {id: all, flows: [{namespace: team, flowId: hello, states: [SUCCESS]}]}
"""
    await live.flow(f"id: listener\nnamespace: team\n{FLOWS['hello']}{trigger}")
    body = (await live.client.get("/api/v1/main/why/trigger/team/listener/after")).json()
    assert [one["reason"] for one in body["blockers"]] == ["CONDITION"]
    assert "hello" in body["sentence"]


@pytest.mark.parametrize(("lengths", "words"), [
    ({}, ""),
    ({"slot": 720 * SECOND, "worker": 120 * SECOND}, "waited 14 min: 12 min for a slot, 2 min for a worker"),
    ({"worker": 3 * SECOND, "slot": 1000}, "waited 3 s for a worker"),
])  # fmt: skip
def test_times_of_waiting_are_told_longest_first(lengths: dict[str, int], words: str) -> None:
    """BEY-002."""
    assert waited_in_words(lengths) == words


@pytest.mark.parametrize(("seconds", "words"), [
    (59, "59 s"), (60, "1 min"), (3600, "1 h"), (12_000, "3 h 20 min"), (3 * 86_400, "3 days"),
])  # fmt: skip
def test_spans_of_time_are_told_as_people_say_them(seconds: int, words: str) -> None:
    assert in_words(seconds * SECOND) == words
