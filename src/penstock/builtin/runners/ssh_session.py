"""One run of commands on another machine: files there, followed to its end, files back, and nothing left."""

from __future__ import annotations

import re
import secrets
import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath

import paramiko
from paramiko.ssh_exception import SSHException

from penstock.builtin.runners.family import MARK
from penstock.builtin.runners.runner import Command, OutputSink, RunnerError, Stream
from penstock.builtin.runners.ssh_connection import Target as Target
from penstock.builtin.runners.ssh_connection import connect
from penstock.builtin.runners.ssh_files import RemoteFolder
from penstock.builtin.runners.ssh_scripts import ENDING, FINDING, FOREIGN, REMOVING, STARTING, WATCHING

_PIECE = 65_536
_LOOK = 0.5
_LINGER = 10
"""Tenths of seconds for which processes may go on that the commands have left behind, such as a `tee`."""
_GRACE = 30
"""Tenths of seconds from the order to end to the end."""
_LATE = 30.0
"""Seconds without a piece of what has been written already."""
_FILES = {Stream.OUT: "out", Stream.ERR: "err"}
"""Where what the commands write is kept."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Session:
    """A run of commands. `end` may be called by any thread; a lost connection is a ConnectionError everywhere.

    Args:
        client: The connection.
        root: A folder there that is the run's own.
        resume: Whether to go on with a run that is there already.

    Raises:
        OSError: The folder cannot be made.
    """

    def __init__(self, client: paramiko.SSHClient, root: PurePosixPath, *, resume: bool) -> None:
        self._client = client
        self._root = root
        self._lock = threading.Lock()
        self._mark, self.is_resumed = "", False
        self.has_left_some = False
        """Whether processes were still there when the commands had ended by themselves."""
        self.is_unconfirmed = False
        """Whether processes may be left that could not be ended."""
        self.left: list[str] = []
        """The numbers of those processes."""
        self._sftp = client.open_sftp()
        self._folder = RemoteFolder(self._sftp, f"{root}/work")
        try:
            self._make()
        except OSError:
            self._find(resume)

    @classmethod
    def open(cls, target: Target, root: PurePosixPath, *, resume: bool) -> Session:
        """Connect, and make the folder unless a run is there to go on with.

        Raises:
            RunnerError: The machine cannot be used.
        """
        client = connect(target)
        try:
            with _lost():
                return cls(client, root, resume=resume)
        except OSError as error:
            client.close()
            raise RunnerError(
                f"the folder {root} cannot be made on {target.host}: {error}",
                hint="set `directory` to one where the user may write, and have SFTP enabled there",
            ) from None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def put(self, folder: Path) -> None:
        """Copy the working directory there."""
        with _lost(), _files():
            self._folder.put(folder)

    def get(self, folder: Path) -> list[str]:
        """Copy back what is new or changed; return the names of links that lead out, which are left."""
        with _lost(), _files():
            return self._folder.get(folder)

    def start(self, command: Command) -> None:
        """Start a command, which then needs no connection any more."""
        with _lost():
            with _files():
                self._write("run", self._script(command))
            self._tool(STARTING, self._mark, MARK)

    def follow(self, sink: OutputSink, is_killed: Callable[[], bool]) -> int | None:
        """Hand on all that the command has written and will write until it ends.

        Returns:
            Its exit code, or None when it has none, being killed.
        """
        with _lost(), ExitStack() as stack:
            lock = threading.Lock()

            def hand_on(stream: Stream, data: bytes) -> None:
                with lock:
                    sink.write(stream, data)

            reading = {
                stream: _Reading(stack.enter_context(self._tail(name)), partial(hand_on, stream))
                for stream, name in _FILES.items()
            }
            for one in reading.values():
                one.start()
            code, ending, self.left = self._watch(is_killed)
            self.has_left_some, self.is_unconfirmed = ending != "none", ending == "left"
            with _files():
                for stream, one in reading.items():
                    one.await_length(self._sftp.stat(f"{self._root}/{_FILES[stream]}").st_size or 0)
        for one in reading.values():
            one.join()
        if code.isdigit():
            return int(code)
        if is_killed():
            return None
        raise RunnerError(
            "the commands ended without an exit code", hint="the other machine may have been restarted; see its logs"
        )

    def end(self) -> None:
        """End the command with everything it started; returns when nothing of it is left."""
        with suppress(ConnectionError), _lost():
            self._ending()

    def remove(self) -> None:
        """Remove the run's folder, unless it has become another's."""
        with _lost():
            self._tool(REMOVING, self._mark)

    def _make(self) -> None:
        self._sftp.mkdir(str(self._root), 0o700)
        self._mark = secrets.token_hex(16)
        self._write("mark", self._mark)

    def _find(self, resume: bool) -> None:
        """Go on with the run that is there, or have it make room."""
        mark, code = self._answer(_sh(FINDING, str(self._root)))
        self._mark = mark.strip()
        self.is_resumed = resume and code == 0
        if self.is_resumed:
            return
        if self._mark:
            self._ending()
        if code != FOREIGN:
            self.remove()
        self._make()

    def _write(self, name: str, text: str) -> None:
        with self._sftp.open(f"{self._root}/{name}", "w") as file:
            file.write(text)

    def _script(self, command: Command) -> str:
        """Return what the other machine's shell reads; values are in a file, where nobody else sees them."""
        variables = {name: value for name, value in command.given.items() if _NAME.fullmatch(name)}
        root = shlex.quote(str(self._root))
        return "\n".join(
            [
                f"echo $$ >{root}/leader",
                f"cd {root}/work || exit",
                *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
                f"export {MARK}={self._mark}",
                shlex.join(command.arguments),
                f"echo $? >{root}/code.new && mv {root}/code.new {root}/code\n",
            ]
        )

    def _watch(self, is_killed: Callable[[], bool]) -> tuple[str, str, list[str]]:
        """Wait for the end of the command.

        Returns its exit code as text, what became of what it left behind, and the numbers of processes still there.
        """
        with self._channel() as channel:
            arguments = (str(self._root), self._mark, str(_LINGER), str(_GRACE))
            channel.exec_command(_sh(WATCHING + ENDING, *arguments))
            while not channel.status_event.wait(_LOOK):
                if is_killed():
                    self._ending()  # the order may have come before the command had begun
            code, ending, *left = _read(channel)[0].split()
            return code, ending, left

    @contextmanager
    def _tail(self, name: str) -> Iterator[paramiko.Channel]:
        """Give what a file has and gets, from its beginning."""
        with self._channel() as channel:
            channel.exec_command(f"exec tail -c +1 -f {shlex.quote(f'{self._root}/{name}')}")
            yield channel

    def _ending(self) -> None:
        with self._lock:
            ending, *self.left = self._tool(ENDING, self._mark, "0", str(_GRACE)).split()
        self.is_unconfirmed = ending == "left"

    def _tool(self, script: str, *arguments: str) -> str:
        return self._call(_sh(script, str(self._root), *arguments))

    def _call(self, text: str) -> str:
        """Run a command of our own and return what it writes."""
        return self._answer(text)[0]

    def _answer(self, text: str) -> tuple[str, int]:
        with self._channel() as channel:
            channel.exec_command(text)
            return _read(channel)

    @contextmanager
    def _channel(self) -> Iterator[paramiko.Channel]:
        transport = self._client.get_transport()
        if transport is None or not transport.is_active():
            raise ConnectionError("the connection was lost")
        channel = transport.open_session()
        try:
            yield channel
        finally:
            channel.close()


