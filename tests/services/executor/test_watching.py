"""Service levels and retries of whole flows, with a real clock."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.live import LiveServer
from tests.support.waiting import PATIENCE

FAIL = "io.kestra.plugin.core.execution.Fail"


def labels(execution: dict[str, Any]) -> dict[str, str]:
    return {one["key"]: one["value"] for one in execution["labels"]}


SLEEP = "type: io.kestra.plugin.core.flow.Sleep, duration: PT10M"
PAUSE = "type: io.kestra.plugin.core.flow.Pause"


def sla(behavior: str, slow: str = SLEEP) -> str:
    return f"""
id: slow
namespace: team
sla:
  - id: maxDuration
    type: MAX_DURATION
    duration: PT0.3S
    behavior: {behavior}
    labels: {{sla: miss, reason: durationExceeded}}
tasks:
  - {{id: sleepyhead, {slow}}}
  - {{id: never_executed, type: io.kestra.plugin.core.log.Log, message: never}}
"""


async def test_execution_that_takes_too_long_is_cancelled_while_it_runs(live: LiveServer) -> None:
    """ENG-246 to ENG-249, example 19 of the language."""
    await live.flow(sla("CANCEL"))
    done = await live.run("slow")
    assert done["state"]["current"] == "CANCELLED"
    assert [run["taskId"] for run in done["taskRunList"]] == ["sleepyhead"]
    assert labels(done)["sla"] == "miss"


async def test_execution_that_takes_too_long_fails_when_the_level_says_so(live: LiveServer) -> None:
    await live.flow(sla("FAIL"))
    assert (await live.run("slow"))["state"]["current"] == "FAILED"


async def test_breach_without_consequence_only_sets_labels(live: LiveServer) -> None:
    await live.flow(sla("NONE", PAUSE))
    path = f"/api/v1/main/executions/{(await live.start('slow'))['id']}"
    async with asyncio.timeout(PATIENCE):
        while "sla" not in labels((await live.client.get(path)).json()):  # noqa: ASYNC110  # the database is asked
            await asyncio.sleep(0.02)
    await live.client.post(f"{path}/resume")
    done = await live.until(path.rpartition("/")[2], "SUCCESS")
    assert (done["state"]["current"], labels(done)["reason"]) == ("SUCCESS", "durationExceeded")


ASSERTION = """
id: demo
namespace: team
inputs:
  - {id: text, type: STRING}
sla:
  - id: assert_output
    type: EXECUTION_ASSERTION
    assert: "{{ outputs.mytask.value == 'expected output' }}"
    behavior: FAIL
    labels: {sla: miss}
tasks:
  - {id: mytask, type: io.kestra.plugin.core.debug.Return, format: "{{ inputs.text }}"}
  - {id: next, type: io.kestra.plugin.core.debug.Return, format: x}
"""


async def test_assertion_that_holds_changes_nothing_and_one_that_does_not_fails(live: LiveServer) -> None:
    """ENG-248."""
    await live.flow(ASSERTION)
    good = await live.run("demo", data={"text": "expected output"})
    bad = await live.run("demo", data={"text": "another"})
    assert (good["state"]["current"], "sla" in labels(good)) == ("SUCCESS", False)
    assert (bad["state"]["current"], labels(bad)["sla"]) == ("FAILED", "miss")
    assert [run["taskId"] for run in bad["taskRunList"]] == ["mytask"]


def retried(behavior: str) -> str:
    return f"""
id: retried
namespace: team
retry: {{maxAttempts: 3, behavior: {behavior}, type: constant, interval: PT0.05S}}
tasks:
  - {{id: fail_1, type: {FAIL}, allowFailure: true}}
  - {{id: fail_2, type: {FAIL}}}
"""


async def test_flow_level_retry_runs_the_failed_task_again_in_the_same_execution(live: LiveServer) -> None:
    """ENG-242, ENG-243, example 15 of the language."""
    await live.flow(retried("RETRY_FAILED_TASK"))
    done = await live.run("retried")
    assert done["state"]["current"] == "FAILED"
    assert "RETRYING" in [one["state"] for one in done["state"]["histories"]]
    attempts = {run["taskId"]: len(run["attempts"]) for run in done["taskRunList"]}
    assert attempts == {"fail_1": 1, "fail_2": 3}


async def test_flow_level_retry_creates_new_executions(live: LiveServer) -> None:
    """ENG-145, ENG-242."""
    await live.flow(retried("CREATE_NEW_EXECUTION"))
    first = await live.run("retried")
    params = {"filters[flowId][EQUALS]": "retried", "filters[state][IN]": "FAILED"}
    async with asyncio.timeout(PATIENCE):
        while not (await live.client.get("/api/v1/main/executions/search", params=params)).json()["results"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    answer = await live.client.get("/api/v1/main/executions/search", params={"filters[flowId][EQUALS]": "retried"})
    tries = sorted(answer.json()["results"], key=lambda one: one["metadata"]["attemptNumber"])
    assert [one["metadata"]["attemptNumber"] for one in tries] == [1, 2, 3]
    assert [one["state"]["current"] for one in tries] == ["RETRIED", "RETRIED", "FAILED"]
    assert {one["originalId"] for one in tries} == {first["id"]}
    full = (await live.client.get(f"/api/v1/main/executions/{first['id']}")).json()
    assert {run["taskId"]: run["state"]["current"] for run in full["taskRunList"]} == {
        "fail_1": "WARNING",
        "fail_2": "RETRIED",
    }


async def test_timeout_limits_each_attempt_and_not_all_of_them_together(live: LiveServer) -> None:
    """ENG-239."""
    await live.flow(
        """
id: slow
namespace: team
tasks:
  - id: sleeps
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT1M
    timeout: PT0.1S
    retry: {type: constant, interval: PT0.01S, maxAttempts: 2, maxDuration: PT1M}
"""
    )
    done = await live.run("slow")
    assert done["state"]["current"] == "FAILED"
    (run,) = done["taskRunList"]
    assert [one["state"]["current"] for one in run["attempts"]] == ["FAILED", "FAILED"]
