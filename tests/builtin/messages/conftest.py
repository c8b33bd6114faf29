"""Brokers, one of a kind for all tests of a process, and what reads and writes their messages."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.sdk import RealtimeTrigger, TriggerEvent, ion_values
from penstock.services.worker.context import WorkerRunContext
from penstock.testing.run_context import RunContextFactory
from tests.builtin.polling.conftest import polled
from tests.support.brokers import Mosquitto, Nats, mosquitto_in, nats_in

__all__ = ["polled"]


class Bench:
    """Makes tasks and triggers, and reads what they store."""

    def __init__(self, contexts: RunContextFactory) -> None:
        self.contexts = contexts
        self.name = f"n{uuid.uuid4().hex}"
        """Of this test's own topic, subject or queue."""

    def context(self, **variables: Any) -> WorkerRunContext:
        known = {"flow": {"namespace": "team", "id": self.name}, "trigger": {"id": "watch"}}
        return self.contexts.of({**known, **variables})

    def run(self, cls: Any, **properties: Any) -> Any:
        """Run a task and return its outputs."""
        return self.made(cls, **properties).run(self.context())

    def made(self, cls: Any, **properties: Any) -> Any:
        return cls.model_validate({"id": "watch", "type": cls.type_name, **properties})

    def poll(self, cls: Any, **properties: Any) -> TriggerEvent | None:
        event: TriggerEvent | None = self.made(cls, **properties).poll(self.context())
        return event

    def first(self, cls: type[RealtimeTrigger], **properties: Any) -> TriggerEvent:
        """Return a listener's first event, which is not acknowledged; the listener is left as by a worker that dies."""
        found = iter(self.made(cls, **properties).listen(self.context(), threading.Event()))
        try:
            event: TriggerEvent = next(found)
            return event
        finally:
            found.close()

    def stored(self, found: Any) -> list[Any]:
        """Return the items of the file that outputs or an event name."""
        uri = found.variables["uri"] if isinstance(found, TriggerEvent) else found["uri"]
        return ion_values(self.contexts.gateway.files[uri].decode())


@pytest.fixture
def bench(contexts: RunContextFactory) -> Bench:
    return Bench(contexts)


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto_in(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    with nats_in(tmp_path_factory.mktemp("nats")) as server:
        yield server
