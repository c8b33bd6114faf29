"""The command `penstock` as a process of its own, without the second that Python takes to import it.

One process for each of the tests' own imports everything, listens on a socket, and is forked for each command. What a
fork cannot show (how an interpreter is started, limits set before it) is tested with a fresh interpreter.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
LISTEN = """
import sys
from tests.support.forking import listen
listen(int(sys.argv[1]))
from penstock.cli.main import main
main()
"""


class Process:
    """A forked command; what is used of `subprocess.Popen`."""

    def __init__(self, pid: int, ended: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended

    def poll(self) -> int | None:
        """Return the exit code, or the signal as a negative number, once the process has ended."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Raises:
            subprocess.TimeoutExpired: It is still running after that many seconds.
        """
        if self.returncode is None:
            self._ended.settimeout(None if timeout is None else max(timeout, 1e-6))
            try:
                self.returncode = int(self._ended.recv(16))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("penstock", timeout or 0) from None
            self._ended.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended this moment
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class _Forks:
    """The process that is forked, started when it is first needed."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._listening: subprocess.Popen[bytes] | None = None

    def fork(self, request: Mapping[str, Any], streams: Sequence[int]) -> Process:
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            socket.send_fds(self._listener(), [json.dumps(request).encode()], [*streams, its.fileno()])
        return Process(int(mine.recv(16)), mine)

    def _listener(self) -> socket.socket:
        if self._socket is None:
            self._socket, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with its:
                self._listening = subprocess.Popen(
                    [sys.executable, "-c", LISTEN, str(its.fileno())],
                    pass_fds=[its.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    cwd=ROOT,
                )
            atexit.register(self._end)
        return self._socket

    def _end(self) -> None:
        if self._socket is not None and self._listening is not None:
            self._socket.close()  # which the listening process takes for its end
            self._listening.wait()


_forks = _Forks()


def start(
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdout: IO[Any],
    stderr: IO[Any],
    stdin: IO[Any] | None = None,
    strict: bool = False,
) -> Process:
    """Start `penstock` with these arguments.

    Args:
        arguments: What follows the program's name.
        cwd: Where it runs.
        env: All its environment variables.
        stdout: Where its output goes.
        stderr: Where its messages go.
        stdin: What it reads; nothing by default.
        strict: Whether Python's warnings are errors.
    """
    request = {"arguments": list(arguments), "cwd": str(cwd), "env": dict(env), "strict": strict}
    with open(os.devnull) as nothing:
        return _forks.fork(request, [(stdin or nothing).fileno(), stdout.fileno(), stderr.fileno()])


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: str = "",
    timeout: float,
    strict: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run `penstock` to its end and return what it wrote."""
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        tempfile.TemporaryFile("w+") as given,
    ):
        given.write(stdin)
        given.seek(0)
        began = time.monotonic()
        process = start(arguments, cwd=cwd, env=env, stdout=out, stderr=err, stdin=given, strict=strict)
        try:
            code = process.wait(timeout - (time.monotonic() - began))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        for written in (out, err):
            written.seek(0)
        return subprocess.CompletedProcess(["penstock", *arguments], code, out.read(), err.read())
