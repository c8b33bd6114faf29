"""`Publish`, `Consume`, and the triggers on queues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from penstock.builtin.amqp.connection import Broker, channel, translated
from penstock.builtin.messages.payloads import TextSerde, decoded, encoded
from penstock.builtin.messages.receiving import (
    BatchTrigger,
    ConsumedCount,
    ConsumeTask,
    MessageTrigger,
    Received,
    Subscribing,
)
from penstock.builtin.messages.sending import MessageError, Published, Sending, sent
from penstock.builtin.serdes.files import library
from penstock.sdk import Output, Property, RunContext

if TYPE_CHECKING:
    from pika import BasicProperties  # type: ignore[import-untyped]
    from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]

_FEW = 100
"""How many messages a listener keeps from others."""
_FIELDS: Mapping[str, str] = {
    "contentType": "content_type",
    "contentEncoding": "content_encoding",
    "headers": "headers",
    "deliveryMode": "delivery_mode",
    "priority": "priority",
    "messageId": "message_id",
    "correlationId": "correlation_id",
    "replyTo": "reply_to",
    "expiration": "expiration",
    "timestamp": "timestamp",
    "type": "type",
    "userId": "user_id",
    "appId": "app_id",
}
"""How flows name the properties of a message, and how the client library does."""


class Publish(Broker, Sending):
    """Send messages to an exchange of an AMQP broker. Needs `penstock[amqp]`.

    A message is a map with `data`, and any of `contentType`, `contentEncoding`, `headers`, `deliveryMode`, `priority`,
    `messageId`, `correlationId`, `replyTo`, `expiration`, `timestamp`, `type`, `userId` and `appId`. Each is confirmed
    by the broker.

    ```yaml
    - id: order
      type: io.kestra.plugin.amqp.Publish
      host: localhost
      username: guest
      password: "{{ secret('AMQP_PASSWORD') }}"
      exchange: orders
      routingKey: new
      from:
        - data: first
          headers: {origin: shop}
        - data: second
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.amqp.Publish"

    exchange: Property[str] = Field(description="The exchange; an empty one sends to the queue `routingKey`.")
    routing_key: Property[str] | None = Field(None, description="By what the exchange decides on queues.")
    serde_type: Property[TextSerde] = Field(Property.of("STRING"), description="How `data` is written.")

    def run(self, context: RunContext) -> Published:
        """Send, each with a confirmation."""
        exchange, key = context.render(self.exchange), context.render(self.routing_key, "")
        serde = context.render(self.serde_type)
        with channel(self, context) as open_channel:
            open_channel.confirm_delivery()

            def send(message: Mapping[str, Any]) -> None:
                body = encoded(message.get("data", ""), serde)
                open_channel.basic_publish(exchange, key, body, _properties(message))

            count = sent(context, self.outgoing_fields(context), send)
        return Published(messages_count=count)


class Queue(Broker, Subscribing):
    """A queue that messages come from."""

    queue: Property[str] = Field(description="The queue.")
    serde_type: Property[TextSerde] = Field(Property.of("STRING"), description="How `data` is read.")
    consumer_tag: Property[str] = Field(Property.of("Penstock"), description="The consumer's name at the broker.")
    auto_ack: Property[bool] = Field(
        Property.of(False),
        description="Let the broker forget messages as soon as it has given them out; some may get lost then.",
    )

    def together(self, context: RunContext) -> int:
        """Return how many messages may be here before the first is acknowledged; 0 for all."""
        return 0

    @contextmanager
    def subscription(self, context: RunContext) -> Iterator[QueueSource]:
        """Subscribe."""
        with channel(self, context) as open_channel:
            forgets = context.render(self.auto_ack)
            source = QueueSource(open_channel, context, context.render(self.serde_type), forgets=forgets)
            with translated():
                open_channel.basic_qos(prefetch_count=self.together(context))
            source.begin(context.render(self.queue), context.render(self.consumer_tag))
            yield source


class QueueSource:
    """Messages of a queue."""

    def __init__(self, open_channel: BlockingChannel, context: RunContext, serde: TextSerde, *, forgets: bool) -> None:
        self._channel = open_channel
        self._context = context
        self._serde: TextSerde = serde
        self._forgets = forgets
        self._ready: list[Received] = []

    def begin(self, queue: str, tag: str) -> None:
        """Ask for the messages."""
        self._channel.basic_consume(queue, self._take, auto_ack=self._forgets, consumer_tag=tag)

    def receive(self, seconds: float) -> Received | None:
        """Return the next message."""
        with translated():
            if not self._ready:
                self._channel.connection.process_data_events(max(seconds, 0.01))
        return self._ready.pop(0) if self._ready else None

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Let the broker forget messages."""
        if self._forgets:
            return
        with translated():
            for message in messages:
                self._channel.basic_ack(message.token)
            self._channel.connection.process_data_events(0)

    def _take(self, _channel: Any, method: Any, properties: BasicProperties, body: bytes) -> None:
        known = {name: getattr(properties, other) for name, other in _FIELDS.items()}
        if isinstance(known["timestamp"], int):
            known["timestamp"] = datetime.fromtimestamp(known["timestamp"], UTC)
        fields = {name: value for name, value in known.items() if value is not None}
        self._ready.append(Received({**fields, "data": decoded(self._context, body, self._serde)}, method.delivery_tag))


class Consume(Queue, ConsumeTask):
    """Write the messages of a queue to a file. Needs `penstock[amqp]`.

    Set `maxRecords` or `maxDuration`; with neither it ends when no more come.

    ```yaml
    - id: orders
      type: io.kestra.plugin.amqp.Consume
      host: localhost
      queue: orders
      serdeType: JSON
      maxRecords: 100
      maxDuration: PT10S
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.amqp.Consume"
    output_type: ClassVar[type[Output] | None] = ConsumedCount
    count_name: ClassVar[str] = "count"


