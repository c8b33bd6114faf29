"""Pub/Sub, on the server that Google's client library has for tests."""

from __future__ import annotations

import asyncio
import threading
import uuid
from typing import Any

import grpc
import pytest
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from penstock.builtin.gcp.account import GcpError
from penstock.builtin.gcp.topics import Consume, Publish, TopicBatchTrigger, TopicTrigger
from penstock.builtin.messages.sending import MessageError
from tests.builtin.messages.conftest import Bench
from tests.builtin.polling.conftest import Polled


@pytest.fixture
def at(pubsub_url: str) -> dict[str, Any]:
    """Give the properties of the test's own topic and its subscription, which are there."""
    name = f"t{uuid.uuid4().hex}"
    where = pubsub_url.removeprefix("http://")
    topic, subscription = f"projects/shop/topics/{name}", f"projects/shop/subscriptions/{name}-all"
    with PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(where))) as publisher:
        publisher.create_topic(name=topic)
    with SubscriberClient(transport=SubscriberGrpcTransport(channel=grpc.insecure_channel(where))) as subscriber:
        subscriber.create_subscription(name=subscription, topic=topic)
    return {"endpointOverride": pubsub_url, "projectId": "shop", "topic": name, "subscription": f"{name}-all"}


def publish(bench: Bench, at: dict[str, Any], *messages: dict[str, Any], **more: Any) -> None:
    where = {name: value for name, value in at.items() if name != "subscription"}
    sent = bench.run(Publish, **where, **more, **{"from": list(messages)})
    assert sent.messages_count == len(messages)


def test_consume_messages_there_gives_a_file_of_them(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-312."""
    publish(bench, at, *({"data": {"n": n}} for n in range(150)), serdeType="JSON")
    found = bench.run(Consume, **at, serdeType="JSON", maxRecords=150, maxDuration="PT60S")
    assert found["count"] == 150
    assert sorted(row["data"]["n"] for row in bench.stored(found)) == list(range(150))
    assert bench.run(Consume, **at, maxDuration="PT0.1S")["count"] == 0


def test_message_is_read_with_all_it_was_sent_with(bench: Bench, at: dict[str, Any]) -> None:
    publish(bench, at, {"data": "a", "attributes": {"country": "FR"}, "orderingKey": "k"})
    found = bench.run(Consume, **at, maxRecords=1, maxDuration="PT60S")
    row = bench.stored(found)[0]
    assert row.pop("messageId")
    assert row == {"data": "a", "attributes": {"country": "FR"}, "orderingKey": "k"}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"data": "a", "key": "b"}, "no `key`"),
        ({"attributes": {"a": 1}}, "`attributes`"),
        ({}, "empty"),
    ],
)
def test_message_that_cannot_be_sent_says_why(
    bench: Bench, at: dict[str, Any], message: dict[str, Any], said: str
) -> None:
    with pytest.raises(MessageError, match=said) as caught:
        publish(bench, at, message)
    assert caught.value.hint


def test_trigger_not_acknowledged_gives_the_messages_again_under_their_key(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-270, ENG-307, ENG-309, BEY-006."""
    publish(bench, at, {"data": "a"})
    lost = bench.poll(TopicBatchTrigger, **at, maxRecords=1)
    assert lost is not None
    lost.release()
    again = bench.poll(TopicBatchTrigger, **at, maxRecords=1)
    assert again is not None
    assert lost.key == again.key is not None
    assert again.variables["count"] == 1
    assert [row["data"] for row in bench.stored(again)] == ["a"]
    again.acknowledge()
    assert bench.poll(TopicBatchTrigger, **at, maxDuration="PT0.1S") is None


def test_realtime_trigger_not_acknowledged_gives_the_message_again_under_its_key(
    bench: Bench, at: dict[str, Any]
) -> None:
    """ENG-311."""
    publish(bench, at, {"data": '{"n": 1}'})
    lost, again = (bench.first(TopicTrigger, **at, serdeType="JSON") for _ in range(2))
    assert lost.variables["data"] == again.variables["data"] == {"n": 1}
    assert lost.key == again.key == again.variables["messageId"]


def test_realtime_trigger_told_to_stop_ends(bench: Bench, at: dict[str, Any]) -> None:
    stop = threading.Event()
    stop.set()
    assert list(bench.made(TopicTrigger, **at).listen(bench.context(), stop)) == []


def test_subscription_not_there_is_made_unless_that_is_unwanted(bench: Bench, at: dict[str, Any]) -> None:
    other = {**at, "subscription": f"{at['topic']}-other"}
    with pytest.raises(GcpError, match="no such topic or subscription"):
        bench.poll(TopicBatchTrigger, **other, autoCreateSubscription=False)
    assert bench.poll(TopicBatchTrigger, **other) is None
    publish(bench, at, {"data": "a"})
    found = bench.poll(TopicBatchTrigger, **other, maxRecords=1)
    assert found is not None
    found.acknowledge()


def test_topic_not_there_says_so(bench: Bench, at: dict[str, Any]) -> None:
    with pytest.raises(GcpError, match="no such topic"):
        publish(bench, {**at, "topic": "nowhere"}, {"data": "a"})


def test_project_that_is_not_known_says_what_to_set(bench: Bench, at: dict[str, Any], service_account: str) -> None:
    known = {name: value for name, value in at.items() if name != "projectId"}
    account = service_account.replace('"project_id": "shop", ', "")
    with pytest.raises(GcpError, match="no project") as caught:
        bench.poll(TopicBatchTrigger, **known, serviceAccount=account)
    assert "projectId" in caught.value.hint
    publish(bench, {**known, "serviceAccount": service_account}, {"data": "a"})


async def test_realtime_trigger_of_a_server_starts_an_execution_for_each_message(
    polled: Polled, bench: Bench, at: dict[str, Any]
) -> None:
    """ENG-311, ENG-312."""
    await asyncio.to_thread(publish, bench, at, {"data": "a"}, {"data": "b"})
    where = ", ".join(f"{name}: '{value}'" for name, value in at.items())
    await polled.flow(f"type: io.kestra.plugin.gcp.pubsub.RealtimeTrigger, {where}")
    found = await polled.executions(2)
    assert sorted(one.trigger.variables["data"] for one in found if one.trigger) == ["a", "b"]
