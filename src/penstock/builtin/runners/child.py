"""One command as a process of the worker, in a process group of its own: started, followed, seen to its end."""

from __future__ import annotations

import errno
import os
import secrets
import selectors
import signal
import subprocess
import threading
import time
from typing import IO

from penstock.builtin.runners.family import MARK, Family, holders
from penstock.builtin.runners.orphans import Notes
from penstock.builtin.runners.runner import Command, OutputSink, RunnerError, Stream

_PIECE = 65_536
_LOOK = 0.1
_LINGER = 3.0
_PATIENCE = 0.3
_GRACE = 3.0


class Child:
    """A running command. `follow` is called once, by the thread that started it; `end` by any thread.

    Args:
        command: What to run.
        notes: Remembers it for the case that this process is killed.

    Raises:
        RunnerError: The command cannot be started.
    """

    def __init__(self, command: Command, notes: Notes) -> None:
        self._notes = notes
        self._mark = mark = secrets.token_hex(16)
        notes.add(mark)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - running what the flow says is what this is for
                list(command.arguments),
                cwd=command.directory,
                env={**command.environment, MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            notes.remove(mark)
            raise _unstartable(command, error) from None
        self._family = Family(self._process.pid, mark)
        self._lock = threading.Lock()
        self._is_reaped = False
        self._is_unconfirmed = False
        self._left: list[int] = []
        self._has_left_some = False

    @property
    def is_unconfirmed(self) -> bool:
        """Whether processes may be left that could not be ended."""
        return self._is_unconfirmed

    @property
    def left(self) -> list[int]:
        """The numbers of those processes, as far as they are known."""
        return self._left

    @property
    def has_left_some(self) -> bool:
        """Whether processes were still there when the command had ended by itself."""
        return self._has_left_some

    def end(self) -> None:
        """End the command with everything it started; returns when nothing of it is left."""
        with self._lock:
            if not self._is_reaped and not self._family.end(_GRACE):
                self._is_unconfirmed, self._left = True, self._family.pids()

    def follow(self, sink: OutputSink) -> int:
        """Hand on what the command writes until it ends, and return its exit code; nothing of it is left then."""
        has_gone = False
        try:
            self._read(sink)
            self._wait()
            has_gone = self._goes_by_itself()
        finally:
            if not has_gone:
                self.end()
            with self._lock:
                self._is_reaped = True
                code = self._process.wait() if self._has_ended() else -signal.SIGKILL
            if not self._is_unconfirmed:
                self._notes.remove(self._mark)
        return code

    def _read(self, sink: OutputSink) -> None:
        """Read both streams until they end, or until the command has ended and others keep them open."""
        out, err = self._process.stdout, self._process.stderr
        assert out is not None
        assert err is not None
        with out, err, selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ, Stream.OUT)
            selector.register(err, selectors.EVENT_READ, Stream.ERR)
            closing: float | None = None
            while selector.get_map():
                for key, _ in selector.select(_LOOK):
                    if not _hand_on(key.fileobj, key.data, sink):  # type: ignore[arg-type]  # registered above
                        selector.unregister(key.fileobj)
                if closing is None:
                    closing = time.monotonic() + _LINGER if self._has_ended() else None
                elif time.monotonic() > closing:
                    if self._has_left_some:  # they were ended, and yet somebody unknown holds the streams
                        self._is_unconfirmed, self._left = True, holders(out.fileno(), err.fileno())
                        return
                    self._has_left_some = True
                    self.end()
                    closing = time.monotonic() + _LINGER

    def _goes_by_itself(self) -> bool:
        """Return whether all processes have gone, or go soon, without being ended."""
        deadline = time.monotonic() + _PATIENCE
        while self._family.is_alive():
            if time.monotonic() > deadline:
                self._has_left_some = True
                return False
            time.sleep(_PATIENCE / 10)
        return True

    def _has_ended(self) -> bool:
        """Return whether the first process has ended; it is not reaped, so that its number stays its own."""
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return self._process.poll() is not None
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _wait(self) -> None:
        """Wait for the end of the first process, which may have closed its streams long before."""
        if self._is_unconfirmed:
            return
        if not hasattr(os, "waitid"):
            self._process.wait()
        else:
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)


def _hand_on(file: IO[bytes], stream: Stream, sink: OutputSink) -> bool:
    """Hand on a piece of a stream that can be read; False at its end."""
    data = os.read(file.fileno(), _PIECE)
    if data:
        sink.write(stream, data)
    return bool(data)


def _unstartable(command: Command, error: Exception) -> RunnerError:
    program = command.arguments[0] if command.arguments else ""
    if isinstance(error, FileNotFoundError):
        return RunnerError(
            f"there is no program `{program}` on this worker", hint="install it there, or change `interpreter`"
        )
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return RunnerError(
            "the command or its environment is too long for the system",
            hint="pass large values as `inputFiles`",
        )
    return RunnerError(f"`{program}` cannot be started: {error}")
