"""Alerts of triggers, told to a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from penstock.base.clock import SECOND, SystemClock
from penstock.base.errors import UnavailableError
from penstock.ports.triggers import TriggerState
from penstock.services.alerts import TriggerAlerts
from penstock.services.http_alerts import HttpAlerts
from penstock.store import Store, open_store

PASSED = 1_700_000_000_000_000
FUTURE = 4_000_000_000_000_000


class Receiver:
    """Takes what is posted to it, or refuses it."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if receiver.status == 200:
                    receiver.posted.append(body)
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *about: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/s3cret"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = await open_store(f"sqlite:///{tmp_path / 'test.db'}", SystemClock())
    yield made
    await made.close()


def alerts(store: Store, receiver: Receiver, *kinds: str) -> TriggerAlerts:
    given = kinds or ("LATE", "FAILING")
    return TriggerAlerts(store.triggers, store.settings, HttpAlerts(receiver.url), SystemClock(), given)


def state(trigger: str, **given: Any) -> TriggerState:
    return TriggerState("main", "company.team", "nightly", trigger, **given)


async def test_alert_is_told_once_by_whichever_server_and_once_more_when_it_is_over(
    store: Store, receiver: Receiver
) -> None:
    """BEY-005."""
    await store.triggers.save(state("late", next_date=PASSED))
    await store.triggers.save(state("failing", next_date=FUTURE, failures=3, error="no route to host"))
    await store.triggers.save(state("fine", next_date=FUTURE))
    await store.triggers.save(state("off", next_date=PASSED, failures=1, disabled=True))
    await alerts(store, receiver).look()
    await alerts(store, receiver).look()
    (told,) = receiver.posted
    assert told["text"].splitlines() == [
        "Trigger failing of company.team.nightly fails (3 times in a row): no route to host",
        "Trigger late of company.team.nightly is late: it was due at 2023-11-14T22:13:20.000000Z.",
    ]
    whose = {"tenant": "main", "namespace": "company.team", "flowId": "nightly"}
    assert told["alerts"] == [
        {"kind": "FAILING", **whose, "triggerId": "failing", "failures": 3, "error": "no route to host"},
        {"kind": "LATE", **whose, "triggerId": "late", "since": "2023-11-14T22:13:20.000000Z"},
    ]
    await store.triggers.save(state("late", next_date=FUTURE))
    await alerts(store, receiver).look()
    assert receiver.posted[1]["text"] == "Trigger late of company.team.nightly is served again."
    assert receiver.posted[1]["alerts"][0]["resolved"] is True
    assert len(receiver.posted) == 2


async def test_alert_that_is_not_delivered_is_told_at_the_next_look(store: Store, receiver: Receiver) -> None:
    """BEY-005: and the address, which is a secret, is not in the error."""
    await store.triggers.save(state("late", next_date=PASSED))
    receiver.status = 503
    with pytest.raises(UnavailableError, match="answered with status 503") as failed:
        await alerts(store, receiver).look()
    assert "s3cret" not in str(failed.value)
    receiver.status = 200
    await alerts(store, receiver).look()
    assert len(receiver.posted) == 1


async def test_alert_of_what_nobody_asked_for_or_is_hardly_late_is_not_told(store: Store, receiver: Receiver) -> None:
    await store.triggers.save(state("late", next_date=SystemClock().now() - 10 * SECOND))
    await store.triggers.save(state("failing", next_date=FUTURE, failures=1, error="x"))
    assert await alerts(store, receiver, "LATE").look() == []
    assert receiver.posted == []
