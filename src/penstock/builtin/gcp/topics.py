"""Pub/Sub: `Publish`, `Consume`, and the triggers on subscriptions."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.gcp.account import Account, GcpError, translated
from penstock.builtin.messages.payloads import Serde, decoded, encoded
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

_TOGETHER = 100
"""How many messages are asked for at once, at most."""
_ON_THE_WAY = 1000
"""How many messages may be sent before the service has said that it has them."""
_HELD = 600
"""Seconds for which a message that was given out is kept from others: the most that the service allows."""
_ANSWER = 60.0
"""Seconds until a request has failed."""
_FIELDS = {"data", "attributes", "messageId", "orderingKey"}


class Topic(Account):
    """A topic."""

    topic: Property[str] = Field(
        description="The topic's name, in the project or with it: projects/shop/topics/orders."
    )
    serde_type: Property[Serde] = Field(Property.of("STRING"), description="How messages are written and read.")

    def channel(self, context: RunContext, transport: Any) -> Mapping[str, Any]:
        """Return how a client of a kind speaks to the service, and as whom; without encryption to an http address."""
        address = context.render(self.endpoint_override) or ""
        if address.startswith("http://"):
            grpc = library("grpc", "gcp")
            return {"transport": transport(channel=grpc.insecure_channel(address.removeprefix("http://").rstrip("/")))}
        options = {"api_endpoint": address.removeprefix("https://")} if address else None
        return {"credentials": self.credentials(context)[0], "client_options": options}

    def full_name(self, context: RunContext, kind: str, name: str) -> str:
        """Return the name of a topic or subscription with its project.

        Raises:
            GcpError: No project is known.
        """
        if name.startswith("projects/"):
            return name
        project = context.render(self.project_id) or self.credentials(context)[1]
        if project is None:
            raise GcpError("no project is known", hint="set `projectId`")
        return f"projects/{project}/{kind}/{name}"


class Publish(Topic, Sending):
    """Send messages to a Pub/Sub topic. Needs `penstock[gcp]`.

    A message is a map with `data`, `attributes` (texts by name), or both; messages with the same `orderingKey` keep
    their order.

    ```yaml
    - id: order
      type: io.kestra.plugin.gcp.pubsub.Publish
      projectId: shop
      topic: orders
      from:
        - data: first
          attributes:
            country: FR
        - data: second
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.gcp.pubsub.Publish"

    def run(self, context: RunContext) -> Published:
        """Send, and return when the service has everything."""
        serde: Serde = context.render(self.serde_type)
        with translated("topic"):
            topic = self.full_name(context, "topics", context.render(self.topic))
            with self._publisher(context) as client:
                on_the_way: list[Any] = []

                def send(message: Mapping[str, Any]) -> None:
                    on_the_way.append(client.publish(topic, timeout=_ANSWER, **_content(message, serde)))
                    if len(on_the_way) == _ON_THE_WAY:
                        _arrived(on_the_way)

                count = sent(context, self.outgoing_fields(context), send)
                _arrived(on_the_way)
        return Published(messages_count=count)

    @contextmanager
    def _publisher(self, context: RunContext) -> Iterator[Any]:
        service = library("google.cloud.pubsub_v1", "gcp")
        transport = library("google.pubsub_v1.services.publisher.transports", "gcp").PublisherGrpcTransport
        options = service.types.PublisherOptions(enable_message_ordering=True)
        client = service.PublisherClient(publisher_options=options, **self.channel(context, transport))
        try:
            yield client
        finally:
            client.stop()
            client.transport.close()


def _arrived(on_the_way: list[Any]) -> None:
    for message in on_the_way:
        message.result()
    on_the_way.clear()


def _content(message: Mapping[str, Any], serde: Serde) -> Mapping[str, Any]:
    unknown = message.keys() - _FIELDS
    if unknown:
        raise MessageError(f"a message has no `{min(unknown)}`", hint="a message has data, attributes and orderingKey")
    attributes = message.get("attributes") or {}
    if not isinstance(attributes, Mapping) or not all(isinstance(value, str) for value in attributes.values()):
        raise MessageError("`attributes` of a message is no map of texts", hint='write it like {"country": "FR"}')
    data = encoded(message["data"], serde) if message.get("data") is not None else b""
    if not data and not attributes:
        raise MessageError("a message is empty", hint="give it `data`, `attributes`, or both")
    return {"data": data, "ordering_key": message.get("orderingKey") or "", **attributes}


class Receiving(Topic, Subscribing):
    """A subscription that messages come from."""

    subscription_: Property[str] = Field(
        alias="subscription", description="The subscription's name; what reads under one name shares its messages."
    )
    auto_create_subscription: Property[bool] = Field(
        Property.of(True), description="Make the subscription when there is none; it gets what is sent from then on."
    )

    @contextmanager
    def subscription(self, context: RunContext) -> Iterator[SubscriptionSource]:
        """Open a connection. What was not dealt with is given back at its end."""
        with translated("topic or subscription"):
            service = library("google.pubsub_v1.services.subscriber", "gcp")
            transport = library("google.pubsub_v1.services.subscriber.transports", "gcp").SubscriberGrpcTransport
            client = service.SubscriberClient(**self.channel(context, transport))
            try:
                source = SubscriptionSource(client, self, context)
                try:
                    yield source
                finally:
                    source.leave()
            finally:
                client.transport.close()


class SubscriptionSource:
    """Messages of a subscription, some of them asked for at once."""

    def __init__(self, client: Any, reading: Receiving, context: RunContext) -> None:
        self._client = client
        self._context = context
        self._name = reading.full_name(context, "subscriptions", context.render(reading.subscription_))
        self._topic = reading.full_name(context, "topics", context.render(reading.topic))
        self._makes = context.render(reading.auto_create_subscription)
        self._serde: Serde = context.render(reading.serde_type)
        self._ready: list[Received] = []
        self._held: list[str] = []
        self._renewed = time.monotonic()

    def receive(self, seconds: float) -> Received | None:
        """Return the next message."""
        with translated("topic or subscription"):
            if self._held and time.monotonic() - self._renewed > _HELD / 2:
                self._hold(self._held)
            if not self._ready:
                self._ready = self._pulled(seconds)
        return self._ready.pop(0) if self._ready else None

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Tell the service that it may forget messages."""
        done = [message.token for message in messages]
        with translated("topic or subscription"):
            for some in _portions(done):
                self._client.acknowledge(subscription=self._name, ack_ids=some, timeout=_ANSWER)
        gone = set(done)
        self._held = [token for token in self._held if token not in gone]

    def leave(self) -> None:
        """Let others have what was not dealt with, at once."""
        with suppress(GcpError), translated("topic or subscription"):  # else they have it when its time is over
            self._hold(self._held, 0)

    def _pulled(self, seconds: float) -> list[Received]:
        errors = library("google.api_core.exceptions", "gcp")
        # A request that ends before the service has answered may lose what it was about to give until the deadline of
        # the subscription, so that the shortest wait is a second.
        ask = {"subscription": self._name, "max_messages": _TOGETHER}
        try:
            answer = self._client.pull(request=ask, timeout=max(seconds, 1.0), retry=None)
        except errors.DeadlineExceeded:
            return []
        except errors.NotFound:
            if not self._makes:
                raise
            self._make()
            return []
        found = [self._received(one) for one in answer.received_messages]
        if found:
            self._hold([one.token for one in found])
            self._held.extend(one.token for one in found)
        return found

    def _make(self) -> None:
        with suppress(library("google.api_core.exceptions", "gcp").AlreadyExists):
            self._client.create_subscription(name=self._name, topic=self._topic, timeout=_ANSWER)

    def _hold(self, tokens: Sequence[str], seconds: int = _HELD) -> None:
        for some in _portions(tokens):
            ask = {"subscription": self._name, "ack_ids": some, "ack_deadline_seconds": seconds}
            self._client.modify_ack_deadline(request=ask, timeout=_ANSWER)
        self._renewed = time.monotonic()

    def _received(self, received: Any) -> Received:
        message = received.message
        fields: dict[str, Any] = {
            "data": decoded(self._context, message.data, self._serde) if message.data else None,
            "attributes": dict(message.attributes),
            "messageId": message.message_id,
            "orderingKey": message.ordering_key or None,
        }
        return Received(fields, received.ack_id, message.message_id)


def _portions(tokens: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield as many as a request may name: each has some hundred characters, and a request half a million."""
    for begin in range(0, len(tokens), _ON_THE_WAY):
        yield tokens[begin : begin + _ON_THE_WAY]


class Consume(Receiving, ConsumeTask):
    """Write the messages of a Pub/Sub subscription to a file. Needs `penstock[gcp]`.

    Set `maxRecords` or `maxDuration`; with neither it ends when no more come.

    ```yaml
    - id: orders
      type: io.kestra.plugin.gcp.pubsub.Consume
      projectId: shop
      topic: orders
      subscription: orders-of-penstock
      maxRecords: 100
      maxDuration: PT10S
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.gcp.pubsub.Consume"
    output_type: ClassVar[type[Output] | None] = ConsumedCount
    count_name: ClassVar[str] = "count"


