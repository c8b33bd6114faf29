"""`Publish`, `Subscribe`, and the triggers on topics."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.messages.payloads import Serde, encoded
from penstock.builtin.messages.receiving import BatchTrigger, Consumed, ConsumeTask, MessageTrigger, Subscribing
from penstock.builtin.messages.sending import Published, Sending, sent
from penstock.builtin.mqtt.address import Broker
from penstock.builtin.mqtt.client import TopicSource, connected
from penstock.sdk import Output, Property, RunContext

Qos = Literal[0, 1, 2]
_TOGETHER = 1_000
"""How many messages are under way before the broker's answers are waited for."""


class Publish(Broker, Sending):
    """Send messages to an MQTT topic. Needs `penstock[mqtt]`.

    ```yaml
    - id: measured
      type: io.kestra.plugin.mqtt.Publish
      server: tcp://localhost:1883
      clientId: penstock
      topic: sensors/cpu
      from:
        type: cpu
        value: 1.23
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.mqtt.Publish"

    topic: Property[str] = Field(description="Where the messages go.")
    serde_type: Property[Serde] = Field(Property.of("JSON"), description="How messages are written.")
    qos: Property[Qos] = Field(
        Property.of(1), description="How sure delivery is: 0 at most once, 1 at least once, 2 exactly once."
    )
    retain: Property[bool] = Field(
        Property.of(False), description="Whether the topic keeps the message for those who come later."
    )

    def run(self, context: RunContext) -> Published:
        """Send, and wait until the broker has everything."""
        topic, serde = context.render(self.topic), context.render(self.serde_type)
        qos, retain = int(context.render(self.qos)), context.render(self.retain)
        name = context.render(self.client_id) or f"penstock-{uuid.uuid4().hex}"
        waiting: list[Any] = []
        with connected(self, context, name) as connection:

            def send(message: Any) -> None:
                waiting.append(connection.publish(topic, encoded(message, serde), qos, retain=retain))
                if len(waiting) >= _TOGETHER:
                    connection.settle(waiting)
                    waiting.clear()

            count = sent(context, self.outgoing(context), send)
            connection.settle(waiting)
        return Published(messages_count=count)


class Topics(Broker, Subscribing):
    """Topics that messages come from."""

    topic: Property[str | list[str]] = Field(description="The topic, or several; `+` and `#` are wildcards.")
    serde_type: Property[Serde] = Field(Property.of("JSON"), description="How messages are read.")
    qos: Property[Qos] = Field(
        Property.of(1),
        description="How sure delivery is: 0 at most once, 1 at least once. 2 counts as 1, by which none is lost.",
    )

    @contextmanager
    def subscription(self, context: RunContext) -> Iterator[TopicSource]:
        """Subscribe. Under a name that is always the same, the broker gathers while nobody is connected."""
        given = context.render(self.topic)
        topics = [given] if isinstance(given, str) else given
        name = context.render(self.client_id) or self.kept_as(context)
        client_id = name or f"penstock-{uuid.uuid4().hex}"
        with connected(self, context, client_id, is_kept=name is not None) as connection:
            connection.subscribe(topics, min(int(context.render(self.qos)), 1))
            yield TopicSource(connection, context, context.render(self.serde_type))


class Subscribe(Topics, ConsumeTask):
    """Write the messages of MQTT topics to a file. Needs `penstock[mqtt]`.

    Set `maxRecords` or `maxDuration`; with neither it ends when no more come. With a `clientId` the broker keeps
    messages for the next time.

    ```yaml
    - id: measured
      type: io.kestra.plugin.mqtt.Subscribe
      server: tcp://localhost:1883
      clientId: penstock
      topic: [sensors/cpu, sensors/memory]
      maxRecords: 10
      maxDuration: PT10S
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.mqtt.Subscribe"
    output_type: ClassVar[type[Output] | None] = Consumed


class Trigger(Topics, BatchTrigger):
    """Look for messages of MQTT topics every `interval`, and start the flow with them. Needs `penstock[mqtt]`.

    The flow reads `trigger.uri`, a file of messages, and `trigger.messagesCount`. Between two looks the broker keeps
    messages under `clientId`.

    ```yaml
    triggers:
      - id: measured
        type: io.kestra.plugin.mqtt.Trigger
        server: tcp://localhost:1883
        clientId: penstock
        topic: sensors/+
        maxRecords: 1000
        interval: PT30S
    ```

    Implements ENG-270, ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.mqtt.Trigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"messagesCount", "uri"})


class TopicTrigger(Topics, MessageTrigger):
    """Start the flow for each message of MQTT topics as soon as it comes. Needs `penstock[mqtt]`.

    The flow reads `trigger.payload`, `trigger.topic`, `trigger.qos`, `trigger.retain`, `trigger.id` and
    `trigger.properties`. A message is acknowledged when its execution is stored.

    ```yaml
    triggers:
      - id: measured
        type: io.kestra.plugin.mqtt.RealtimeTrigger
        server: tcp://localhost:1883
        clientId: penstock
        topic: sensors/cpu
        serdeType: JSON
    ```

    Implements ENG-311, ENG-312.
    """

    type_name = "io.kestra.plugin.mqtt.RealtimeTrigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset(
        {"id", "topic", "qos", "retain", "properties", "payload"}
    )
