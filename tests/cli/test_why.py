from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from penstock.base.errors import NotFoundError, PenstockError, UnavailableError
from penstock.cli.main import app

ANSWER: dict[str, Any] = {
    "kind": "execution",
    "id": "e1",
    "state": "RUNNING",
    "sentence": "Task `call` waits for execution e2, which is QUEUED: It waits for a slot",
    "blockers": [
        {
            "reason": "CHILD",
            "sentence": "Task `call` waits for execution e2, which is QUEUED",
            "since": "2026-01-31T10:00:00Z",
            "because": [{"reason": "SLOT", "sentence": "It waits for a slot", "action": "raise the limit"}],
        }
    ],
    "waited": {},
}


@contextmanager
def server(known: dict[str, Any], otherwise: int = 404) -> Iterator[str]:
    """Answer what is known by path, everything else with a status; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in known else otherwise)
            self.end_headers()
            self.wfile.write(json.dumps(known.get(self.path)).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def ask(url: str, *arguments: str) -> Any:
    """Run `penstock why`."""
    return CliRunner().invoke(app, ["why", *arguments, "--server", url])


def test_why_of_an_execution_prints_what_it_waits_for_and_what_helps() -> None:
    """BEY-002."""
    with server({"/api/v1/main/why/execution/e1": ANSWER}) as url:
        result = ask(url, "e1")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "RUNNING: Task `call` waits for execution e2, which is QUEUED: It waits for a slot.",
        "- Task `call` waits for execution e2, which is QUEUED (since 2026-01-31T10:00:00Z)",
        "  - It waits for a slot",
        "    what helps: raise the limit",
    ]


@pytest.mark.parametrize(
    ("asked", "path"),
    [("r1", "/api/v1/main/why/taskrun/r1"), ("team/flow/daily", "/api/v1/main/why/trigger/team/flow/daily")],
)
def test_why_of_a_task_run_or_a_trigger_finds_it(asked: str, path: str) -> None:
    """BEY-002."""
    with server({path: ANSWER}) as url:
        assert json.loads(ask(url, asked, "--json").output) == ANSWER


def test_why_of_what_nobody_knows_is_an_error() -> None:
    """BEY-002."""
    with server({}) as url:
        assert isinstance(ask(url, "e1").exception, NotFoundError)


@pytest.mark.parametrize("status", [401, 500])
def test_why_that_is_refused_says_so(status: int) -> None:
    """BEY-002."""
    with server({}, otherwise=status) as url:
        error = ask(url, "e1").exception
    assert isinstance(error, PenstockError)
    assert str(status) in error.message
    assert bool(error.hint) == (status == 401)


def test_why_without_a_server_says_so() -> None:
    """BEY-002."""
    with server({}) as url:
        pass
    assert isinstance(ask(url, "e1").exception, UnavailableError)
