"""Brokers that go away while somebody listens: that is an error, after which the listener is opened again."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from penstock.builtin.mqtt.address import MqttError
from penstock.builtin.mqtt.topics import Publish, TopicTrigger
from penstock.builtin.nats.connection import Connection, NatsError, Server, connected
from penstock.builtin.nats.subjects import Produce, SubjectTrigger
from tests.builtin.messages.conftest import Bench
from tests.support.brokers import mosquitto_in, nats_in


def test_mqtt_listener_broker_goes_away_fails(bench: Bench, tmp_path: Path) -> None:
    """ENG-269, ENG-311."""
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto_in(tmp_path))
        at: dict[str, Any] = {"server": broker.url, "topic": bench.name}
        bench.run(Publish, **at, retain=True, **{"from": "on"})
        found = bench.made(TopicTrigger, **at).listen(bench.context(), threading.Event())
        event = next(found)
        stack.close()
        with pytest.raises(MqttError, match="broken"):
            event.acknowledge()
        with pytest.raises(MqttError, match="broken"):
            next(found)


def test_nats_listener_server_goes_away_fails(bench: Bench, tmp_path: Path) -> None:
    """ENG-269, ENG-311."""
    with ExitStack() as stack:
        server = stack.enter_context(nats_in(tmp_path))
        at: dict[str, Any] = {"url": server.url, "subject": bench.name}
        with connected(Server.model_validate({"url": server.url}), bench.context()) as connection:
            _keep(connection, bench.name)
        bench.run(Produce, **at, **{"from": "a"})
        found = bench.made(SubjectTrigger, **at).listen(bench.context(), threading.Event())
        event = next(found)
        stack.close()
        with pytest.raises(NatsError):
            event.acknowledge()
        with pytest.raises(NatsError):
            next(found)


def _keep(connection: Connection, name: str) -> None:
    connection.wait(connection.jetstream.add_stream(name=name, subjects=[name]))
