"""NATS subjects, on a real server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.builtin.nats.connection import Connection, NatsError, Server, connected
from penstock.builtin.nats.subjects import Consume, Produce, Request, SubjectTrigger, Trigger
from tests.builtin.messages.conftest import Bench
from tests.builtin.polling.conftest import Polled
from tests.support.brokers import PASSWORD, USER, Nats


@pytest.fixture
def connection(bench: Bench, nats_server: Nats) -> Iterator[Connection]:
    """Give a connection to a server that has a stream for the test's own subject, and all below it."""
    with connected(Server.model_validate({"url": nats_server.url}), bench.context()) as found:
        found.wait(found.jetstream.add_stream(name=bench.name, subjects=[bench.name, f"{bench.name}.>"]))
        yield found


@pytest.fixture
def at(bench: Bench, nats_server: Nats, connection: Connection) -> dict[str, Any]:
    """Give the properties of the test's own subject."""
    return {"url": nats_server.url, "subject": bench.name}


def data(items: list[Any]) -> list[str]:
    return [one["data"] for one in items]


def test_consume_messages_there_gives_a_file(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-312."""
    given = [{"data": '{"n": 1}', "headers": {"origin": "shop"}}, "plain", {"n": 2}]
    assert bench.run(Produce, **at, **{"from": given}).messages_count == 3
    found = bench.run(Consume, **at, maxRecords=3, maxDuration="PT1M")
    assert found["messagesCount"] == 3
    first = bench.stored(found)[0]
    assert (first["subject"], first["headers"], first["data"]) == (bench.name, {"origin": ["shop"]}, '{"n": 1}')
    assert data(bench.stored(found))[1:] == ["plain", '{"n":2}']


def test_consume_under_a_durable_name_goes_on_where_it_was(bench: Bench, at: dict[str, Any]) -> None:
    bench.run(Produce, **at, **{"from": ["a", "b", "c"]})
    consume = {**at, "durableId": bench.name, "maxRecords": 2, "maxDuration": "PT1M"}
    assert data(bench.stored(bench.run(Consume, **consume))) == ["a", "b"]
    assert data(bench.stored(bench.run(Consume, **{**consume, "maxRecords": 1}))) == ["c"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"deliverPolicy": "Last"}, ["b"]),
        ({"since": "2000-01-01T00:00:00Z"}, ["a", "b"]),
        ({"since": "2100-01-01T00:00:00Z"}, []),
    ],
)
def test_consume_begins_where_it_is_told(
    bench: Bench, at: dict[str, Any], policy: dict[str, str], expected: list[str]
) -> None:
    bench.run(Produce, **at, **{"from": ["a", "b"]})
    limit = {"maxRecords": len(expected), "maxDuration": "PT1M"} if expected else {"maxDuration": "PT0.3S"}
    found = bench.run(Consume, **at, **policy, **limit)
    assert data(bench.stored(found)) == expected


def test_trigger_messages_there_gives_a_file_and_the_server_remembers(bench: Bench, at: dict[str, Any]) -> None:
    """ENG-270, ENG-307, ENG-309."""
    at["subject"] = f"{bench.name}.>"
    for subject in ("a", "b"):
        bench.run(Produce, **{**at, "subject": f"{bench.name}.{subject}", "from": subject})
    event = bench.poll(Trigger, **at, maxRecords=2, maxDuration="PT1M")
    assert event is not None
    assert event.variables["messagesCount"] == 2
    assert [one["subject"] for one in bench.stored(event)] == [f"{bench.name}.a", f"{bench.name}.b"]
    event.acknowledge()
    assert bench.poll(Trigger, **at, maxDuration="PT0.1S") is None


def test_trigger_not_acknowledged_gives_the_messages_again_under_their_key(bench: Bench, at: dict[str, Any]) -> None:
    """BEY-006."""
    bench.run(Produce, **at, **{"from": ["a", "b", "c"]})
    lost = bench.poll(Trigger, **at, maxRecords=2, maxDuration="PT1M")
    assert lost is not None
    lost.release()
    again = bench.poll(Trigger, **at, maxRecords=2, maxDuration="PT1M")
    assert again is not None
    assert data(bench.stored(again)) == ["a", "b"]
    assert again.key == lost.key
    again.acknowledge()


def test_realtime_trigger_not_acknowledged_gives_the_message_again_under_its_key(
    bench: Bench, at: dict[str, Any]
) -> None:
    """ENG-311."""
    bench.run(Produce, **at, **{"from": ["a", "b"]})
    lost = bench.first(SubjectTrigger, **at)
    again = bench.first(SubjectTrigger, **at, batchSize=1)
    assert lost.variables["data"] == again.variables["data"] == "a"
    assert lost.key == again.key is not None


def test_realtime_trigger_told_to_stop_ends(bench: Bench, at: dict[str, Any]) -> None:
    stop = threading.Event()
    stop.set()
    assert list(bench.made(SubjectTrigger, **at).listen(bench.context(), stop)) == []


def test_request_answer_is_the_output(bench: Bench, nats_server: Nats, connection: Connection) -> None:
    async def answer(message: Any) -> None:
        await message.respond(message.data[::-1])

    at = {"url": nats_server.url, "subject": f"ask-{bench.name}"}
    connection.wait(connection.client.subscribe(at["subject"], cb=answer))
    assert bench.run(Request, **at, **{"from": "abc"}).response == "cba"
    with pytest.raises(NatsError):
        bench.run(Request, **{**at, "subject": f"nobody-{bench.name}", "from": "abc", "requestTimeout": "PT0.1S"})
    with pytest.raises(NatsError, match="2 messages"):
        bench.run(Request, **at, **{"from": ["a", "b"]})


def test_server_that_knows_who_asks_lets_in(bench: Bench, nats_server: Nats) -> None:
    message = {"subject": bench.name, "from": "x"}
    assert bench.run(Produce, **message, url=nats_server.url, username=USER, password=PASSWORD).messages_count == 1
    strict = {**message, "url": nats_server.strict_url}
    assert bench.run(Produce, **strict, creds=nats_server.credentials).messages_count == 1
    with pytest.raises(NatsError) as caught:
        bench.run(Produce, **message, url=nats_server.url, username=USER, password="no-such-word")
    assert "no-such-word" not in str(caught.value)
    for wrong in ({}, {"token": "x"}, {"creds": "no credentials"}):
        with pytest.raises(NatsError):
            bench.run(Produce, **strict, **wrong)


def test_subject_that_no_stream_keeps_says_what_is_needed(bench: Bench, nats_server: Nats) -> None:
    with pytest.raises(NatsError) as caught:
        bench.poll(Trigger, url=nats_server.url, subject=f"nothing-{bench.name}")
    assert "stream" in caught.value.hint


def test_server_not_there_says_so(bench: Bench) -> None:
    with pytest.raises(NatsError) as caught:
        bench.poll(Trigger, url="127.0.0.1:1", subject="x")
    assert caught.value.hint


async def test_realtime_trigger_of_a_server_starts_an_execution_for_each_message(
    polled: Polled, bench: Bench, at: dict[str, Any]
) -> None:
    """ENG-311, ENG-312."""
    await asyncio.to_thread(bench.run, Produce, **at, **{"from": ["a", "b"]})
    await polled.flow(f"type: io.kestra.plugin.nats.RealtimeTrigger, url: '{at['url']}', subject: {bench.name}")
    found = await polled.executions(2)
    assert [one.trigger.variables["data"] for one in found if one.trigger] == ["a", "b"]
