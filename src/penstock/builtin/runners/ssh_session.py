"""One run of commands on another machine: files there, followed to its end, files back, and nothing left."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import paramiko
from paramiko.ssh_exception import SSHException

from penstock.builtin.runners.family import MARK
from penstock.builtin.runners.runner import Command, OutputSink, RunnerError, Stream
from penstock.builtin.runners.ssh_connection import Target as Target
from penstock.builtin.runners.ssh_connection import connect
from penstock.builtin.runners.ssh_files import RemoteFolder

_PIECE = 65_536
_LOOK = 0.5
_LINGER = 3.0
_GRACE = 3
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_ENDING = """
mark=$1 root=$2 tries=$(($3 * 10))
leader=$(cat "$root/leader" 2>/dev/null)
members() {
    for file in $(grep -lsF "$mark" /proc/[0-9]*/environ 2>/dev/null); do
        file=${file#/proc/}
        echo "${file%/environ}"
    done
    if [ -n "$leader" ] && kill -s 0 -- "-$leader" 2>/dev/null; then echo "-$leader"; fi
}
tell() { for one in $(members); do kill -s "$1" -- "$one" 2>/dev/null; done; }
if [ -z "$(members)" ]; then echo none; exit; fi
tell TERM
while [ $tries -gt 0 ] && [ -n "$(members)" ]; do sleep 0.1; tries=$((tries - 1)); done
tries=50
while [ $tries -gt 0 ] && [ -n "$(members)" ]; do tell KILL; sleep 0.1; tries=$((tries - 1)); done
if [ -n "$(members)" ]; then echo left; else echo ended; fi
"""
"""Ends all processes of a run: its process group, and whoever left that but has the mark in its environment."""


class Session:
    """A run of commands. `end` may be called by any thread; a lost connection is a ConnectionError everywhere.

    Args:
        client: The connection.
        root: A folder there that is the run's own.
        mark: Tells the run's processes from others.
    """

    def __init__(self, client: paramiko.SSHClient, root: PurePosixPath, mark: str) -> None:
        self._client = client
        self._root = root
        self._mark = mark
        self._lock = threading.Lock()
        self._sftp: paramiko.SFTPClient | None = None
        self._folder: RemoteFolder | None = None
        self.has_left_some = False
        """Whether processes were still there when the commands had ended by themselves."""
        self.is_unconfirmed = False
        """Whether processes may be left that could not be ended."""

    @classmethod
    def open(cls, target: Target, root: PurePosixPath, mark: str) -> Session:
        """Connect and make the folder.

        Raises:
            RunnerError: The machine cannot be used.
        """
        session = cls.again(target, root, mark)
        try:
            with _lost():
                session._prepare()
        except OSError as error:
            session.close()
            raise RunnerError(
                f"the folder {root} cannot be made on {target.host}: {error}",
                hint="set `directory` to one where the user may write, and have SFTP enabled there",
            ) from None
        return session

    @classmethod
    def again(cls, target: Target, root: PurePosixPath, mark: str) -> Session:
        """Connect to a run that is there already."""
        return cls(connect(target), root, mark)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def put(self, folder: Path) -> None:
        """Copy the working directory there."""
        assert self._folder is not None
        with _lost(), _files():
            self._folder.put(folder)

    def get(self, folder: Path) -> list[str]:
        """Copy back what is new or changed; return the names of links that lead out, which are left."""
        assert self._folder is not None
        with _lost(), _files():
            return self._folder.get(folder)

    def run(self, command: Command, sink: OutputSink, is_killed: Callable[[], bool]) -> int | None:
        """Run a command, handing on all it writes; return its exit code, or None when it has none, being killed."""
        assert self._sftp is not None
        script = f"{self._root}/run"
        with _lost():
            with _files(), self._sftp.open(script, "w") as file:
                file.write(self._script(command))
            with self._channel() as channel:
                if is_killed():
                    return None
                channel.exec_command(f"exec /bin/sh {shlex.quote(script)}")
                channel.shutdown_write()
                self._follow(channel, sink, is_killed)
                code = channel.recv_exit_status() if channel.exit_status_ready() else -1
            self.has_left_some |= self._ending() != "none"
            if code >= 0:
                return code
            if is_killed():
                return None
            raise ConnectionError("the command's exit code never came")

    def end(self) -> None:
        """End the command with everything it started; returns when nothing of it is left."""
        with suppress(ConnectionError), _lost():
            self._ending()

    def remove(self) -> None:
        """Remove the run's folder."""
        with _lost():
            self._call(f"exec rm -rf -- {shlex.quote(str(self._root))}")

    def _prepare(self) -> None:
        self._sftp = self._client.open_sftp()
        self._sftp.mkdir(str(self._root), 0o700)
        self._folder = RemoteFolder(self._sftp, f"{self._root}/work")

    def _script(self, command: Command) -> str:
        """Return what the other machine's shell reads; values are in a file, where nobody else sees them."""
        variables = {name: value for name, value in command.given.items() if _NAME.fullmatch(name)}
        return "\n".join(
            [
                f"echo $$ >{shlex.quote(f'{self._root}/leader')}",
                f"cd {shlex.quote(f'{self._root}/work')} || exit",
                *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
                f"export {MARK}={self._mark}",
                f"{shlex.join(command.arguments)} </dev/null",
                "exit $?\n",
            ]
        )

    def _follow(self, channel: paramiko.Channel, sink: OutputSink, is_killed: Callable[[], bool]) -> None:
        """Hand on what is written until the streams end, or until the command has and others keep them open."""
        lock = threading.Lock()

        def read(stream: Stream) -> None:
            take = channel.recv if stream is Stream.OUT else channel.recv_stderr
            while data := take(_PIECE):
                with lock:
                    sink.write(stream, data)

        with ThreadPoolExecutor(max_workers=len(Stream)) as readers:
            reading = [readers.submit(read, stream) for stream in Stream]
            try:
                while not channel.status_event.wait(_LOOK):
                    if is_killed():
                        self._ending()  # the order may have come before the command had begun
                _, unended = wait(reading, _LINGER)
                if unended:
                    self.has_left_some = True
                    self._ending()
                    wait(reading, _LINGER)
            finally:
                channel.close()
            for one in reading:
                one.result()

    def _ending(self) -> str:
        with self._lock:
            script = shlex.join(["/bin/sh", "-c", _ENDING, "end", self._mark, str(self._root), str(_GRACE)])
            answer = self._call(f"exec {script}").strip()
        self.is_unconfirmed = answer == "left"
        return answer

    def _call(self, text: str) -> str:
        """Run a command of our own and return what it writes."""
        with self._channel() as channel:
            channel.exec_command(text)
            pieces = []
            while data := channel.recv(_PIECE):
                pieces.append(data)
            if channel.recv_exit_status() < 0:
                raise ConnectionError("the connection was lost")
            return b"".join(pieces).decode(errors="replace")

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
