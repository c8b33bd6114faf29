"""MQTT topics, on a real broker."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from penstock.builtin.mqtt.address import MqttError
from penstock.builtin.mqtt.topics import Publish, Subscribe, TopicTrigger, Trigger
from penstock.sdk import TriggerEvent
from tests.builtin.messages.conftest import Bench
from tests.builtin.polling.conftest import Polled
from tests.support.brokers import PASSWORD, USER, Mosquitto

VERSIONS = ["V3", "V5"]


def at(bench: Bench, broker: Mosquitto, **more: Any) -> dict[str, Any]:
    """Return the properties of a test's own topic, under its own name."""
    return {"server": broker.url, "clientId": bench.name, "topic": bench.name, **more}


def publish(bench: Bench, broker: Mosquitto, *messages: Any, **more: Any) -> int:
    properties = at(bench, broker, **{"from": list(messages), "clientId": f"{bench.name}-publisher", **more})
    count: int = bench.run(Publish, **properties).messages_count
    return count


def subscribed(bench: Bench, broker: Mosquitto, **more: Any) -> dict[str, Any]:
    """Subscribe under the test's name, so that the broker keeps what comes from now on."""
    properties = at(bench, broker, **more)
    assert bench.run(Subscribe, **{**properties, "maxDuration": "PT0.001S"})["messagesCount"] == 0
    return properties


@pytest.mark.parametrize("version", VERSIONS)
def test_subscribe_messages_kept_for_it_gives_a_file(bench: Bench, mosquitto: Mosquitto, version: str) -> None:
    """ENG-312."""
    properties = subscribed(bench, mosquitto, mqttVersion=version)
    assert publish(bench, mosquitto, {"n": 1}, [2], "three", mqttVersion=version) == 3
    found = bench.run(Subscribe, **properties, maxRecords=3, maxDuration="PT1M")
    assert found["messagesCount"] == 3
    assert [one["payload"] for one in bench.stored(found)] == [{"n": 1}, [2], "three"]
    assert {(one["topic"], one["qos"], one["retain"]) for one in bench.stored(found)} == {(bench.name, 1, False)}


def test_publish_items_of_a_file_sends_each(bench: Bench, mosquitto: Mosquitto) -> None:
    """ENG-312."""
    context = bench.context()
    uri = context.put_bytes(b"{n:1}\n{n:2}\n", "items.ion")
    properties = subscribed(bench, mosquitto)
    task = bench.made(Publish, **at(bench, mosquitto, **{"from": uri, "clientId": f"{bench.name}-publisher"}))
    assert task.run(context).messages_count == 2
    found = bench.run(Subscribe, **properties, maxRecords=2, maxDuration="PT1M")
    assert [one["payload"] for one in bench.stored(found)] == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("serde", "sent", "read"), [("STRING", "7", "7"), ("BYTES", "AAH/", "AAH/"), ("JSON", {"a": None}, {"a": None})]
)
def test_message_is_read_as_it_was_written(
    bench: Bench, mosquitto: Mosquitto, serde: str, sent: object, read: object
) -> None:
    properties = subscribed(bench, mosquitto, serdeType=serde)
    publish(bench, mosquitto, sent, serdeType=serde)
    assert bench.stored(bench.run(Subscribe, **properties, maxRecords=1, maxDuration="PT1M"))[0]["payload"] == read


def test_message_retained_comes_with_the_first_look_only(bench: Bench, mosquitto: Mosquitto) -> None:
    publish(bench, mosquitto, "on", retain=True)
    event = bench.poll(Trigger, **at(bench, mosquitto, maxRecords=1, maxDuration="PT1M"))
    assert event is not None
    expected = {"id": 1, "topic": bench.name, "qos": 1, "retain": True, "properties": {}, "payload": "on"}
    assert bench.stored(event) == [expected]
    event.acknowledge()
    assert bench.poll(Trigger, **at(bench, mosquitto, maxDuration="PT0.05S")) is None


def test_trigger_several_topics_gives_the_messages_of_all(bench: Bench, mosquitto: Mosquitto) -> None:
    """ENG-270, ENG-307, ENG-309."""
    topics = [f"{bench.name}/a/+", f"{bench.name}/b"]
    properties = subscribed(bench, mosquitto, topic=topics)
    publish(bench, mosquitto, 1, topic=f"{bench.name}/a/x")
    publish(bench, mosquitto, 2, topic=f"{bench.name}/b")
    publish(bench, mosquitto, 3, topic=f"{bench.name}/c")
    event = bench.poll(Trigger, **properties, maxRecords=2, maxDuration="PT1M")
    assert event is not None
    assert event.variables["messagesCount"] == 2
    assert sorted(one["payload"] for one in bench.stored(event)) == [1, 2]
    event.acknowledge()


