"""Event Hubs: `Produce`, `Consume`, and the triggers on event hubs."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.azure.namespaces import EventHubsError, Hub
from penstock.builtin.kafka.consuming import RecordSource, Topics
from penstock.builtin.kafka.producing import Produce as KafkaProduce
from penstock.builtin.messages.payloads import Serde, decoded, encoded
from penstock.builtin.messages.receiving import BatchTrigger, ConsumeTask, MessageTrigger, Received, Subscribing
from penstock.builtin.messages.sending import MessageError, Sending
from penstock.sdk import Output, Property, RunContext

BodySerde = Literal["STRING", "JSON", "BINARY"]
_FIELDS = {"body", "partitionKey", "properties"}
_READ_ONLY = {"enqueuedTimestamp", "offset", "sequenceNumber", "partitionId"}


def _serde(name: BodySerde) -> Serde:
    return "BYTES" if name == "BINARY" else name


class ProducedEvents(Output):
    """What `Produce` gives."""

    events_count: int = Field(description="How many events were sent.")


class Produce(Hub, Sending):
    """Send events to an event hub of Azure. Needs `penstock[kafka]`.

    An event is a map with `body`, and any of `partitionKey` and `properties`, a map of texts.

    ```yaml
    - id: orders
      type: io.kestra.plugin.azure.eventhubs.Produce
      namespace: shop
      eventHubName: orders
      connectionString: "{{ secret('EVENTHUBS_CONNECTION') }}"
      bodySerializer: JSON
      from:
        - body: {number: 7}
          partitionKey: paris
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.azure.eventhubs.Produce"
    output_type: ClassVar[type[Output] | None] = ProducedEvents

    body_serializer: Property[BodySerde] = Field(Property.of("STRING"), description="How bodies are written.")
    partition_key: Property[str] | None = Field(
        None, description="The partition key of events that have none: events with the same keep their order."
    )
    event_properties: Property[dict[str, str]] = Field(
        Property.of({}), description="Properties of all events, besides their own."
    )

    def run(self, context: RunContext) -> ProducedEvents:
        """Send, and return when the event hub has everything."""
        producing = KafkaProduce(
            id=self.id,
            type=KafkaProduce.type_name,
            properties=Property.of(dict(self.kafka_properties(context))),
            topic=self.event_hub_name,
            value_serializer=Property.of("BYTES"),
            transactional=Property.of(False),
            **{"from": Property.of([])},
        )
        return ProducedEvents(events_count=producing.send_all(context, self._records(context)))

    def _records(self, context: RunContext) -> Iterator[Mapping[str, Any]]:
        serde = _serde(context.render(self.body_serializer))
        key, properties = context.render(self.partition_key), context.render(self.event_properties)
        for event in self.outgoing_fields(context):
            unknown = event.keys() - _FIELDS - _READ_ONLY
            if unknown:
                raise MessageError(
                    f"an event has no `{min(unknown)}`", hint=f"an event has {', '.join(sorted(_FIELDS))}"
                )
            body = event.get("body")
            yield {
                "key": event.get("partitionKey") or key,
                "value": None if body is None else base64.b64encode(encoded(body, serde)).decode(),
                "headers": {**properties, **(event.get("properties") or {})},
            }


class Receiving(Hub, Subscribing):
    """An event hub that events come from."""

    consumer_group: Property[str] = Field(
        Property.of("$Default"), description="The group whose place the event hub remembers."
    )
    body_deserializer: Property[BodySerde] = Field(Property.of("STRING"), description="How bodies are read.")
    partition_starting_position: Property[Literal["EARLIEST", "LATEST", "INSTANT"]] = Field(
        Property.of("EARLIEST"), description="Where to begin while the group has no place yet."
    )
    enqueue_time: Property[datetime] | None = Field(None, description="With INSTANT: begin with events of this time.")
    checkpoint_store_properties: Property[dict[str, str]] = Field(
        Property.of({}), description="Of no effect: the event hub itself remembers the group's place."
    )

    @contextmanager
    def subscription(self, context: RunContext) -> Iterator[EventSource]:
        """Become one of the group."""
        begin = context.render(self.partition_starting_position)
        since = self.enqueue_time if begin == "INSTANT" else None
        if begin == "INSTANT" and since is None:
            raise EventHubsError("it is not said from when on to read", hint="set `enqueueTime`")
        reset = "latest" if begin == "LATEST" else "earliest"
        topics = Topics(
            properties=Property.of({**self.kafka_properties(context), "auto.offset.reset": reset}),
            topic=Property.of(context.render(self.event_hub_name)),
            group_id=self.consumer_group,
            since=since,
            value_deserializer=Property.of("BYTES"),
        )
        with topics.subscription(context) as records:
            yield EventSource(records, context, _serde(context.render(self.body_deserializer)))


class EventSource:
    """Events of an event hub, which come as records."""

    def __init__(self, records: RecordSource, context: RunContext, serde: Serde) -> None:
        self._records = records
        self._context = context
        self._serde = serde

    def receive(self, seconds: float) -> Received | None:
        """Return the next event."""
        found = self._records.receive(seconds)
        return None if found is None else Received(self._fields(found.fields), found.token, found.key)

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Have the event hub remember how far the group has come."""
        self._records.acknowledge(messages)

    def _fields(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        value = record["value"]
        return {
            "body": None if value is None else decoded(self._context, base64.b64decode(value), self._serde),
            "partitionKey": record["key"],
            "properties": {name: text for one in record["headers"] for name, text in one.items()},
            "enqueuedTimestamp": record["timestamp"],
            "sequenceNumber": record["offset"],
            "partitionId": str(record["partition"]),
        }


class ConsumedEvents(Output):
    """What `Consume` gives."""

    events_count: int = Field(description="How many events were received.")
    uri: str = Field(description="The file in internal storage, with an event on each row.")


class Consume(Receiving, ConsumeTask):
    """Write the events of an event hub of Azure to a file. Needs `penstock[kafka]`.

    ```yaml
    - id: orders
      type: io.kestra.plugin.azure.eventhubs.Consume
      namespace: shop
      eventHubName: orders
      connectionString: "{{ secret('EVENTHUBS_CONNECTION') }}"
      bodyDeserializer: JSON
      maxDuration: PT30S
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.azure.eventhubs.Consume"
    output_type: ClassVar[type[Output] | None] = ConsumedEvents
    count_name: ClassVar[str] = "eventsCount"

    max_duration: Property[timedelta] | None = Field(
        Property.of(timedelta(seconds=10)), description="The longest time to gather events."
    )


