"""Servers that all processes of a test run share: whoever asks first starts one, whoever owns the run stops it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.brokers import is_listening, until

_PORT, _PIDS = "port", "pids"


def shared_port(run_directory: Path, name: str, start: Callable[[Path], int]) -> int:
    """Return the port of a server of this test run.

    Args:
        run_directory: The run's own folder.
        name: The server's folder in it.
        start: Starts the server in that folder and returns its port.
    """
    directory = run_directory / name
    directory.mkdir(exist_ok=True)
    port_file = directory / _PORT
    with (directory / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not port_file.exists():
            port_file.write_text(str(start(directory)))
    return int(port_file.read_text())


def stop_shared(run_directory: Path, name: str) -> None:
    """Stop a server of this test run, when one was started. Its data is thrown away."""
    pids = run_directory / name / _PIDS
    for pid in pids.read_text().split() if pids.exists() else ():
        with suppress(ProcessLookupError):
            os.killpg(int(pid), signal.SIGKILL)


def start_shared(
    command: Sequence[str], directory: Path, port: int, environment: Mapping[str, str] | None = None
) -> None:
    """Start a program of a shared server, and return when it listens on a port."""
    log = directory / f"{Path(command[0]).name}.log"
    with log.open("w") as target:
        process = subprocess.Popen(
            command, stdout=target, stderr=target, cwd=directory, env=environment, start_new_session=True
        )
    with (directory / _PIDS).open("a") as pids:
        pids.write(f"{process.pid}\n")  # it is stopped by whoever owns the run
    until(lambda: is_listening(port), process, log)
    process.returncode = 0  # or its end would be waited for here
