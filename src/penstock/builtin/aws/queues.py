"""SQS: `Publish`, `Consume`, and the triggers on queues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field, PositiveInt

from penstock.builtin.aws.buckets import given
from penstock.builtin.aws.connection import Account, AwsError, translated
from penstock.builtin.messages.payloads import TextSerde, decoded
from penstock.builtin.messages.receiving import (
    BatchTrigger,
    ConsumedCount,
    ConsumeTask,
    MessageTrigger,
    Received,
    Subscribing,
)
from penstock.builtin.messages.sending import MessageError, Published, Sending, sent
from penstock.sdk import Output, Property, RunContext, json_text

_TOGETHER = 10
"""How many messages the service takes and gives with one request, at most."""
_FIELDS: Mapping[str, str] = {
    "groupId": "MessageGroupId",
    "deduplicationId": "MessageDeduplicationId",
    "delaySeconds": "DelaySeconds",
}


class Queue(Account):
    """A queue."""

    queue_url: Property[str] = Field(description="The queue's URL.")

    @contextmanager
    def messages(self, context: RunContext) -> Iterator[Any]:
        """Give a client; what it complains of is raised as AwsError."""
        with translated(), closing(self.client(context, "sqs")) as client:
            yield client


class Publish(Queue, Sending):
    """Send messages to an SQS queue. Needs `penstock[aws]`.

    A message is a map with `data`, and in queues that keep an order `groupId` and `deduplicationId`; `delaySeconds`
    holds it back.

    ```yaml
    - id: order
      type: io.kestra.plugin.aws.sqs.Publish
      region: eu-west-1
      queueUrl: https://sqs.eu-west-1.amazonaws.com/123456789/orders
      from:
        - data: first
        - data: second
          delaySeconds: 5
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.aws.sqs.Publish"

    def run(self, context: RunContext) -> Published:
        """Send."""
        url = context.render(self.queue_url)
        with self.messages(context) as client:

            def send(message: Mapping[str, Any]) -> None:
                client.send_message(QueueUrl=url, **_content(message))

            count = sent(context, self.outgoing_fields(context), send)
        return Published(messages_count=count)


def _content(message: Mapping[str, Any]) -> dict[str, Any]:
    unknown = message.keys() - _FIELDS.keys() - {"data", "messageId"}
    if unknown:
        raise MessageError(f"a message has no `{min(unknown)}`", hint=f"a message has data, {', '.join(_FIELDS)}")
    more = {other: message.get(name) for name, other in _FIELDS.items()}
    return {"MessageBody": json_text(message.get("data", "")), **given(**more)}


class Receiving(Queue, Subscribing):
    """A queue that messages come from."""

    serde_type: Property[TextSerde] = Field(Property.of("STRING"), description="How messages are read.")
    auto_delete: Property[bool] = Field(
        Property.of(True), description="Delete messages that have been dealt with; else they come again."
    )
    visibility_timeout: Property[PositiveInt] = Field(
        Property.of(30), description="For how many seconds a message that was given out is kept from others."
    )

    @contextmanager
    def subscription(self, context: RunContext) -> Iterator[QueueSource]:
        """Open a connection. What was not dealt with is given back at its end."""
        with self.messages(context) as client:
            source = QueueSource(client, self, context)
            try:
                yield source
            finally:
                source.leave()

    def together(self, context: RunContext) -> int:
        """Return how many messages are asked for at once."""
        return _TOGETHER

    def patience(self, context: RunContext) -> float:
        """Return the longest time, in seconds, that the service waits for messages before it says there are none."""
        return 20.0


class QueueSource:
    """Messages of a queue, a few of them asked for at once."""

    def __init__(self, client: Any, queue: Receiving, context: RunContext) -> None:
        self._client = client
        self._context = context
        self._url = context.render(queue.queue_url)
        self._serde: TextSerde = context.render(queue.serde_type)
        self._deletes = context.render(queue.auto_delete)
        self._hidden = context.render(queue.visibility_timeout)
        self._together = queue.together(context)
        self._patience = queue.patience(context)
        self._ready: list[Received] = []
        self._held: list[Received] = []

    def receive(self, seconds: float) -> Received | None:
        """Return the next message."""
        if not self._ready:
            with translated():
                answer = self._client.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=self._together,
                    WaitTimeSeconds=round(min(seconds, self._patience)),
                    VisibilityTimeout=self._hidden,
                    AttributeNames=["MessageGroupId", "MessageDeduplicationId"],
                )
            self._ready = [self._received(one) for one in answer.get("Messages", ())]
        if not self._ready:
            return None
        self._held.append(self._ready.pop(0))
        return self._held[-1]

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Delete messages."""
        for begin in range(0, len(messages), _TOGETHER) if self._deletes else ():
            self._delete(messages[begin : begin + _TOGETHER])
        done = {message.token for message in messages}
        self._held = [message for message in self._held if message.token not in done]

    def leave(self) -> None:
        """Let others have what was not dealt with, at once."""
        left = [*self._held, *self._ready]
        with suppress(AwsError), translated():  # if not at once, they have it when it is no more hidden
            for message in left:
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=message.token, VisibilityTimeout=0
                )

    def _delete(self, messages: Sequence[Received]) -> None:
        entries = [{"Id": str(number), "ReceiptHandle": one.token} for number, one in enumerate(messages)]
        with translated():
            answer = self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
        for failure in answer.get("Failed", ()):
            raise AwsError(f"a message was not deleted: {failure.get('Message')}", hint="see what the account may do")

    def _received(self, message: Mapping[str, Any]) -> Received:
        attributes = message.get("Attributes", {})
        fields = given(
            data=decoded(self._context, message["Body"], self._serde),
            messageId=message["MessageId"],
            groupId=attributes.get("MessageGroupId"),
            deduplicationId=attributes.get("MessageDeduplicationId"),
        )
        return Received(fields, message["ReceiptHandle"], message["MessageId"] if self._deletes else None)


class Consume(Receiving, ConsumeTask):
    """Write the messages of an SQS queue to a file. Needs `penstock[aws]`.

    Set `maxRecords` or `maxDuration`; with neither it ends when no more come.

    ```yaml
    - id: orders
      type: io.kestra.plugin.aws.sqs.Consume
      region: eu-west-1
      queueUrl: https://sqs.eu-west-1.amazonaws.com/123456789/orders
      maxRecords: 100
      maxDuration: PT10S
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.aws.sqs.Consume"
    output_type: ClassVar[type[Output] | None] = ConsumedCount
    count_name: ClassVar[str] = "count"
    row_field: ClassVar[str | None] = "data"


