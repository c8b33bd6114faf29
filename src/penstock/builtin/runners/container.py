"""One container: files in without a mount, followed to its end, files out, and gone."""

from __future__ import annotations

import struct
import tarfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any

from docker import DockerClient
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container as EngineContainer
from docker.utils.socket import frames_iter
from requests.exceptions import BaseHTTPError  # type: ignore[attr-defined]  # of the library below it

from penstock.builtin.runners.archive import buffer, packed, unpack
from penstock.builtin.runners.docker import DIRECTORY, TASK_RUN
from penstock.builtin.runners.runner import OutputSink, RunnerError, Stream

_STDERR = 2
_LOST = (DockerException, OSError, BaseHTTPError, struct.error)
"""What the client raises: answers of the engine, and all that a connection cut anywhere comes to; those of requests
are `OSError`, and what is read of streams bypasses them."""
_CONFLICT = 409
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds until an engine that cannot remove a container yet is asked again."""


class Container:
    """A container on an engine. `end` may be called by any thread."""

    def __init__(self, found: EngineContainer) -> None:
        self._found = found
        self._grace: int | None = None
        """Set once it is to end."""

    @classmethod
    def create(cls, client: DockerClient, options: Mapping[str, Any]) -> Container:
        """Make a container that does not run yet.

        Raises:
            RunnerError: The engine refuses.
        """
        with _asking("made"):
            return cls(client.containers.create(**options))

    @classmethod
    def of_task_run(cls, client: DockerClient, task_run_id: str) -> Container | None:
        """Return the container that an earlier worker started for a task run (SCR-054, SCR-055)."""
        with _asking("looked for"):
            label = f"{TASK_RUN}={task_run_id}"
            found = client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        started = [one for one in found if one.status != "created"]
        for one in found:
            if one not in started:  # its worker was lost before it had its files
                cls(one).remove()
        return cls(started[0]) if started else None

    @property
    def id(self) -> str:
        """The engine's name for it."""
        return str(self._found.id)

    @property
    def directory(self) -> PurePosixPath:
        """Its working directory."""
        return PurePosixPath(self._found.labels[DIRECTORY])

    def put(self, folder: Path) -> None:
        """Copy a folder with all that is in it to the working directory, for any user to read and to write."""
        with packed(folder, str(self.directory).lstrip("/")) as file, _asking("given its files"):
            self._found.put_archive("/", file)

    def run(self, sink: OutputSink) -> int:
        """Start it and hand on all that the commands write until they end; return the exit code."""
        with _asking("run"):
            with self._streams() as pieces:
                self._start()
                for number, data in pieces:
                    sink.write(Stream.ERR if number == _STDERR else Stream.OUT, data)
            return int(self._found.wait()["StatusCode"])

    def resume(self, sink: OutputSink) -> int:
        """Hand on all that the commands have written and will write until they end; return the exit code.

        The container may end, or have ended, at any time; its log can be read all the same, one stream at a time.
        """
        lock = Lock()

        def read(stream: Stream) -> None:
            wanted = {"stdout": stream is Stream.OUT, "stderr": stream is Stream.ERR}
            for data in self._found.logs(stream=True, follow=True, **wanted):
                with lock:
                    sink.write(stream, data)

        with _asking("followed"):
            with ThreadPoolExecutor(max_workers=len(Stream)) as readers:
                for _ in readers.map(read, Stream):
                    pass
            return int(self._found.wait()["StatusCode"])

    @contextmanager
    def _streams(self) -> Iterator[Iterator[tuple[int, bytes]]]:
        """Give what is written, from its beginning, in pieces with the number of their stream."""
        connection = self._found.attach_socket(params={"stdout": 1, "stderr": 1, "stream": 1, "logs": 1})
        try:
            yield frames_iter(connection, tty=False)  # type: ignore[no-untyped-call]
        finally:
            answer: Any = getattr(connection, "_response", None)  # the client keeps it here, and nobody closes it
            with suppress(ValueError):  # it may find its file closed already
                (answer or connection).close()
            with suppress(ValueError):
                connection.close()

    def start(self) -> None:
        """Start it without waiting for anything."""
        with _asking("started"):
            self._start()

    def _start(self) -> None:
        self._found.start()
        if self._grace is not None:  # told to end before there was anything to end
            self.end(self._grace)

    def get(self, folder: Path) -> None:
        """Copy what is in the working directory now into a folder of the worker."""
        with _asking("asked for its files"), suppress(NotFound):  # the commands removed their own directory
            pieces, _ = self._found.get_archive(str(self.directory))
            with buffer() as file:
                for piece in pieces:
                    file.write(piece)
                file.seek(0)
                unpack(file, folder)

    def end(self, grace: int) -> None:
        """Ask the commands to end, and kill them after a time in seconds, or at once where they cannot be asked."""
        self._grace = grace
        try:
            self._found.stop(timeout=grace)
        except _LOST:
            with suppress(*_LOST):
                self._found.kill()

    def remove(self) -> None:
        """Remove it with all that is in it, whether it runs or not; return once it is gone.

        An engine may refuse, or drop the connection, while it is about to end or to remove the container anyway.
        """
        with _asking("removed"):
            for pause in (*_PAUSES, None):
                try:
                    self._found.remove(force=True, v=True)
                    return
                except NotFound:
                    return
                except _LOST as error:
                    if pause is None and _is_conflict(error):
                        return  # somebody else is removing it, slowly
                    if pause is None or not _may_pass(error):
                        raise
                time.sleep(pause)


def _is_conflict(error: Exception) -> bool:
    return isinstance(error, APIError) and error.status_code == _CONFLICT


def _may_pass(error: Exception) -> bool:
    return _is_conflict(error) or not (isinstance(error, APIError) and error.is_client_error())


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """Raise what the engine's client says as `RunnerError`."""
    try:
        yield
    except (*_LOST, tarfile.TarError) as error:
        raise _refused(what, error) from None


def _refused(what: str, error: Exception) -> RunnerError:
    reason = str(getattr(error, "explanation", None) or error).strip() or type(error).__name__
    return RunnerError(
        f"the container could not be {what}: {reason.splitlines()[0][:300]}", hint="see what its engine says"
    )
