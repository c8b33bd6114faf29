"""A server that speaks as Pub/Sub does, of Google's client library for Go: one per test run."""

from __future__ import annotations

from pathlib import Path

from scripts.pubsub import pubsub_executable
from tests.support.missing import missing
from tests.support.ports import free_port
from tests.support.shared import shared_port, start_shared

PUBSUB = "pubsub"


def pubsub_for(run_directory: Path) -> str:
    """Return the address of the server of this test run, started by whoever asks first."""
    program = pubsub_executable()
    if program is None:
        missing("no Pub/Sub server found: run `make setup`, which needs Go")

    def start(directory: Path) -> int:
        port = free_port()
        start_shared([str(program), str(port)], directory, port)
        return port

    return f"http://127.0.0.1:{shared_port(run_directory, PUBSUB, start)}"