class QueueBatchTrigger(Receiving, BatchTrigger):
    """Look for messages of an SQS queue every `interval`, and start the flow with them. Needs `penstock[aws]`.

    The flow reads `trigger.uri`, a file with what a message carries on each row, and `trigger.count`.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.aws.sqs.Trigger
        region: eu-west-1
        queueUrl: https://sqs.eu-west-1.amazonaws.com/123456789/orders
        maxRecords: 1000
        interval: PT30S
    ```

    Implements ENG-270, ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.aws.sqs.Trigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"count", "uri"})
    count_name: ClassVar[str] = "count"
    row_field: ClassVar[str | None] = "data"


class QueueTrigger(Receiving, MessageTrigger):
    """Start the flow for each message of an SQS queue as soon as it comes. Needs `penstock[aws]`.

    The flow reads `trigger.data` and `trigger.messageId`. A message is deleted when its execution is stored.

    ```yaml
    triggers:
      - id: order
        type: io.kestra.plugin.aws.sqs.RealtimeTrigger
        region: eu-west-1
        queueUrl: https://sqs.eu-west-1.amazonaws.com/123456789/orders
    ```

    Implements ENG-311, ENG-312.
    """

    type_name = "io.kestra.plugin.aws.sqs.RealtimeTrigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"data", "messageId", "groupId", "deduplicationId"})
    wait: ClassVar[float] = 5.0

    wait_time: Property[timedelta] = Field(
        Property.of(timedelta(seconds=20)), description="The longest time to wait for a message; five seconds at most."
    )
    max_number_of_message: Property[PositiveInt] = Field(
        Property.of(5), description="How many messages are asked for at once; ten at most."
    )
    client_retry_max_attempts: Property[PositiveInt] = Field(
        Property.of(3), description="How often a request is tried before the listener fails, and is opened again."
    )

    def client(self, context: RunContext, service: str, **options: Any) -> Any:
        """Return a client that tries as often as is wanted."""
        tries = {"total_max_attempts": context.render(self.client_retry_max_attempts), "mode": "standard"}
        return super().client(context, service, retries=tries, **options)

    def together(self, context: RunContext) -> int:
        """Return how many messages are asked for at once."""
        return min(_TOGETHER, context.render(self.max_number_of_message))

    def patience(self, context: RunContext) -> float:
        """Return the longest time to wait."""
        return context.render(self.wait_time).total_seconds()
