"""`http.Trigger` on a whole server: when it looks, when it starts its flow, and what keeps it from doing so."""

from __future__ import annotations

import asyncio

import pytest

from penstock.engine.decision import Job
from penstock.engine.states import StateType
from penstock.ports.gateway import Evaluated
from penstock.wiring.application import build_scheduler
from tests.builtin.polling.conftest import Polled, Shop
from tests.support.waiting import PATIENCE

CHEAP = "'{{ json(response.body).price <= 110 }}'"
PAUSE = "{id: pause, type: io.kestra.plugin.core.flow.Pause}"


def looking(shop: Shop, more: str = "", interval: str = "PT0.1S") -> str:
    """Return a trigger in flow style."""
    extra = f", {more}" if more else ""
    return f"type: io.kestra.plugin.core.http.Trigger, uri: '{shop.url}/price', interval: {interval}{extra}"


async def asked(shop: Shop, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(shop.asked) < count:  # noqa: ASYNC110  # another thread counts
            await asyncio.sleep(0.01)


async def test_http_trigger_answer_changes_starts_the_flow_with_it(polled: Polled, shop: Shop) -> None:
    """ENG-258, ENG-307, ENG-308: nothing starts before the condition holds."""
    await polled.flow(looking(shop, f"responseCondition: {CHEAP}"), task=PAUSE)
    await asked(shop, 3)
    assert await polled.executions() == []
    shop.price = 99
    (execution,) = await polled.executions(1)
    assert execution.trigger is not None
    assert execution.trigger.id == "watch"
    assert execution.trigger.type == "io.kestra.plugin.core.http.Trigger"
    assert execution.trigger.variables["body"] == '{"price": 99}'
    assert execution.trigger.variables["code"] == 200
    assert execution.trigger.variables["headers"]["content-length"] == ["13"]


async def test_http_trigger_execution_runs_waits_for_its_end(polled: Polled, shop: Shop) -> None:
    """ENG-257, ENG-264: locked by its execution, then free again; ENG-263: others do not count."""
    await polled.flow(looking(shop), task=PAUSE)
    (execution,) = await polled.executions(1)
    assert (await polled.state()).execution_id == execution.id
    count = len(shop.asked)
    await polled.live.start("watched")
    await asyncio.sleep(0.5)
    assert len(shop.asked) == count
    await polled.live.until(execution.id, "PAUSED")
    answer = await polled.live.client.post(f"/api/v1/main/executions/{execution.id}/resume")
    assert answer.status_code < 300, answer.text
    found = await polled.executions(3)
    assert sum(one.trigger is not None for one in found) == 2


async def test_http_trigger_unlocked_by_hand_looks_again(polled: Polled, shop: Shop) -> None:
    """ENG-264."""
    await polled.flow(looking(shop), task=PAUSE)
    await polled.executions(1)
    await polled.until(lambda state: state.execution_id is not None)
    await polled.trigger("POST", "/unlock")
    assert len(await polled.executions(2)) >= 2


async def test_http_trigger_concurrency_allowed_starts_again_while_one_runs(polled: Polled, shop: Shop) -> None:
    """ENG-262."""
    await polled.flow(looking(shop, "allowConcurrent: true"), task=PAUSE)
    assert len(await polled.executions(3)) >= 3
    assert (await polled.state()).execution_id is None


async def test_http_trigger_interval_passes_between_two_looks(polled: Polled, shop: Shop) -> None:
    """ENG-307."""
    await polled.flow(looking(shop, f"responseCondition: {CHEAP}", interval="PT1H"))
    await asked(shop, 1)
    state = await polled.until(lambda state: state.evaluation is None and state.date is not None)
    assert state.date is not None
    assert state.next_date == state.date + 3_600_000_000
    await asyncio.sleep(0.3)
    assert len(shop.asked) == 1


@pytest.mark.parametrize("more", ["", "allowConcurrent: true, "], ids=["exclusive", "concurrent"])
async def test_http_trigger_stop_after_state_reached_disables_it(polled: Polled, shop: Shop, more: str) -> None:
    """ENG-268."""
    await polled.flow(looking(shop, f"{more}stopAfter: [SUCCESS]", interval="PT0.4S"))
    await polled.executions(1)
    await polled.until(lambda state: state.disabled and state.evaluation is None)
    count = len(shop.asked)
    await asyncio.sleep(0.6)
    assert len(shop.asked) == count


async def test_http_trigger_error_is_logged_and_shown_and_starts_nothing(polled: Polled, shop: Shop) -> None:
    """ENG-269, BEY-005."""
    await polled.flow(looking(shop, "responseCondition: '{{ json(response.body).cost.amount }}'"))
    state = await polled.until(lambda state: state.failures >= 2)
    assert state.error is not None
    assert await polled.executions() == []
    errors = [line for line in await polled.lines() if line.level == "ERROR"]
    assert errors
    assert errors[0].execution_id is None
    answer = await polled.live.client.get("/api/v1/main/triggers/search")
    (row,) = answer.json()["results"]
    assert row["triggerContext"]["failures"] >= 2
    assert row["triggerContext"]["error"] == state.error
    answer = await polled.live.client.get("/api/v1/main/logs/search", params={"triggerId": "watch"})
    assert answer.json()["total"] >= 2


async def test_http_trigger_error_with_fail_on_trigger_error_makes_a_failed_execution(
    polled: Polled, shop: Shop
) -> None:
    """ENG-269."""
    more = "failOnTriggerError: true, stopAfter: [FAILED], responseCondition: '{{ nothing.at.all }}'"
    await polled.flow(looking(shop, more))
    (execution,) = await polled.executions(1)
    body = await polled.live.until(execution.id, "FAILED")
    assert body["trigger"]["id"] == "watch"
    logs = (await polled.live.client.get(f"/api/v1/main/logs/{execution.id}")).json()
    assert any("trigger watch failed" in line["message"] for line in logs)


async def test_http_trigger_recovered_forgets_its_failures(polled: Polled, shop: Shop) -> None:
    """BEY-005."""
    more = "responseCondition: '{{ json(response.body).price.amount is defined }}'"
    await polled.flow(looking(shop, "responseCondition: '{{ json(response.body).cost < 3 }}'"))
    await polled.until(lambda state: state.failures > 0)
    await polled.flow(looking(shop, more), extra="labels: {revision: two}")
    state = await polled.until(lambda state: state.failures == 0 and state.date is not None)
    assert state.error is None


async def test_http_trigger_condition_about_the_time_does_not_hold_asks_nobody(polled: Polled, shop: Shop) -> None:
    """ENG-259, ENG-272."""
    condition = "{type: io.kestra.plugin.core.condition.DateTimeBetween, before: '2001-01-01T00:00:00Z'}"
    await polled.flow(looking(shop, f"conditions: [{condition}]"))
    await polled.until(lambda state: state.date is not None)
    await asyncio.sleep(0.3)
    assert shop.asked == []
    assert await polled.executions() == []


async def test_http_trigger_condition_about_the_answer_is_asked_of_it(polled: Polled, shop: Shop) -> None:
    """ENG-259."""
    expression = "'{{ json(trigger.body).price < 100 }}'"
    condition = f"{{type: io.kestra.plugin.core.condition.Expression, expression: {expression}}}"
    await polled.flow(looking(shop, f"conditions: [{condition}]"), task=PAUSE)
    await asked(shop, 3)
    assert await polled.executions() == []
    shop.price = 50
    (execution,) = await polled.executions(1)
    assert execution.trigger is not None
    assert execution.trigger.variables["body"] == '{"price": 50}'


async def test_http_trigger_inputs_and_labels_are_rendered_with_the_answer(polled: Polled, shop: Shop) -> None:
    """ENG-271."""
    more = "inputs: {price: '{{ json(trigger.body).price }}'}, labels: {code: '{{ trigger.code }}'}"
    extra = "inputs:\n  - {id: price, type: INT}"
    await polled.flow(looking(shop, more), task=PAUSE, extra=extra)
    (execution,) = await polled.executions(1)
    assert execution.inputs == {"price": 200}
    assert dict(execution.labels)["code"] == "200"


async def test_http_trigger_disabled_in_its_flow_or_by_hand_is_not_asked(polled: Polled, shop: Shop) -> None:
    """ENG-265."""
    await polled.flow(looking(shop, f"responseCondition: {CHEAP}"))
    await asked(shop, 1)
    answer = await polled.live.client.put(
        "/api/v1/main/triggers",
        json={"namespace": "team", "flowId": "watched", "triggerId": "watch", "disabled": True},
    )
    assert answer.status_code == 200, answer.text
    await polled.until(lambda state: state.disabled and state.evaluation is None)
    count = len(shop.asked)
    await asyncio.sleep(0.4)
    assert len(shop.asked) <= count + 1
    await polled.flow(looking(shop, "disabled: true"), flow_id="other")
    await asyncio.sleep(0.3)
    assert await polled.executions(flow_id="other") == []


async def test_toggle_task_switches_a_trigger_off_and_on(polled: Polled, shop: Shop) -> None:
    """ENG-265."""
    await polled.flow(looking(shop, f"responseCondition: {CHEAP}"))
    await asked(shop, 1)
    for enabled in ("false", "true"):
        await polled.put(
            f"id: switch\nnamespace: team\nlabels: {{enabled: '{enabled}'}}\ntasks:\n"
            "  - {id: switch, type: io.kestra.plugin.core.trigger.Toggle, flowId: watched, trigger: watch, "
            f"enabled: {enabled}}}\n",
            "switch",
        )
        done = await polled.live.run("switch")
        assert done["state"]["current"] == "SUCCESS"
        await polled.until(lambda state, wanted=enabled == "false": state.disabled is wanted)
    count = len(shop.asked)
    await asked(shop, count + 1)


async def test_http_trigger_state_deleted_begins_anew(polled: Polled, shop: Shop) -> None:
    """ENG-266."""
    await polled.flow(looking(shop, f"responseCondition: {CHEAP}", interval="PT1H"))
    await polled.until(lambda state: state.evaluation is None and state.date is not None)
    await polled.trigger("DELETE")
    await asked(shop, 2)
    await polled.until(lambda state: state.date is not None)


async def test_http_trigger_of_another_revision_is_the_one_asked(polled: Polled, shop: Shop) -> None:
    """ENG-264."""
    await polled.flow(looking(shop, f"responseCondition: {CHEAP}", interval="PT1H"))
    await polled.until(lambda state: state.evaluation is None and state.date is not None)
    await polled.flow(looking(shop, f"responseCondition: {CHEAP}", interval="PT0.1S").replace("/price", "/other"))
    await polled.trigger("DELETE")
    await asked(shop, 3)
    assert set(shop.asked[1:]) == {"/other"}


async def test_http_trigger_removed_from_its_flow_is_forgotten(polled: Polled, shop: Shop) -> None:
    """ENG-266."""
    await polled.flow(looking(shop, f"responseCondition: {CHEAP}"))
    await asked(shop, 1)
    task = "{id: log, type: io.kestra.plugin.core.log.Log, message: unwatched}"
    await polled.put(f"id: watched\nnamespace: team\ntasks:\n  - {task}\n", "watched")
    async with asyncio.timeout(PATIENCE):
        while await polled.core.store.triggers.get("main", "team", "watched", "watch"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    count = len(shop.asked)
    await asyncio.sleep(0.3)
    assert len(shop.asked) == count
    assert await polled.core.store.jobs.unowned() == 0


async def test_http_trigger_several_schedulers_look_once_an_interval(polled: Polled, shop: Shop) -> None:
    """ENG-264."""
    others = [build_scheduler(polled.core) for _ in range(2)]
    running = [asyncio.create_task(one.run()) for one in others]
    await polled.flow(looking(shop, "allowConcurrent: true", interval="PT1H"))
    await polled.executions(1)
    await asyncio.sleep(0.5)
    assert len(shop.asked) == 1
    assert len(await polled.executions()) == 1
    for one in others:
        one.stop()
    await asyncio.gather(*running)


async def test_http_trigger_report_of_an_earlier_evaluation_starts_nothing(polled: Polled, shop: Shop) -> None:
    """BEY-006."""
    await polled.flow(looking(shop, f"responseCondition: {CHEAP}", interval="PT1H"))
    state = await polled.until(lambda state: state.date is not None and state.evaluation is None)
    job = Job("one of old", 1, "execution", "main", "team", "watched", 1, "watch", trigger_id="watch")
    assert await polled.core.gateway.evaluated(Evaluated(job, "w", {"body": "late"})) is False
    assert await polled.state() == state
    assert await polled.executions() == []


@pytest.mark.parametrize(
    ("fallback", "polls", "failures"),
    [("WAIT", False, 0), ("FAIL", False, 1), ("CANCEL", False, 0), ("IGNORE", True, 0)],
)
async def test_http_trigger_of_a_group_without_workers_does_what_its_fallback_says(
    polled: Polled, shop: Shop, fallback: str, polls: bool, failures: int
) -> None:
    """ENG-047, ENG-310."""
    more = f"workerGroup: {{key: gpu, fallback: {fallback}}}, responseCondition: {CHEAP}"
    await polled.flow(looking(shop, more, interval="PT1H"))
    if polls:
        await asked(shop, 1)
    state = await polled.until(
        lambda state: state.evaluation is not None if fallback == "WAIT" else state.date is not None
    )
    assert state.failures == failures
    assert len(shop.asked) == (1 if polls else 0)
    assert await polled.core.store.jobs.unowned() == (1 if fallback == "WAIT" else 0)


async def test_http_trigger_check_that_fails_makes_a_failed_execution(polled: Polled, shop: Shop) -> None:
    """ENG-192: checks hold for executions that a trigger starts, too."""
    extra = "checks:\n  - {condition: '{{ 1 > 2 }}', message: never, behavior: FAIL_EXECUTION}"
    await polled.flow(looking(shop, interval="PT1H"), extra=extra)
    (execution,) = await polled.executions(1)
    body = await polled.live.until(execution.id, "FAILED")
    assert StateType(body["state"]["current"]) is StateType.FAILED


async def test_http_trigger_log_level_says_which_lines_are_kept(polled: Polled, shop: Shop) -> None:
    """ENG-259: a look that finds nothing leaves no line behind, unless asked to."""
    await polled.flow(looking(shop, f"responseCondition: {CHEAP}"))
    await asked(shop, 3)
    assert await polled.lines() == []
    await polled.flow(looking(shop, f"responseCondition: {CHEAP}, logLevel: DEBUG"))
    async with asyncio.timeout(PATIENCE):
        while not (lines := await polled.lines()):  # noqa: ASYNC110  # the database is asked
            await asyncio.sleep(0.02)
    assert (lines[0].level, lines[0].trigger_id, lines[0].execution_id) == ("DEBUG", "watch", None)


async def test_http_trigger_that_cannot_be_given_to_a_worker_makes_a_failed_execution(
    polled: Polled, shop: Shop
) -> None:
    """ENG-047, ENG-269."""
    more = "workerGroup: {key: gpu, fallback: FAIL}, failOnTriggerError: true"
    await polled.flow(looking(shop, more, interval="PT1H"))
    (execution,) = await polled.executions(1)
    await polled.live.until(execution.id, "FAILED")
    logs = (await polled.live.client.get(f"/api/v1/main/logs/{execution.id}")).json()
    assert any("no worker of group `gpu` is there" in line["message"] for line in logs)
    assert shop.asked == []


async def test_http_trigger_log_to_file_goes_with_the_execution_it_starts(polled: Polled, shop: Shop) -> None:
    """ENG-051: the log of a look that starts nothing stays with the trigger."""
    more = f"responseCondition: {CHEAP}, logToFile: true, logLevel: DEBUG"
    await polled.flow(looking(shop, more), task=PAUSE)
    await asked(shop, 2)
    shop.price = 99
    (execution,) = await polled.executions(1)
    client, path = polled.live.client, f"/api/v1/main/executions/{execution.id}"
    file = (await client.get(path)).json()["trigger"]["logFile"]
    kept = await client.get(f"{path}/file", params={"path": file})
    assert kept.text.count("\n") == 1
    assert "is the one waited for" in kept.text
    lines = [line.message for line in await polled.lines()]
    assert lines
    assert all("is not the one waited for" in line for line in lines)
