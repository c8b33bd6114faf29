"""`Produce`: records for a topic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pydantic import Field

from penstock.builtin.kafka.connection import ANSWER, Cluster, Complaints, KafkaError, failure, translated
from penstock.builtin.kafka.registry import SchemaRegistry
from penstock.builtin.kafka.serdes import SerdeType, Writing, writing
from penstock.builtin.messages.sending import MessageError, Published, Sending, sent
from penstock.builtin.serdes.files import library
from penstock.sdk import Property, RunContext, json_text
from penstock.sdk.items import stop_if_killed

if TYPE_CHECKING:
    from confluent_kafka import Producer

_LOOK = 0.5


class Produce(Cluster, Sending):
    """Send records to a Kafka topic. Needs `penstock[kafka]`.

    A record is a map with `value`, and any of `key`, `headers`, `partition`, `timestamp` and a `topic` of its own. All
    are sent in one transaction: those who read see all of them or none.

    ```yaml
    - id: orders
      type: io.kestra.plugin.kafka.Produce
      topic: orders
      properties:
        bootstrap.servers: localhost:9092
      keySerializer: STRING
      valueSerializer: JSON
      from:
        - key: "7"
          value: {number: 7}
          headers: {origin: shop}
    ```

    Implements ENG-312.
    """

    type_name = "io.kestra.plugin.kafka.Produce"

    topic: Property[str] | None = Field(None, description="Where records go that name no topic of their own.")
    key_serializer: Property[SerdeType] = Field(Property.of("STRING"), description="How keys are written.")
    value_serializer: Property[SerdeType] = Field(Property.of("STRING"), description="How values are written.")
    key_avro_schema: Property[str] | None = Field(None, description="The schema of keys, as JSON, for AVRO.")
    value_avro_schema: Property[str] | None = Field(None, description="The schema of values, as JSON, for AVRO.")
    transactional: Property[bool] = Field(
        Property.of(True), description="Whether the records are sent all or none, in a transaction."
    )

    def run(self, context: RunContext) -> Published:
        """Send, and wait until the cluster has everything."""
        return Published(messages_count=self.send_all(context, self.outgoing_fields(context)))

    def send_all(self, context: RunContext, outgoing: Iterable[Mapping[str, Any]]) -> int:
        """Send records, and return how many there were when the cluster has everything."""
        complaints, in_transaction = Complaints(), context.render(self.transactional)
        unique = {"transactional.id": f"penstock-{uuid4()}"} if in_transaction else {}
        settings = self.settings(context, complaints, unique)
        with translated(complaints):
            producer: Producer = library("confluent_kafka", "kafka").Producer(settings)
            records = _Records(self, context, producer)
            with _transaction(producer) if in_transaction else _reached(producer):
                count = sent(context, outgoing, records.send)
                records.settle(complaints)
        return count

    def writers(self, context: RunContext, topic: str) -> tuple[Writing, Writing]:
        """Return how keys and values of a topic are written."""
        registry = SchemaRegistry(context.render(self.serde_properties))
        key, value = context.render(self.key_serializer), context.render(self.value_serializer)
        return (
            writing(key, registry, f"{topic}-key", context.render(self.key_avro_schema)),
            writing(value, registry, f"{topic}-value", context.render(self.value_avro_schema)),
        )


class _Records:
    """Records on their way."""

    def __init__(self, task: Produce, context: RunContext, producer: Producer) -> None:
        self._task = task
        self._context = context
        self._producer = producer
        self._topic = context.render(task.topic)
        self._writers: dict[str, tuple[Writing, Writing]] = {}
        self._refused: Any = None

    def send(self, record: Mapping[str, Any]) -> None:
        """Hand one to the client, which sends many at once."""
        topic = record.get("topic") or self._topic
        if not topic:
            raise MessageError("it is not said where a record goes", hint="set `topic`")
        if topic not in self._writers:
            self._writers[topic] = self._task.writers(self._context, topic)
        key, value = self._writers[topic]
        whole: dict[str, Any] = {
            "topic": topic,
            "key": key(record.get("key")),
            "value": value(record.get("value")),
            "headers": _headers(record.get("headers")),
            "partition": -1 if record.get("partition") is None else int(record["partition"]),
            "timestamp": _milliseconds(record.get("timestamp")),
            "on_delivery": self._delivered,
        }
        while True:
            try:
                self._producer.produce(**whole)
                break
            except BufferError:  # as many are under way as there may be
                self._producer.poll(_LOOK)
                stop_if_killed(self._context)
        self._producer.poll(0)

    def settle(self, complaints: Complaints) -> None:
        """Wait until the cluster has everything.

        Raises:
            KafkaError: It does not take it.
        """
        left = self._producer.flush(ANSWER)
        if self._refused is not None:
            raise failure(self._refused, complaints)
        if left:
            raise KafkaError(f"the cluster does not take the records: {complaints.named('no answer')}")

    def _delivered(self, error: Any, _message: Any) -> None:
        self._refused = self._refused or error


@contextmanager
def _transaction(producer: Producer) -> Iterator[None]:
    """Count what is sent only if nothing fails until the end."""
    producer.init_transactions(ANSWER)
    producer.begin_transaction()
    try:
        yield
    except BaseException:
        producer.purge()
        producer.abort_transaction(ANSWER)
        raise
    producer.commit_transaction(ANSWER)


@contextmanager
def _reached(producer: Producer) -> Iterator[None]:
    """See that somebody is there, whom the client would else wait for, for minutes."""
    producer.list_topics(timeout=ANSWER)
    yield


def _headers(given: Any) -> list[tuple[str, str | bytes | None]]:
    """Return headers: of a map, or of a list of them as records are read with."""
    maps = given if isinstance(given, list) else [given or {}]
    if not all(isinstance(one, Mapping) for one in maps):
        raise MessageError("headers are no map", hint='write them like {"origin": "shop"}')
    return [(str(name), None if value is None else json_text(value)) for one in maps for name, value in one.items()]


def _milliseconds(given: Any) -> int:
    """Return an instant as the cluster counts it; 0 for now."""
    if given is None:
        return 0
    try:
        found = datetime.fromisoformat(given) if isinstance(given, str) and not given.isdigit() else given
        if isinstance(found, datetime):
            found = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1_000
        return int(found)
    except (ValueError, TypeError):
        raise MessageError(f"{given} is no instant", hint="write one like 2030-01-31T08:00:00Z") from None