class _Reading(threading.Thread):
    """Hands on what comes by a channel."""

    def __init__(self, channel: paramiko.Channel, hand_on: Callable[[bytes], None]) -> None:
        super().__init__(name="ssh-reading", daemon=True)
        self._channel = channel
        self._hand_on = hand_on
        self._changed = threading.Condition()
        self._length = 0
        self._is_over = False

    def run(self) -> None:
        """Read until the channel is closed."""
        try:
            while data := self._channel.recv(_PIECE):
                self._hand_on(data)
                with self._changed:
                    self._length += len(data)
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def await_length(self, length: int) -> None:
        """Wait until that many bytes were handed on, or no more come."""
        with self._changed:
            while self._length < length and not self._is_over:
                before = self._length
                if not self._changed.wait(_LATE) and self._length == before:
                    raise ConnectionError("the output of the commands does not come")


def _sh(script: str, *arguments: str) -> str:
    return f"exec {shlex.join(['/bin/sh', '-c', script, 'penstock', *arguments])}"


def _read(channel: paramiko.Channel) -> tuple[str, int]:
    """Return what a command of our own writes, and its exit code."""
    pieces = []
    while data := channel.recv(_PIECE):
        pieces.append(data)
    code = channel.recv_exit_status()
    if code < 0:
        raise ConnectionError("the connection was lost")
    return b"".join(pieces).decode(errors="replace"), code


@contextmanager
def _lost() -> Iterator[None]:
    """Give every sign of a lost connection one name."""
    try:
        yield
    except (SSHException, EOFError) as error:
        raise ConnectionError(str(error) or "the connection was lost") from error


@contextmanager
def _files() -> Iterator[None]:
    """Name what the other machine refuses to read or to write."""
    try:
        yield
    except ConnectionError:
        raise
    except OSError as error:
        raise RunnerError(
            f"files cannot be copied to or from the other machine: {error}",
            hint="look at the free space and the permissions there",
        ) from None
