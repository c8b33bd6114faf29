"""Event hubs of Azure, on a Kafka broker that lets in who has the namespace's connection string."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from penstock.builtin.azure.events import Consume, EventBatchTrigger, EventTrigger, Produce
from penstock.builtin.azure.namespaces import EventHubsError, Hub
from penstock.builtin.kafka.connection import KafkaError
from penstock.builtin.messages.sending import MessageError
from penstock.sdk import PluginError
from tests.builtin.messages.conftest import Bench
from tests.builtin.polling.conftest import Polled
from tests.support.kafka import EventHubs

PATIENT = {"maxDuration": "PT1M"}
"""Where as many are expected as `maxRecords` names."""


@pytest.fixture(scope="module")
def admin(event_hubs: EventHubs) -> Iterator[AdminClient]:
    with AdminClient({"bootstrap.servers": event_hubs.plain, "log_level": 0}) as client:
        yield client


@pytest.fixture
def at(bench: Bench, event_hubs: EventHubs, admin: AdminClient) -> dict[str, Any]:
    """Give the properties of the test's own event hub."""
    for done in admin.create_topics([NewTopic(bench.name, 1)]).values():
        done.result()
    return {"namespace": "shop", "eventHubName": bench.name, "connectionString": event_hubs.connection_string}


def produce(bench: Bench, at: dict[str, Any], *bodies: Any, **more: Any) -> None:
    events = [{"body": body} for body in bodies]
    assert bench.run(Produce, **at, **{"from": events, "bodySerializer": "JSON", **more}).events_count == len(bodies)


def group(bench: Bench, at: dict[str, Any]) -> dict[str, Any]:
    return {**at, "consumerGroup": bench.name, "bodyDeserializer": "JSON"}


def test_events_are_read_with_all_they_were_sent_with_and_once_by_a_group(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-312."""
    sent = [{"body": {"n": 1}, "partitionKey": "paris", "properties": {"origin": "shop"}}, {"body": "plain"}]
    produced = bench.run(Produce, **at, **{"from": sent}, bodySerializer="JSON", eventProperties={"by": "robot"})
    assert produced.events_count == 2
    found = bench.run(Consume, **group(bench, at), maxRecords=2, **PATIENT)
    assert found["eventsCount"] == 2
    first, second = bench.stored(found)
    assert first.pop("enqueuedTimestamp")
    assert first == {
        "body": {"n": 1}, "partitionKey": "paris", "properties": {"by": "robot", "origin": "shop"},
        "sequenceNumber": 0, "partitionId": "0",
    }  # fmt: skip
    assert (second["body"], second["partitionKey"], second["properties"]) == ("plain", None, {"by": "robot"})
    assert bench.run(Consume, **group(bench, at), maxDuration="PT0.1S")["eventsCount"] == 0
    copied = {name: value for name, value in second.items() if name != "enqueuedTimestamp"}
    assert bench.run(Produce, **at, **{"from": copied}).events_count == 1


def test_bytes_are_text_in_base64_where_a_flow_sees_them(bench: Bench, at: dict[str, Any]) -> None:
    produce(bench, at, "AAH/", bodySerializer="BINARY")
    found = bench.run(Consume, **{**group(bench, at), "bodyDeserializer": "BINARY"}, maxRecords=1, **PATIENT)
    assert bench.stored(found)[0]["body"] == "AAH/"


def test_trigger_not_acknowledged_gives_the_events_again_under_their_key(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-270, ENG-307, BEY-006."""
    produce(bench, at, "a")
    lost = bench.poll(EventBatchTrigger, **group(bench, at), maxRecords=1, **PATIENT)
    assert lost is not None
    lost.release()
    again = bench.poll(EventBatchTrigger, **group(bench, at), maxRecords=1, **PATIENT)
    assert again is not None
    assert lost.key == again.key is not None
    assert [row["body"] for row in bench.stored(again)] == ["a"]
    again.acknowledge()


def test_reading_from_an_instant_on_needs_one(bench: Bench, at: dict[str, Any]) -> None:
    produce(bench, at, "a")
    wanted = {**group(bench, at), "partitionStartingPosition": "INSTANT"}
    with pytest.raises(EventHubsError, match="from when") as caught:
        bench.poll(EventBatchTrigger, **wanted)
    assert "enqueueTime" in caught.value.hint
    found = bench.poll(EventBatchTrigger, **wanted, enqueueTime="2020-01-01T00:00:00Z", maxRecords=1, **PATIENT)
    assert found is not None
    found.release()


def test_realtime_trigger_not_acknowledged_gives_the_event_again(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-311."""
    produce(bench, at, {"n": 1})
    lost, again = (bench.first(EventTrigger, **group(bench, at)) for _ in range(2))
    assert lost.variables["body"] == again.variables["body"] == {"n": 1}
    assert lost.key == again.key


def test_event_with_a_field_that_events_have_not_says_so(bench: Bench, at: dict[str, Any]) -> None:
    with pytest.raises(MessageError, match="no `key`"):
        bench.run(Produce, **at, **{"from": {"body": "a", "key": "b"}})


def test_wrong_key_is_refused_without_being_shown(bench: Bench, at: dict[str, Any]) -> None:
    wrong = at["connectionString"].replace("s3cret-word", "other-word")
    with pytest.raises(KafkaError, match="cannot be reached") as caught:
        produce(bench, {**at, "connectionString": wrong}, "a")
    assert "other-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "servers", "password"),
    [
        (
            {"connectionString": "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey=b="},
            "shop.servicebus.windows.net:9093",
            "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey=b=",
        ),
        (
            {"sharedKeyAccountName": "a", "sharedKeyAccountAccessKey": "b="},
            "shop.servicebus.windows.net:9093",
            "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey=b=",
        ),
        (
            {"sasToken": "SharedAccessSignature sr=x", "namespace": "shop.example.com"},
            "shop.example.com:9093",
            "Endpoint=sb://shop.example.com/;SharedAccessSignature=SharedAccessSignature sr=x",
        ),
    ],
)
def test_namespace_is_found_and_asked_encrypted(
    bench: Bench, given: dict[str, str], servers: str, password: str
) -> None:
    found = Hub.model_validate({"namespace": "shop", "eventHubName": "orders", **given})
    assert found.kafka_properties(bench.context()) == {
        "bootstrap.servers": servers, "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
        "sasl.username": "$ConnectionString", "sasl.password": password,
    }  # fmt: skip


@pytest.mark.parametrize(("given", "said"), [({}, "who asks"), ({"connectionString": "s3cret-word"}, "none of Event")])
def test_namespace_that_nobody_can_ask_says_what_to_set(bench: Bench, given: dict[str, str], said: str) -> None:
    found = Hub.model_validate({"namespace": "shop", "eventHubName": "orders", **given})
    with pytest.raises(PluginError, match=said) as caught:
        found.kafka_properties(bench.context())
    assert caught.value.hint
    assert "s3cret-word" not in str(caught.value)


async def test_realtime_trigger_of_a_server_starts_an_execution_for_each_event(
    polled: Polled, bench: Bench, at: dict[str, Any]
) -> None:
    """ENG-311, ENG-312."""
    await asyncio.to_thread(produce, bench, at, "a", "b")
    where = ", ".join(f"{name}: '{value}'" for name, value in group(bench, at).items())
    store = "checkpointStoreProperties: {containerName: places, connectionString: none}"
    await polled.flow(f"type: io.kestra.plugin.azure.eventhubs.RealtimeTrigger, {where}, {store}")
    found = await polled.executions(2)
    assert sorted(one.trigger.variables["body"] for one in found if one.trigger) == ["a", "b"]
