"""Redis lists as sources of events, on a real Redis server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest
import redis

from penstock.builtin.redis.lists import ElementTrigger, Trigger
from penstock.builtin.redis.source import RedisError
from penstock.engine.decision import Job
from penstock.ports.gateway import Evaluated
from penstock.sdk import TriggerEvent
from penstock.services.worker import Worker
from penstock.services.worker.context import WorkerRunContext
from penstock.testing.run_context import RunContextFactory
from tests.builtin.polling.conftest import Polled
from tests.support.waiting import PATIENCE

VARIABLES = {"flow": {"namespace": "team", "id": "watched"}, "trigger": {"id": "watch"}}


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as connection:
        yield connection


def batch(url: str, **more: object) -> Trigger:
    return Trigger.model_validate({"id": "watch", "type": Trigger.type_name, "url": url, "key": "orders", **more})


def each(url: str, **more: object) -> ElementTrigger:
    definition = {"id": "watch", "type": ElementTrigger.type_name, "url": url, "key": "orders", **more}
    return ElementTrigger.model_validate(definition)


def elements(contexts: RunContextFactory, event: TriggerEvent | None) -> list[object]:
    assert event is not None
    data = contexts.gateway.files[event.variables["uri"]].decode()
    assert event.variables["count"] == len(data.splitlines())
    return [json.loads(line) for line in data.splitlines()]


def first(trigger: ElementTrigger, context: WorkerRunContext) -> TriggerEvent:
    return next(trigger.listen(context, threading.Event()))


def test_list_trigger_elements_there_gives_a_file_and_takes_them(
    contexts: RunContextFactory, client: redis.Redis, redis_url: str
) -> None:
    """ENG-270, ENG-307."""
    client.rpush("orders", "a", "b", "ü")
    event = batch(redis_url).poll(contexts.of(VARIABLES))
    assert elements(contexts, event) == ["a", "b", "ü"]
    assert event is not None
    event.acknowledge()
    assert client.keys("*") == []
    assert batch(redis_url).poll(contexts.of(VARIABLES)) is None


def test_list_trigger_max_records_leaves_the_rest(
    contexts: RunContextFactory, client: redis.Redis, redis_url: str
) -> None:
    client.rpush("orders", *map(str, range(7)))
    event = batch(redis_url, count=2, maxRecords=5, maxDuration="PT5S").poll(contexts.of(VARIABLES))
    assert elements(contexts, event) == ["0", "1", "2", "3", "4"]
    assert client.lrange("orders", 0, -1) == ["5", "6"]


def test_list_trigger_not_acknowledged_gives_the_same_elements_under_the_same_key(
    contexts: RunContextFactory, client: redis.Redis, redis_url: str
) -> None:
    client.rpush("orders", '{"n": 1}', "no json")
    trigger = batch(redis_url, serdeType="JSON")
    lost = trigger.poll(contexts.of(VARIABLES))
    client.rpush("orders", "3")
    again = trigger.poll(contexts.of(VARIABLES))
    assert lost is not None
    assert again is not None
    assert again.key == lost.key
    assert elements(contexts, again) == [{"n": 1}, "no json"]
    again.acknowledge()
    following = trigger.poll(contexts.of(VARIABLES))
    lost.acknowledge()  # late, and of no effect on what was taken since
    assert elements(contexts, trigger.poll(contexts.of(VARIABLES))) == elements(contexts, following) == [3]


def test_realtime_trigger_not_acknowledged_gives_the_element_again_under_its_key(
    contexts: RunContextFactory, client: redis.Redis, redis_url: str
) -> None:
    """ENG-311."""
    client.rpush("orders", "a", "b")
    lost = first(each(redis_url), contexts.of(VARIABLES))
    again = first(each(redis_url), contexts.of(VARIABLES))
    assert (again.variables, again.key) == (lost.variables, lost.key) == ({"value": "a"}, lost.key)
    again.acknowledge()
    following = first(each(redis_url), contexts.of(VARIABLES))
    lost.acknowledge()
    assert following.variables == {"value": "b"}
    assert first(each(redis_url), contexts.of(VARIABLES)).key == following.key != lost.key


def test_realtime_trigger_told_to_stop_ends(contexts: RunContextFactory, redis_url: str) -> None:
    stop = threading.Event()
    found: list[TriggerEvent] = []
    context = contexts.of(VARIABLES)
    thread = threading.Thread(target=lambda: found.extend(each(redis_url).listen(context, stop)))
    thread.start()
    stop.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert found == []


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "no address"])
def test_list_trigger_server_not_there_says_so_without_its_password(contexts: RunContextFactory, url: str) -> None:
    with pytest.raises(RedisError) as caught:
        batch(url).poll(contexts.of(VARIABLES))
    assert caught.value.hint


# -- on a whole server


def realtime(url: str, more: str = "") -> str:
    return f"type: io.kestra.plugin.redis.list.RealtimeTrigger, url: '{url}', key: orders{more}"


async def test_realtime_trigger_each_element_starts_one_execution(
    polled: Polled, client: redis.Redis, redis_url: str
) -> None:
    """ENG-311, ENG-312, ENG-401: executions of one trigger run beside each other, and each has its own element."""
    await polled.flow(realtime(redis_url), task="{id: pause, type: io.kestra.plugin.core.flow.Pause}")
    client.rpush("orders", *map(str, range(20)))
    found = await polled.executions(20)
    values = [one.trigger.variables["value"] for one in found if one.trigger is not None]
    assert sorted(map(int, values)) == list(range(20))
    async with asyncio.timeout(PATIENCE):
        while client.keys("*"):  # noqa: ASYNC110  # Redis is asked
            await asyncio.sleep(0.02)
    assert (await polled.state()).execution_id is None


async def test_realtime_trigger_disabled_by_hand_leaves_elements_where_they_are(
    polled: Polled, client: redis.Redis, redis_url: str
) -> None:
    """ENG-265."""
    await polled.flow(realtime(redis_url))
    client.rpush("orders", "a")
    await polled.executions(1)
    body = {"namespace": "team", "flowId": "watched", "triggerId": "watch", "disabled": True}
    await polled.live.client.put("/api/v1/main/triggers", json=body)
    await polled.until(lambda state: state.disabled and state.evaluation is None)
    await _nobody_listens(polled)
    client.rpush("orders", "b")
    await asyncio.sleep(0.3)
    assert len(await polled.executions()) == 1
    await polled.live.client.put("/api/v1/main/triggers", json={**body, "disabled": False})
    found = await polled.executions(2)
    assert len(found) == 2


async def test_realtime_trigger_conditions_do_not_hold_takes_the_element_and_starts_nothing(
    polled: Polled, client: redis.Redis, redis_url: str
) -> None:
    """ENG-259."""
    condition = "{type: io.kestra.plugin.core.condition.Expression, expression: \"{{ trigger.value == 'b' }}\"}"
    await polled.flow(realtime(redis_url, f", conditions: [{condition}]"))
    client.rpush("orders", "a", "b")
    (execution,) = await polled.executions(1)
    assert execution.trigger is not None
    assert execution.trigger.variables == {"value": "b"}


async def test_realtime_trigger_stop_after_state_reached_disables_it(
    polled: Polled, client: redis.Redis, redis_url: str
) -> None:
    """ENG-268."""
    await polled.flow(realtime(redis_url, ", stopAfter: [SUCCESS]"))
    client.rpush("orders", "a")
    await polled.until(lambda state: state.disabled and state.evaluation is None)


async def test_realtime_trigger_source_not_there_is_opened_again_when_it_is(
    polled: Polled, client: redis.Redis, redis_url: str
) -> None:
    """ENG-269, BEY-005: an error is told, and the listener is opened again after a pause."""
    client.set("orders", "no list")
    await polled.flow(realtime(redis_url))
    state = await polled.until(lambda state: state.failures > 0)
    assert "WRONGTYPE" in (state.error or "")
    client.delete("orders")
    client.rpush("orders", "a")
    await polled.executions(1)
    assert (await polled.until(lambda state: state.failures == 0)).error is None


async def test_realtime_trigger_worker_stops_in_good_order_another_goes_on_at_once(
    polled: Polled, client: redis.Redis, redis_url: str
) -> None:
    """ENG-313: the listener is handed over well within the grace period, and no element is lost or doubled."""
    core = polled.core
    await polled.flow(realtime(redis_url))
    client.rpush("orders", "0")
    await polled.executions(1)
    second = Worker(core.gateway, core.plugins.registry, core.plan.worker, core.clock)
    running = asyncio.create_task(second.run())
    evaluation = (await polled.state()).evaluation
    assert evaluation is not None
    await core.store.jobs.release((await core.store.jobs.workers())[0].id)
    client.rpush("orders", *map(str, range(1, 30)))
    found = await polled.executions(30)
    second.stop()
    await asyncio.wait_for(running, PATIENCE)
    client.rpush("orders", *map(str, range(30, 40)))
    found = await polled.executions(40)
    await asyncio.sleep(0.3)
    values = [one.trigger.variables["value"] for one in await polled.executions() if one.trigger is not None]
    assert sorted(map(int, values)) == list(range(40))
    assert len(found) == 40


async def test_batch_trigger_flow_reads_the_elements(polled: Polled, client: redis.Redis, redis_url: str) -> None:
    """ENG-270: the file belongs to the execution that the elements start."""
    client.rpush("orders", "one", "two")
    await polled.flow(
        f"type: io.kestra.plugin.redis.list.Trigger, url: '{redis_url}', key: orders, interval: PT0.2S",
        task='{id: show, type: io.kestra.plugin.core.debug.Return, format: "{{ read(trigger.uri) }}"}',
    )
    (execution,) = await polled.executions(1)
    body = await polled.live.until(execution.id, "SUCCESS")
    assert body["taskRunList"][0]["outputs"]["value"] == '"one"\n"two"\n'
    client.rpush("orders", "three")
    assert len(await polled.executions(2)) == 2


async def test_event_reported_twice_under_its_key_starts_one_execution(
    polled: Polled, client: redis.Redis, redis_url: str
) -> None:
    """BEY-006."""
    await polled.flow(realtime(redis_url))
    state = await polled.until(lambda state: state.evaluation is not None)
    async with asyncio.timeout(PATIENCE):
        while not (jobs := await _owned(polled)):  # noqa: ASYNC110  # the database is asked
            await asyncio.sleep(0.02)
    (worker, job) = jobs[0]
    assert job.task_run_id == state.evaluation
    for _ in range(2):
        told = Evaluated(job, worker, {"value": "x"}, key="x", is_over=False)
        assert await polled.core.gateway.evaluated(told) is True
    assert len(await polled.executions(1)) == 1


async def _owned(polled: Polled) -> list[tuple[str, Job]]:
    jobs = polled.core.store.jobs
    return [(worker.id, job) for worker in await jobs.workers() for job in await jobs.owned(worker.id)]


async def _nobody_listens(polled: Polled) -> None:
    async with asyncio.timeout(PATIENCE):
        while any(job.trigger_id for _, job in await _owned(polled)):  # noqa: ASYNC110  # the database is asked
            await asyncio.sleep(0.02)
