"""A Redis server of a test's own."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis

from tests.support.waiting import PATIENCE


@contextmanager
def redis_on(program: Path, folder: Path) -> Iterator[str]:
    """Run a server that keeps nothing; give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    with redis.Redis(port=port) as client:
        while time.monotonic() < deadline:
            assert process.poll() is None, "redis-server ended early"
            with suppress(redis.ConnectionError):
                client.ping()
                return
            time.sleep(0.02)
    raise AssertionError("redis-server does not answer")
