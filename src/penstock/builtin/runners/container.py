"""One container: files in without a mount, followed to its end, files out, and gone."""

from __future__ import annotations

import tarfile
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
from requests.exceptions import RequestException

from penstock.builtin.runners.archive import buffer, packed, unpack
from penstock.builtin.runners.docker import DIRECTORY, TASK_RUN
from penstock.builtin.runners.runner import OutputSink, RunnerError, Stream

_STDERR = 2


class Container:
    """A container on an engine. `end` may be called by any thread."""

    def __init__(self, found: EngineContainer) -> None:
        self._found = found

    @classmethod
    def create(cls, client: DockerClient, options: Mapping[str, Any]) -> Container:
        """Make a container that does not run yet.

        Raises:
            RunnerError: The engine refuses.
        """
        try:
            return cls(client.containers.create(**options))
        except (DockerException, RequestException) as error:
            raise _refused("made", error) from None

    @classmethod
    def of_task_run(cls, client: DockerClient, task_run_id: str) -> Container | None:
        """Return the container that an earlier worker started for a task run (SCR-054, SCR-055)."""
        found = client.containers.list(all=True, filters={"label": f"{TASK_RUN}={task_run_id}"}, ignore_removed=True)
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
        with packed(folder, str(self.directory).lstrip("/")) as file:
            try:
                self._found.put_archive("/", file)
            except (DockerException, RequestException) as error:
                raise _refused("given its files", error) from None

    def run(self, sink: OutputSink) -> int:
        """Start it and hand on all that the commands write until they end; return the exit code."""
        try:
            with self._streams() as pieces:
                self._found.start()
                for number, data in pieces:
                    sink.write(Stream.ERR if number == _STDERR else Stream.OUT, data)
            return int(self._found.wait()["StatusCode"])
        except (DockerException, RequestException) as error:
            raise _refused("run", error) from None

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

        try:
            with ThreadPoolExecutor(max_workers=len(Stream)) as readers:
                for _ in readers.map(read, Stream):
                    pass
            return int(self._found.wait()["StatusCode"])
        except (DockerException, RequestException) as error:
            raise _refused("followed", error) from None

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
        try:
            self._found.start()
        except (DockerException, RequestException) as error:
            raise _refused("started", error) from None

    def get(self, folder: Path) -> None:
        """Copy what is in the working directory now into a folder of the worker."""
        try:
            pieces, _ = self._found.get_archive(str(self.directory))
            with buffer() as file:
                for piece in pieces:
                    file.write(piece)
                file.seek(0)
                unpack(file, folder)
        except NotFound:
            return  # the commands removed their own directory
        except (DockerException, RequestException, tarfile.TarError) as error:
            raise _refused("asked for its files", error) from None

    def end(self, grace: int) -> None:
        """Ask the commands to end, and kill them after a time in seconds."""
        with suppress(DockerException, RequestException):
            self._found.stop(timeout=grace)

    def remove(self) -> None:
        """Remove it with all that is in it, whether it runs or not."""
        try:
            self._found.remove(force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != 409:  # somebody else is removing it
                raise _refused("removed", error) from None
        except (DockerException, RequestException) as error:
            raise _refused("removed", error) from None


def _refused(what: str, error: Exception) -> RunnerError:
    reason = str(getattr(error, "explanation", None) or error).strip() or type(error).__name__
    return RunnerError(
        f"the container could not be {what}: {reason.splitlines()[0][:300]}", hint="see what its engine says"
    )