def test_trigger_many_messages_takes_as_many_as_it_may(bench: Bench, mosquitto: Mosquitto) -> None:
    """ENG-309: more than the broker gives out at once by itself."""
    properties = subscribed(bench, mosquitto)
    publish(bench, mosquitto, *range(60))
    event = bench.poll(Trigger, **properties, maxRecords=50, maxDuration="PT1M")
    assert event is not None
    assert [one["payload"] for one in bench.stored(event)] == list(range(50))
    event.acknowledge()
    rest = bench.poll(Trigger, **properties, maxRecords=10, maxDuration="PT1M")
    assert rest is not None
    assert [one["payload"] for one in bench.stored(rest)] == list(range(50, 60))
    rest.acknowledge()


@pytest.mark.parametrize("version", VERSIONS)
def test_trigger_not_acknowledged_gives_the_messages_again(bench: Bench, mosquitto: Mosquitto, version: str) -> None:
    properties = subscribed(bench, mosquitto, mqttVersion=version, maxRecords=2, maxDuration="PT1M")
    publish(bench, mosquitto, "a", "b")

    def look() -> tuple[TriggerEvent, list[str]]:
        event = bench.poll(Trigger, **properties)
        assert event is not None
        return event, [one["payload"] for one in bench.stored(event)]

    lost, found = look()
    lost.release()
    assert found == ["a", "b"]
    again, found = look()
    assert found == ["a", "b"]
    again.acknowledge()
    assert bench.poll(Trigger, **{**properties, "maxDuration": "PT0.05S"}) is None


def test_realtime_trigger_not_acknowledged_gives_the_message_again(bench: Bench, mosquitto: Mosquitto) -> None:
    """ENG-311."""
    properties = subscribed(bench, mosquitto)
    publish(bench, mosquitto, {"n": 1}, {"n": 2})
    assert bench.first(TopicTrigger, **properties).variables["payload"] == {"n": 1}
    listening = bench.made(TopicTrigger, **properties).listen(bench.context(), threading.Event())
    payloads = []
    for event in listening:
        payloads.append(event.variables["payload"])
        event.acknowledge()
        if len(payloads) == 2:
            break
    listening.close()
    assert payloads == [{"n": 1}, {"n": 2}]
    assert bench.poll(Trigger, **properties, maxDuration="PT0.05S") is None


def test_realtime_trigger_told_to_stop_ends(bench: Bench, mosquitto: Mosquitto) -> None:
    stop = threading.Event()
    stop.set()
    assert list(bench.made(TopicTrigger, **at(bench, mosquitto)).listen(bench.context(), stop)) == []


def test_broker_user_known_lets_in_and_wrong_password_says_so(bench: Bench, mosquitto: Mosquitto) -> None:
    assert publish(bench, mosquitto, 1, username=USER, password=PASSWORD) == 1
    with pytest.raises(MqttError, match="let us in") as caught:
        publish(bench, mosquitto, 1, username=USER, password="no-such-word")
    assert "no-such-word" not in str(caught.value)


# The client library leaves the socket of a broken handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_broker_with_a_certificate_is_believed_only_where_it_is_trusted(bench: Bench, mosquitto: Mosquitto) -> None:
    given = {"server": mosquitto.secure_url, "crt": mosquitto.certificate}
    assert publish(bench, mosquitto, 1, **given, httpsHostnameVerificationEnabled=False) == 1
    for properties in ({"server": mosquitto.secure_url}, given):
        with pytest.raises(MqttError, match="cannot be reached"):
            publish(bench, mosquitto, 1, **properties)


@pytest.mark.parametrize(
    "wrong",
    [
        {"server": "tcp://127.0.0.1:1"},
        {"server": "localhost"},
        {"server": "tcp://[bad"},
        {"topic": "with/#"},
        {"server": "ssl://127.0.0.1:1", "crt": "/no/such/file"},
    ],
)
def test_publish_wrong_properties_says_what_to_do(bench: Bench, mosquitto: Mosquitto, wrong: dict[str, str]) -> None:
    with pytest.raises(MqttError) as caught:
        publish(bench, mosquitto, 1, **wrong)
    assert caught.value.hint


async def test_realtime_trigger_of_a_server_starts_an_execution_for_each_message(
    polled: Polled, bench: Bench, mosquitto: Mosquitto
) -> None:
    """ENG-311, ENG-312."""
    await asyncio.to_thread(subscribed, bench, mosquitto)
    await asyncio.to_thread(publish, bench, mosquitto, {"n": 1}, {"n": 2})
    await polled.flow(
        f"type: io.kestra.plugin.mqtt.RealtimeTrigger, server: '{mosquitto.url}', clientId: {bench.name}, "
        f"topic: {bench.name}"
    )
    found = await polled.executions(2)
    assert [one.trigger.variables["payload"] for one in found if one.trigger] == [{"n": 1}, {"n": 2}]
    assert found[0].trigger is not None
    assert found[0].trigger.variables["topic"] == bench.name
