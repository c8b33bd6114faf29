"""`Consume`, and the triggers on topics."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from pydantic import Field

from penstock.builtin.kafka.connection import ANSWER, Cluster, Complaints, KafkaError, failure, translated
from penstock.builtin.kafka.registry import SchemaRegistry
from penstock.builtin.kafka.serdes import Reading, SerdeType, reading
from penstock.builtin.messages.receiving import (
    BatchTrigger,
    Consumed,
    ConsumeTask,
    MessageTrigger,
    Received,
    Subscribing,
)
from penstock.builtin.serdes.files import library
from penstock.sdk import Output, Property, RunContext

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message, TopicPartition

_LOOK = 0.2
_EARLIEST = ("earliest", "smallest", "beginning")


class Topics(Cluster, Subscribing):
    """Topics that records come from."""

    topic: Property[str | list[str]] | None = Field(None, description="The topic, or several.")
    topic_pattern: Property[str] | None = Field(
        None, description="A regular expression; the topics are those whose whole name it fits."
    )
    partitions: Property[list[int]] | None = Field(
        None, description="Read these partitions alone, and take no part in what a group shares out."
    )
    group_id: Property[str] | None = Field(
        None, description="The group whose place the cluster remembers: what it has dealt with does not come again."
    )
    consumer_group_instance_id: Property[str] | None = Field(
        None, description="A name in the group that is always the same: who comes back under it goes on at once."
    )
    since: Property[datetime] | None = Field(
        None, description="Begin with records of this time, where the group has no place yet."
    )
    key_deserializer: Property[SerdeType] = Field(Property.of("STRING"), description="How keys are read.")
    value_deserializer: Property[SerdeType] = Field(Property.of("STRING"), description="How values are read.")

    @contextmanager
    def subscription(self, context: RunContext) -> Iterator[RecordSource]:
        """Subscribe, and wait until the group has shared out the partitions."""
        group, complaints = (
            context.render(self.group_id) or context.render(self.properties).get("group.id"),
            Complaints(),
        )
        settings = {
            **self.settings(context, complaints, {"allow.auto.create.topics": True}),
            "group.id": group or f"penstock-{uuid4()}",  # of this one no cluster hears
            "enable.auto.commit": False,
            **_named("group.instance.id", context.render(self.consumer_group_instance_id)),
        }
        with translated(complaints):
            consumer: Consumer = library("confluent_kafka", "kafka").Consumer(settings)
        source = RecordSource(consumer, self._read_by(context), complaints, remembers=group is not None)
        try:
            with translated(complaints):
                places = _Places(consumer, context.render(self.since), settings.get("auto.offset.reset"))
                self._begin(context, source, places, group)
            yield source
        finally:
            consumer.close()

    def _begin(self, context: RunContext, source: RecordSource, places: _Places, group: str | None) -> None:
        wanted = self._wanted(context)
        chosen = context.render(self.partitions)
        found = places.partitions(wanted)
        if group is None or chosen is not None:
            source.read([one for one in found if chosen is None or one.partition in chosen], places)
        else:
            source.join([f"^({wanted})$"] if isinstance(wanted, str) else wanted, places)

    def _wanted(self, context: RunContext) -> str | list[str]:
        """Return the topics, or a pattern of them."""
        given, pattern = context.render(self.topic), context.render(self.topic_pattern)
        if given:
            return [given] if isinstance(given, str) else given
        if not pattern:
            raise KafkaError("it is not said which topics", hint="set `topic` or `topicPattern`")
        return pattern

    def _read_by(self, context: RunContext) -> tuple[Reading, Reading]:
        registry = SchemaRegistry(context.render(self.serde_properties))
        key, value = context.render(self.key_deserializer), context.render(self.value_deserializer)
        return reading(context, key, registry), reading(context, value, registry)


class _Places:
    """Where to begin in partitions."""

    def __init__(self, consumer: Consumer, since: datetime | None, otherwise: str | None) -> None:
        self._consumer = consumer
        self._since = since
        self._otherwise = otherwise
        self._kafka = library("confluent_kafka", "kafka")

    def partitions(self, wanted: str | list[str]) -> list[TopicPartition]:
        """Return the partitions of topics.

        Raises:
            KafkaError: The cluster has no such topic.
        """
        topics = self._consumer.list_topics(timeout=ANSWER).topics
        names = [name for name in topics if re.fullmatch(wanted, name)] if isinstance(wanted, str) else wanted
        for name in names:
            if name not in topics:
                self._consumer.list_topics(name, timeout=ANSWER)  # by which some clusters create it
                raise KafkaError(f"there is no topic `{name}`", hint="create it, or see whether its name is right")
        return [self._kafka.TopicPartition(name, number) for name in names for number in topics[name].partitions]

    def alone(self, partitions: Sequence[TopicPartition], *, remembers: bool) -> list[TopicPartition]:
        """Return where one begins who shares nothing: at the group's place, else as is said, else with the first."""
        known = self._consumer.committed(list(partitions), timeout=ANSWER) if remembers else partitions
        fresh = [one for one in known if one.offset < 0]
        begin = self._begin(fresh, otherwise=self._otherwise or "earliest")
        return [one for one in known if one.offset >= 0] + begin

    def note(self, partitions: Sequence[TopicPartition]) -> None:
        """Have the group remember where it begins, or it would miss what comes between two connections."""
        if self._since is None and self._otherwise in _EARLIEST:
            return
        known = self._consumer.committed(list(partitions), timeout=ANSWER)
        fresh = self._begin([one for one in known if one.offset < 0], otherwise=self._otherwise or "latest")
        if fresh:
            self._consumer.commit(offsets=fresh, asynchronous=False)

    def _begin(self, partitions: Sequence[TopicPartition], *, otherwise: str) -> list[TopicPartition]:
        made = self._kafka.TopicPartition
        ends = {(one.topic, one.partition): self._consumer.get_watermark_offsets(one, ANSWER) for one in partitions}
        if self._since is None:
            number = 0 if otherwise in _EARLIEST else 1
            return [made(topic, partition, ends[topic, partition][number]) for topic, partition in ends]
        since = self._since if self._since.tzinfo else self._since.replace(tzinfo=UTC)
        asked = [made(topic, partition, round(since.timestamp() * 1_000)) for topic, partition in ends]
        found = self._consumer.offsets_for_times(asked, timeout=ANSWER) if asked else []
        last = {(one.topic, one.partition): one.offset for one in found}
        return [made(*key, last[key] if last[key] >= 0 else ends[key][1]) for key in ends]


