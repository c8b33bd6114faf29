"""Kafka topics, on a real broker."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from penstock.builtin.kafka.connection import Complaints, KafkaError
from penstock.builtin.kafka.consuming import Consume, RecordTrigger, Trigger
from penstock.builtin.kafka.producing import Produce
from penstock.builtin.kafka.registry import SchemaRegistry
from penstock.builtin.kafka.serdes import reading, writing
from penstock.builtin.messages.sending import MessageError
from penstock.sdk import TriggerEvent
from tests.builtin.messages.conftest import Bench
from tests.builtin.messages.schema_registry import Registry
from tests.builtin.polling.conftest import Polled
from tests.support.serving import serving

QUIET = {"pollDuration": "PT0.2S"}
"""Where no records are expected."""
PATIENT = {"pollDuration": "PT1M"}
"""Where as many are expected as `maxRecords` names."""


@pytest.fixture(scope="module")
def admin(kafka: str) -> Iterator[AdminClient]:
    with AdminClient({"bootstrap.servers": kafka, "log_level": 0}) as client:
        yield client


@pytest.fixture
def at(bench: Bench, kafka: str, admin: AdminClient) -> dict[str, Any]:
    """Give the properties of the test's own topic, which has two partitions."""
    create(admin, bench.name)
    return {"topic": bench.name, "properties": {"bootstrap.servers": kafka}}


def create(admin: AdminClient, *names: str) -> None:
    for done in admin.create_topics([NewTopic(name, 2) for name in names]).values():
        done.result()


def produce(bench: Bench, at: dict[str, Any], *records: Any, **more: Any) -> int:
    whole = [one if isinstance(one, dict) else {"value": one, "partition": 0} for one in records]
    count: int = bench.run(Produce, **{**at, "from": whole, **more}).messages_count
    return count