class Trigger(Queue, BatchTrigger):
    """Look for messages of a queue every `interval`, and start the flow with them. Needs `penstock[amqp]`.

    The flow reads `trigger.uri`, a file of messages, and `trigger.count`.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.amqp.Trigger
        host: localhost
        queue: orders
        maxRecords: 1000
        interval: PT30S
    ```

    Implements ENG-270, ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.amqp.Trigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"count", "uri"})
    count_name: ClassVar[str] = "count"


class QueueTrigger(Queue, MessageTrigger):
    """Start the flow for each message of a queue as soon as it comes. Needs `penstock[amqp]`.

    The flow reads `trigger.data`, and what the message has besides, such as `trigger.headers`. A message is
    acknowledged when its execution is stored.

    ```yaml
    triggers:
      - id: order
        type: io.kestra.plugin.amqp.RealtimeTrigger
        host: localhost
        queue: orders
        serdeType: JSON
    ```

    Implements ENG-311, ENG-312.
    """

    type_name = "io.kestra.plugin.amqp.RealtimeTrigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({*_FIELDS, "data"})

    def together(self, context: RunContext) -> int:
        """Return a few: others may listen, too."""
        return _FEW


def _properties(message: Mapping[str, Any]) -> BasicProperties:
    """Return what a message has besides its data.

    Raises:
        MessageError: It has something that messages have not.
    """
    unknown = message.keys() - _FIELDS.keys() - {"data"}
    if unknown:
        hint = f"a message has data, {', '.join(_FIELDS)}"
        raise MessageError(f"a message has no `{min(unknown)}`", hint=hint)
    known = {_FIELDS[name]: _plain(value) for name, value in message.items() if name != "data" and value is not None}
    made: BasicProperties = library("pika", "amqp").BasicProperties(**known)
    return made


def _plain(value: Any) -> Any:
    return int(value.timestamp()) if isinstance(value, datetime) else value
