"""Queues of an AMQP broker, on a real RabbitMQ."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from penstock.builtin.amqp.connection import AmqpError
from penstock.builtin.amqp.declaring import CreateQueue, DeclareExchange, QueueBind
from penstock.builtin.amqp.queues import Consume, Publish, QueueTrigger, Trigger
from penstock.builtin.messages.sending import MessageError
from tests.builtin.messages.conftest import Bench
from tests.builtin.polling.conftest import Polled
from tests.support.rabbitmq import RabbitMq


@pytest.fixture
def at(bench: Bench, rabbitmq: RabbitMq) -> dict[str, Any]:
    """Give the properties of the test's own queue."""
    bench.run(CreateQueue, url=rabbitmq.url, name=bench.name, autoDelete=False, durability=False)
    return {"url": rabbitmq.url, "queue": bench.name}


def publish(bench: Bench, at: dict[str, Any], *messages: Any, **more: Any) -> int:
    sent = [one if isinstance(one, dict) else {"data": one} for one in messages]
    properties = {"url": at["url"], "exchange": "", "routingKey": at["queue"], "from": sent, **more}
    count: int = bench.run(Publish, **properties).messages_count
    return count


def data(items: list[Any]) -> list[Any]:
    return [one["data"] for one in items]


def test_consume_messages_there_gives_a_file_with_all_they_have(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-312."""
    message = {
        "data": {"n": 1},
        "headers": {"origin": "shop"},
        "messageId": "m1",
        "contentType": "application/json",
        "deliveryMode": 2,
        "priority": 3,
        "timestamp": 1_700_000_000,
        "appId": "shop",
    }
    assert publish(bench, at, message, "text", serdeType="JSON") == 2
    found = bench.run(Consume, **at, serdeType="JSON", maxRecords=2, maxDuration="PT1M")
    assert found["count"] == 2
    first, second = bench.stored(found)
    assert first.pop("timestamp").isoformat() == "2023-11-14T22:13:20+00:00"
    assert first == {name: value for name, value in message.items() if name != "timestamp"}
    assert second == {"data": "text"}


def test_publish_through_an_exchange_reaches_the_queues_bound_to_it(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-312."""
    exchange = {"url": at["url"], "name": bench.name, "exchangeType": "TOPIC", "autoDelete": True}
    assert bench.run(DeclareExchange, **exchange).exchange == bench.name
    bound = {"url": at["url"], "exchange": bench.name, "queue": bench.name, "routingKey": "new.*"}
    assert bench.run(QueueBind, **bound).queue == bench.name
    publish(bench, at, "seen", exchange=bench.name, routingKey="new.order")
    publish(bench, at, "not seen", exchange=bench.name, routingKey="old.order")
    event = bench.poll(Trigger, **at, maxRecords=1, maxDuration="PT1M")
    assert event is not None
    assert data(bench.stored(event)) == ["seen"]
    event.acknowledge()
    assert bench.poll(Trigger, **at, maxDuration="PT0.1S") is None


def test_trigger_not_acknowledged_gives_the_messages_again(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-270, ENG-307, ENG-309."""
    publish(bench, at, "a", "b", "c")
    lost = bench.poll(Trigger, **at, maxRecords=2, maxDuration="PT1M")
    assert lost is not None
    lost.release()
    again = bench.poll(Trigger, **at, maxRecords=2, maxDuration="PT1M")
    assert again is not None
    assert again.variables["count"] == 2
    assert data(bench.stored(again)) == ["a", "b"]
    again.acknowledge()
    rest = bench.poll(Trigger, **at, maxRecords=1, maxDuration="PT1M")
    assert rest is not None
    assert data(bench.stored(rest)) == ["c"]
    rest.acknowledge()
    assert bench.poll(Trigger, **at, maxDuration="PT0.1S") is None


def test_consume_with_auto_ack_leaves_nothing_for_others(bench: Bench, at: dict[str, Any]) -> None:
    publish(bench, at, "a")
    assert bench.run(Consume, **at, autoAck=True, maxRecords=1, maxDuration="PT1M")["count"] == 1
    assert bench.poll(Trigger, **at, maxDuration="PT0.1S") is None


def test_realtime_trigger_not_acknowledged_gives_the_message_again(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-311."""
    publish(bench, at, '{"n": 1}')
    for _ in range(2):
        assert bench.first(QueueTrigger, **at, serdeType="JSON").variables == {"data": {"n": 1}}


def test_realtime_trigger_told_to_stop_ends(bench: Bench, at: dict[str, Any]) -> None:
    stop = threading.Event()
    stop.set()
    assert list(bench.made(QueueTrigger, **at).listen(bench.context(), stop)) == []


def test_publish_message_with_something_unknown_says_what_there_is(bench: Bench, at: dict[str, Any]) -> None:
    for wrong in ({"data": "x", "heders": {}}, "text"):
        with pytest.raises(MessageError) as caught:
            bench.run(Publish, url=at["url"], exchange="", **{"from": wrong})
        assert caught.value.hint


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"queue": "no-such-queue"}, "no queue"),
        ({"url": "amqp://127.0.0.1:1"}, "AMQP failed"),
        ({"url": "amqp://host:no-port"}, "no address"),
        ({"url": None}, "which broker"),
        ({"url": None, "host": "127.0.0.1", "username": "guest", "password": "no-such-word"}, "let us in"),
    ],
)
def test_broker_wrong_properties_says_what_is_wrong(
    bench: Bench, rabbitmq: RabbitMq, properties: dict[str, Any], said: str
) -> None:
    known = {"url": rabbitmq.url, "port": rabbitmq.port, "queue": "x", **properties}
    with pytest.raises(AmqpError, match=said) as caught:
        bench.poll(Trigger, **known)
    assert caught.value.hint
    assert "no-such-word" not in str(caught.value)


async def test_realtime_trigger_of_a_server_starts_an_execution_for_each_message(
    polled: Polled, bench: Bench, rabbitmq: RabbitMq, at: dict[str, Any]
) -> None:
    """ENG-311, ENG-312."""
    await asyncio.to_thread(publish, bench, at, "a", "b")
    await polled.flow(
        f"type: io.kestra.plugin.amqp.RealtimeTrigger, host: 127.0.0.1, port: {rabbitmq.port}, username: guest, "
        f"password: guest, queue: {bench.name}"
    )
    found = await polled.executions(2)
    assert [one.trigger.variables["data"] for one in found if one.trigger] == ["a", "b"]