class RecordSource:
    """Records of topics."""

    def __init__(
        self, consumer: Consumer, read_by: tuple[Reading, Reading], complaints: Complaints, *, remembers: bool
    ) -> None:
        self._consumer = consumer
        self._key, self._value = read_by
        self._complaints = complaints
        self._remembers = remembers
        self._ready: list[Message] = []
        self._kafka = library("confluent_kafka", "kafka")

    def read(self, partitions: Sequence[TopicPartition], places: _Places) -> None:
        """Read partitions."""
        self._consumer.assign(places.alone(partitions, remembers=self._remembers))

    def join(self, topics: Sequence[str], places: _Places) -> None:
        """Become one of the group, and wait for its partitions."""
        joined: list[bool] = []

        def assigned(_consumer: Consumer, partitions: list[TopicPartition]) -> None:
            places.note(partitions)
            joined.append(True)

        self._consumer.subscribe(list(topics), on_assign=assigned)
        deadline = time.monotonic() + ANSWER * 2
        while not joined:
            message = self._next(_LOOK)
            if message is not None:
                self._ready.append(message)
            if time.monotonic() > deadline:
                raise KafkaError("the group does not share out its partitions", hint="see who else is in the group")

    def receive(self, seconds: float) -> Received | None:
        """Return the next record."""
        with translated(self._complaints):
            message = self._ready.pop(0) if self._ready else self._next(max(seconds, 0.0))
        if message is None:
            return None
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        headers: Any = message.headers() or ()
        instant = message.timestamp()[1]
        fields = {
            "key": self._key(message.key()),
            "value": self._value(message.value()),
            "headers": [{name: _text(value)} for name, value in headers],
            "topic": topic,
            "partition": partition,
            "timestamp": datetime.fromtimestamp(instant / 1_000, UTC),
            "offset": offset,
        }
        # A topic that is made anew counts from zero again: there its records are others.
        key = f"{topic}:{partition}:{offset}:{instant}" if self._remembers else None
        return Received(fields, (topic, partition, offset), key)

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Have the group remember how far it has come."""
        if not self._remembers or not messages:
            return
        last: dict[tuple[str, int], int] = {}
        for message in messages:
            topic, partition, offset = message.token
            last[topic, partition] = max(offset, last.get((topic, partition), -1))
        places = [self._kafka.TopicPartition(*key, offset + 1) for key, offset in last.items()]
        with translated(self._complaints):
            self._consumer.commit(offsets=places, asynchronous=False)

    def _next(self, seconds: float) -> Message | None:
        message = self._consumer.poll(seconds)
        error = None if message is None else message.error()
        if error is not None:
            raise failure(error, self._complaints)
        return message


class Polled(Topics):
    """Records gathered until no more come for a while."""

    poll_duration: Property[timedelta] = Field(
        Property.of(timedelta(seconds=5)), description="It ends when no record has come for so long."
    )

    def quiet_for(self, context: RunContext) -> timedelta | None:
        """Return how long."""
        return context.render(self.poll_duration)


class Consume(Polled, ConsumeTask):
    """Write the records of Kafka topics to a file. Needs `penstock[kafka]`.

    It ends when no record has come for `pollDuration`, after `maxDuration`, or with the `maxRecords`th record. Without
    a `groupId` it begins with the first record, or at `since`, each time.

    ```yaml
    - id: orders
      type: io.kestra.plugin.kafka.Consume
      topic: orders
      groupId: penstock
      properties:
        bootstrap.servers: localhost:9092
        auto.offset.reset: earliest
      valueDeserializer: JSON
      maxRecords: 1000
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.kafka.Consume"
    output_type: ClassVar[type[Output] | None] = Consumed


class Trigger(Polled, BatchTrigger):
    """Look for records of Kafka topics every `interval`, and start the flow with them. Needs `penstock[kafka]`.

    The flow reads `trigger.uri`, a file of records, and `trigger.messagesCount`. The group's place is moved on when the
    execution is stored.

    ```yaml
    triggers:
      - id: orders
        type: io.kestra.plugin.kafka.Trigger
        topic: orders
        groupId: penstock
        properties:
          bootstrap.servers: localhost:9092
        maxRecords: 1000
        interval: PT30S
    ```

    Implements ENG-270, ENG-307, ENG-309.
    """

    type_name = "io.kestra.plugin.kafka.Trigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset({"messagesCount", "uri"})


class RecordTrigger(Topics, MessageTrigger):
    """Start the flow for each record of Kafka topics as soon as it comes. Needs `penstock[kafka]`.

    The flow reads `trigger.value`, `trigger.key`, `trigger.headers`, `trigger.topic`, `trigger.partition`,
    `trigger.offset` and `trigger.timestamp`. The group's place is moved on when the execution is stored.

    ```yaml
    triggers:
      - id: order
        type: io.kestra.plugin.kafka.RealtimeTrigger
        topic: orders
        groupId: penstock
        properties:
          bootstrap.servers: localhost:9092
        valueDeserializer: JSON
    ```

    Implements ENG-311, ENG-312.
    """

    type_name = "io.kestra.plugin.kafka.RealtimeTrigger"
    variable_names: ClassVar[frozenset[str] | None] = frozenset(
        {"key", "value", "headers", "topic", "partition", "timestamp", "offset"}
    )


def _named(name: str, value: Any) -> dict[str, Any]:
    return {} if value is None else {name: value}


def _text(value: str | bytes | None) -> str | None:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