def group(bench: Bench, at: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the properties of who reads as a group, from the beginning."""
    properties = {**at["properties"], "auto.offset.reset": "earliest"}
    return {**at, "properties": properties, "groupId": bench.name, **more}


def values(items: list[Any]) -> list[Any]:
    return [one["value"] for one in items]


def test_consume_records_there_gives_a_file_with_all_they_have(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-312."""
    sent = [
        {"key": "7", "value": {"n": 1}, "headers": {"origin": "shop", "size": 3}, "partition": 1,
         "timestamp": "2030-01-31T08:00:00Z"},
        {"value": None, "partition": 1},
    ]  # fmt: skip
    assert produce(bench, at, *sent, valueSerializer="JSON") == 2
    found = bench.run(Consume, **at, valueDeserializer="JSON", maxRecords=2, **PATIENT)
    assert found["messagesCount"] == 2
    first, second = bench.stored(found)
    assert first.pop("timestamp").isoformat() == "2030-01-31T08:00:00+00:00"
    assert first == {"key": "7", "value": {"n": 1}, "headers": [{"origin": "shop"}, {"size": "3"}], "topic": bench.name,
                     "partition": 1, "offset": 0}  # fmt: skip
    assert (second["key"], second["value"], second["offset"]) == (None, None, 1)
    copied = {key: value for key, value in first.items() if key != "offset"}
    assert produce(bench, at, copied, valueSerializer="JSON") == 1
    assert bench.stored(bench.run(Consume, **at, maxRecords=3, **PATIENT))[-1]["headers"] == first["headers"]


@pytest.mark.parametrize(
    ("serde", "sent", "read"),
    [
        ("STRING", "7", "7"),
        ("INTEGER", 7, 7),
        ("LONG", "-7", -7),
        ("SHORT", 7, 7),
        ("FLOAT", 0.5, 0.5),
        ("DOUBLE", 0.1, 0.1),
        ("BYTES", "AAH/", "AAH/"),
        ("UUID", "1B4E28BA-2FA1-11D2-883F-0016D3CCA427", "1b4e28ba-2fa1-11d2-883f-0016d3cca427"),
        ("JSON", [None, 1.5], [None, 1.5]),
        ("VOID", "seen by nobody", None),
    ],
)
def test_record_is_read_as_it_was_written(serde: Any, sent: Any, read: Any, bench: Bench) -> None:
    registry, context = SchemaRegistry({}), bench.context()
    written = writing(serde, registry, "any", None)(sent)
    assert reading(context, serde, registry)(written) == read


def test_consume_records_of_another_form_hands_them_on(bench: Bench, at: dict[str, Any]) -> None:
    produce(bench, at, "no number")
    for serde, read in (("INTEGER", "bm8gbnVtYmVy"), ("AVRO", "bm8gbnVtYmVy"), ("JSON", "no number")):
        assert values(bench.stored(bench.run(Consume, **at, valueDeserializer=serde, maxRecords=1, **PATIENT))) == [
            read
        ]


SCHEMA = json.dumps({"type": "record", "name": "order", "fields": [{"name": "n", "type": "int"}]})


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving(Registry()) as found:
        yield found


def test_avro_record_is_read_with_the_schema_the_registry_has(
    bench: Bench, at: dict[str, Any], registry: Registry
) -> None:
    """ENG-312."""
    user = {"basic.auth.user.info": f"{registry.user}:{registry.password}"}
    at["serdeProperties"] = {"schema.registry.url": registry.url, **user}
    by = {"valueSerializer": "AVRO", "valueAvroSchema": SCHEMA}
    assert produce(bench, at, {"value": {"n": 1}}, {"value": {"n": 2}}, {"value": None}, **by) == 3
    assert registry.subjects == {f"{bench.name}-value": [1]}
    found = bench.stored(bench.run(Consume, **at, valueDeserializer="AVRO", maxRecords=3, **PATIENT))
    assert sorted(values(found), key=str) == [None, {"n": 1}, {"n": 2}]
    with pytest.raises(MessageError, match="schema"):
        produce(bench, at, {"value": {"m": 1}}, **by)


def test_avro_registry_that_does_not_help_says_what_is_wrong(
    bench: Bench, at: dict[str, Any], registry: Registry
) -> None:
    wrong = {"schema.registry.url": registry.url, "basic.auth.user.info": "reader:no-such-word"}
    for properties, schema, said in (
        ({}, SCHEMA, "needs a schema registry"),
        ({}, None, "needs a schema"),
        ({}, "{}", "schema is wrong"),
        (wrong, SCHEMA, "answered 401"),
        ({"schema.registry.url": "http://127.0.0.1:1"}, SCHEMA, "cannot be reached"),
    ):
        with pytest.raises(KafkaError, match=said) as caught:
            produce(bench, at, 1, serdeProperties=properties, valueSerializer="AVRO", valueAvroSchema=schema)
        assert caught.value.hint
        assert "no-such-word" not in str(caught.value)


def test_settings_of_java_clients_are_those_of_this_one(bench: Bench) -> None:
    properties = {
        "bootstrap.servers": "host:9092",
        "security.protocol": "SASL_SSL",
        "sasl.jaas.config": 'org.example.PlainLoginModule required username="reader" password="s3\\"cret;";',
        "ssl.truststore.location": "/ca.pem",
        "value.deserializer": "org.example.StringDeserializer",
        "max.poll.records": 100,
    }
    task = bench.made(Consume, topic="any", properties=properties)
    assert task.settings(bench.context(), complaints := Complaints(), {"group.id": "any"}) == {
        "bootstrap.servers": "host:9092",
        "security.protocol": "SASL_SSL",
        "sasl.username": "reader",
        "sasl.password": 's3"cret;',
        "ssl.ca.location": "/ca.pem",
        "group.id": "any",
        "log_level": 0,
        "error_cb": complaints,
    }


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"since": "2030-01-02T00:00:00Z"}, ["b"]),
        ({"since": "2040-01-01T00:00:00Z"}, []),
        ({"partitions": [1]}, ["c"]),
        ({}, ["a", "b", "c"]),
    ],
)
def test_consume_begins_where_it_is_told(
    bench: Bench, at: dict[str, Any], where: dict[str, Any], expected: list[str]
) -> None:
    """ENG-309."""
    record = {"partition": 0, "timestamp": "2030-01-01T00:00:00Z"}
    later = {**record, "value": "b", "timestamp": "2030-01-02T00:00:00Z"}
    produce(bench, at, {**record, "value": "a"}, later, {**record, "value": "c", "partition": 1})
    limit = {"maxRecords": len(expected), **PATIENT} if expected else QUIET
    assert sorted(values(bench.stored(bench.run(Consume, **at, **where, **limit)))) == expected


def test_consume_topics_of_a_pattern_gives_the_records_of_all(
    bench: Bench, at: dict[str, Any], admin: AdminClient
) -> None:
    names = [f"{bench.name}-a", f"{bench.name}-b"]
    create(admin, *names)
    for name in (*names, bench.name):
        produce(bench, at, {"topic": name, "value": name}, transactional=False)
    known: dict[str, Any] = {**group(bench, at), "topic": None, "topicPattern": f"{bench.name}-[a-z]"}
    for groups in ({}, {"groupId": None}):
        found = bench.run(Consume, **{**known, **groups}, maxRecords=2, **PATIENT)
        assert sorted(values(bench.stored(found))) == names
    several = {**at, "topic": names}
    assert sorted(values(bench.stored(bench.run(Consume, **several, maxRecords=2, **PATIENT)))) == names


