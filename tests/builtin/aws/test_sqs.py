"""SQS queues, on a server that speaks as SQS does."""

from __future__ import annotations

import asyncio
import threading
import uuid
from typing import Any

import pytest

from penstock.builtin.aws.connection import AwsError
from penstock.builtin.aws.queues import Consume, Publish, QueueBatchTrigger, QueueTrigger
from penstock.builtin.messages.sending import MessageError
from tests.builtin.messages.conftest import Bench
from tests.builtin.polling.conftest import Polled


@pytest.fixture
def at(account: dict[str, Any], queue: str) -> dict[str, Any]:
    """Give the properties of the test's own queue."""
    return {**account, "queueUrl": queue}


def publish(bench: Bench, at: dict[str, Any], *texts: str) -> None:
    count = bench.run(Publish, **at, **{"from": [{"data": text} for text in texts]}).messages_count
    assert count == len(texts)


def test_consume_messages_there_gives_a_file_of_what_they_carry(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-312."""
    publish(bench, at, *map(str, range(12)))
    found = bench.run(Consume, **at, serdeType="JSON", maxRecords=12, maxDuration="PT10S")
    assert found["count"] == 12
    assert sorted(bench.stored(found)) == list(range(12))
    assert bench.run(Consume, **at, maxDuration="PT0.1S")["count"] == 0


def test_queue_that_keeps_an_order_is_given_groups(bench: Bench, sqs: Any, at: dict[str, Any]) -> None:
    attributes = {"FifoQueue": "true"}
    at["queueUrl"] = sqs.create_queue(QueueName=f"{uuid.uuid4().hex}.fifo", Attributes=attributes)["QueueUrl"]
    message = {"data": "a", "groupId": "g", "deduplicationId": "d"}
    bench.run(Publish, **at, **{"from": message})
    read = dict(bench.first(QueueTrigger, **at).variables)
    assert read.pop("messageId")
    assert read == message
    with pytest.raises(MessageError, match="`group`"):
        bench.run(Publish, **at, **{"from": {"data": "a", "group": "g"}})


def test_trigger_not_acknowledged_gives_the_messages_again_under_their_key(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-270, ENG-307, ENG-309, BEY-006."""
    publish(bench, at, "a")
    lost = bench.poll(QueueBatchTrigger, **at, maxRecords=1)
    assert lost is not None
    lost.release()
    again = bench.poll(QueueBatchTrigger, **at, maxRecords=1)
    assert again is not None
    assert lost.key == again.key is not None
    assert again.variables["count"] == 1
    assert bench.stored(again) == ["a"]
    again.acknowledge()
    assert bench.poll(QueueBatchTrigger, **at, maxDuration="PT0.1S") is None


def test_message_that_is_not_to_be_deleted_stays(bench: Bench, sqs: Any, at: dict[str, Any]) -> None:
    publish(bench, at, "a")
    bench.run(Consume, **at, autoDelete=False, visibilityTimeout=60, maxRecords=1, maxDuration="PT10S")
    kept = "ApproximateNumberOfMessagesNotVisible"
    found = sqs.get_queue_attributes(QueueUrl=at["queueUrl"], AttributeNames=[kept])
    assert found["Attributes"][kept] == "1"


def test_realtime_trigger_not_acknowledged_gives_the_message_again_under_its_key(
    bench: Bench, at: dict[str, Any]
) -> None:
    """ENG-311."""
    publish(bench, at, '{"n": 1}')
    lost, again = (bench.first(QueueTrigger, **at, serdeType="JSON") for _ in range(2))
    assert lost.variables["data"] == again.variables["data"] == {"n": 1}
    assert lost.key == again.key == again.variables["messageId"]


def test_realtime_trigger_told_to_stop_ends(bench: Bench, at: dict[str, Any]) -> None:
    stop = threading.Event()
    stop.set()
    assert list(bench.made(QueueTrigger, **at).listen(bench.context(), stop)) == []


def test_queue_not_there_says_so(bench: Bench, at: dict[str, Any]) -> None:
    with pytest.raises(AwsError, match="does not exist") as caught:
        bench.poll(QueueBatchTrigger, **{**at, "queueUrl": f"{at['queueUrl']}-other"})
    assert "s3cret-word" not in str(caught.value)


@pytest.mark.parametrize(("missing", "said"), [("region", "region"), ("accessKeyId", "who asks")])
def test_account_that_is_not_said_says_what_to_set(
    bench: Bench, at: dict[str, Any], monkeypatch: pytest.MonkeyPatch, missing: str, said: str
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    given = {name: value for name, value in at.items() if name != missing}
    if missing == "accessKeyId":
        del given["secretKeyId"]
    with pytest.raises(AwsError, match=said) as caught:
        bench.poll(QueueBatchTrigger, **given)
    assert caught.value.hint


async def test_realtime_trigger_of_a_server_starts_an_execution_for_each_message(
    polled: Polled, bench: Bench, at: dict[str, Any]
) -> None:
    """ENG-311, ENG-312."""
    await asyncio.to_thread(publish, bench, at, "a", "b")
    where = ", ".join(f"{name}: '{value}'" for name, value in at.items())
    await polled.flow(f"type: io.kestra.plugin.aws.sqs.RealtimeTrigger, {where}, waitTime: PT1S")
    found = await polled.executions(2)
    assert sorted(one.trigger.variables["data"] for one in found if one.trigger) == ["a", "b"]