class TopicBatchTrigger(Receiving, BatchTrigger):
    """Look for messages of a Pub/Sub subscription every `interval`, and start the flow with them.

    Needs `penstock[gcp]`. The flow reads `trigger.uri`, a file with a message on each row, and `trigger.count`.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.gcp.pubsub.Trigger
        projectId: shop
        topic: orders
        subscription: orders-of-penstock
        maxRecords: 1000
        interval: PT30S
    ```

    Implements ENG-270, ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.gcp.pubsub.Trigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"count", "uri"})
    count_name: ClassVar[str] = "count"


class TopicTrigger(Receiving, MessageTrigger):
    """Start the flow for each message of a Pub/Sub subscription as soon as it comes. Needs `penstock[gcp]`.

    The flow reads `trigger.data`, `trigger.attributes`, `trigger.messageId` and `trigger.orderingKey`. A message is
    acknowledged when its execution is stored.

    ```yaml
    triggers:
      - id: order
        type: io.kestra.plugin.gcp.pubsub.RealtimeTrigger
        projectId: shop
        topic: orders
        subscription: orders-of-penstock
    ```

    Implements ENG-311, ENG-312.
    """

    type_name = "io.kestra.plugin.gcp.pubsub.RealtimeTrigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"data", "attributes", "messageId", "orderingKey"})
    wait: ClassVar[float] = 5.0