class EventBatchTrigger(Receiving, BatchTrigger):
    """Look for events of an event hub of Azure every `interval`, and start the flow with them.

    Needs `penstock[kafka]`. The flow reads `trigger.uri`, a file of events, and `trigger.eventsCount`.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.azure.eventhubs.Trigger
        namespace: shop
        eventHubName: orders
        connectionString: "{{ secret('EVENTHUBS_CONNECTION') }}"
        interval: PT30S
    ```

    Implements ENG-270, ENG-307.
    """

    type_name = "io.kestra.plugin.azure.eventhubs.Trigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"eventsCount", "uri"})
    count_name: ClassVar[str] = "eventsCount"

    max_duration: Property[timedelta] | None = Field(
        Property.of(timedelta(seconds=10)), description="The longest time to gather events."
    )


class EventTrigger(Receiving, MessageTrigger):
    """Start the flow for each event of an event hub of Azure as soon as it comes. Needs `penstock[kafka]`.

    The flow reads `trigger.body`, `trigger.properties`, `trigger.partitionKey`, `trigger.enqueuedTimestamp`,
    `trigger.sequenceNumber` and `trigger.partitionId`. The group's place is moved on when the execution is stored.

    ```yaml
    triggers:
      - id: order
        type: io.kestra.plugin.azure.eventhubs.RealtimeTrigger
        namespace: shop
        eventHubName: orders
        connectionString: "{{ secret('EVENTHUBS_CONNECTION') }}"
        bodyDeserializer: JSON
        consumerGroup: "$Default"
    ```

    Implements ENG-311, ENG-312.
    """

    type_name = "io.kestra.plugin.azure.eventhubs.RealtimeTrigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset(
        {"body", "partitionKey", "properties", "enqueuedTimestamp", "sequenceNumber", "partitionId"}
    )