def test_trigger_not_acknowledged_gives_the_records_again_under_their_key(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-270, ENG-307, ENG-309, BEY-006."""
    produce(bench, at, "a", "b", "c")
    known = group(bench, at, maxRecords=2, **PATIENT)
    lost = bench.poll(Trigger, **known)
    assert lost is not None
    lost.release()
    again = bench.poll(Trigger, **known)
    assert again is not None
    assert again.variables["messagesCount"] == 2
    assert values(bench.stored(again)) == ["a", "b"]
    assert again.key == lost.key is not None
    again.acknowledge()
    rest = bench.poll(Trigger, **{**known, "maxRecords": 1})
    assert rest is not None
    assert values(bench.stored(rest)) == ["c"]
    rest.acknowledge()
    assert bench.poll(Trigger, **{**known, **QUIET}) is None


def test_trigger_that_begins_with_what_is_new_misses_nothing_between_two_looks(
    bench: Bench, at: dict[str, Any]
) -> None:
    """ENG-309."""
    produce(bench, at, "old")
    known = {**at, "groupId": bench.name}
    assert bench.poll(Trigger, **known, **QUIET) is None
    produce(bench, at, "new")
    found = bench.poll(Trigger, **known, maxRecords=1, **PATIENT)
    assert found is not None
    assert values(bench.stored(found)) == ["new"]
    found.release()


def test_realtime_trigger_not_acknowledged_gives_the_record_again_under_its_key(
    bench: Bench, at: dict[str, Any]
) -> None:
    """ENG-311."""
    produce(bench, at, '{"n": 1}', "b")
    found: list[TriggerEvent] = [
        bench.first(RecordTrigger, **group(bench, at), valueDeserializer="JSON") for _ in range(2)
    ]
    assert [one.variables["value"] for one in found] == [{"n": 1}, {"n": 1}]
    assert found[0].key == found[1].key is not None


def test_produce_record_that_cannot_be_written_sends_none_in_a_transaction(bench: Bench, at: dict[str, Any]) -> None:
    wrong: tuple[Any, ...] = (
        {"value": "x", "headers": "no map"},
        {"value": "x", "timestamp": "then"},
        {"value": "1.5"},
    )
    for one in wrong:
        with pytest.raises(MessageError) as caught:
            bench.run(Produce, **at, **{"from": [{"value": 2, "partition": 0}, one]}, valueSerializer="INTEGER")
        assert caught.value.hint
    produce(bench, at, 2, valueSerializer="INTEGER", transactional=False)
    assert values(bench.stored(bench.run(Consume, **at, valueDeserializer="INTEGER", maxRecords=1, **PATIENT))) == [2]


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"topic": "no-such-topic"}, "no topic"),
        ({"topic": None}, "which topics"),
        ({"properties": {}}, "which cluster"),
        ({"properties": {"bootstrap.servers": "127.0.0.1:1", "socket.connection.setup.timeout.ms": 1_000}}, "reached"),
        ({"properties": {"bootstrap.servers": "127.0.0.1:1", "no.such.thing": 1}}, "no.such.thing"),
    ],
)
def test_cluster_wrong_properties_says_what_is_wrong(
    bench: Bench, at: dict[str, Any], properties: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.builtin.kafka.consuming.ANSWER", 1.0)
    with pytest.raises(KafkaError, match=said) as caught:
        bench.poll(Trigger, **{**group(bench, at), **properties})
    assert caught.value.hint


async def test_realtime_trigger_of_a_server_starts_an_execution_for_each_record(
    polled: Polled, bench: Bench, at: dict[str, Any], kafka: str
) -> None:
    """ENG-311, ENG-312."""
    await asyncio.to_thread(produce, bench, at, "a", "b")
    await polled.flow(
        f"type: io.kestra.plugin.kafka.RealtimeTrigger, topic: {bench.name}, groupId: {bench.name}, "
        f"properties: {{bootstrap.servers: '{kafka}', auto.offset.reset: earliest}}"
    )
    found = await polled.executions(2)
    assert [one.trigger.variables["value"] for one in found if one.trigger] == ["a", "b"]


def test_realtime_trigger_told_to_stop_ends(bench: Bench, at: dict[str, Any]) -> None:
    stop = threading.Event()
    stop.set()
    assert list(bench.made(RecordTrigger, **group(bench, at)).listen(bench.context(), stop)) == []
