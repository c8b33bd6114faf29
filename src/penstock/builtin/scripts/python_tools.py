"""The Python that scripts find on their `PATH`: the worker's, or an environment made for their dependencies."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from penstock.builtin.runners.process import Process
from penstock.builtin.runners.runner import Command, Stream
from penstock.builtin.scripts.input_files import PRIVATE
from penstock.builtin.scripts.lines import LineSplitter
from penstock.sdk import PluginError, RunContext

_COMPLETE = ".complete"
_PAUSE = 0.1
_LONGEST = 8_192


class DependenciesFailed(PluginError):
    """Packages could not be installed."""

    code = "DEPENDENCIES_FAILED"


@contextmanager
def python_tools(
    context: RunContext, environment: Mapping[str, str], dependencies: Sequence[str], *, is_kept: bool
) -> Iterator[str | None]:
    """Give the `PATH` on which `python` and `python3` are found with the dependencies; None when it is good as it is.

    Implements SCR-047; BEY-036 in part.
    """
    path = environment.get("PATH", os.defpath)
    python = shutil.which("python3", path=path) or sys.executable
    if not dependencies:
        if shutil.which("python3", path=path) and shutil.which("python", path=path):
            yield None
        else:
            yield os.pathsep.join([str(_named(context, python)), path])
        return
    builder = _Builder(context, environment, python)
    if is_kept:
        folder = builder.kept(dependencies)
        yield os.pathsep.join([str(folder / "bin"), path])
        return
    with tempfile.TemporaryDirectory(prefix="penstock-python-", ignore_cleanup_errors=True) as parent:
        folder = Path(parent, "environment")
        builder.build(folder, dependencies)
        yield os.pathsep.join([str(folder / "bin"), path])


def _named(context: RunContext, python: str) -> Path:
    """Return a folder in which an interpreter has the names that scripts call it by."""
    folder = context.resolve(f"{PRIVATE}/bin")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        program = folder / name
        # Not a link: a Python that is called through one does not find its own environment.
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(python)} "$@"\n')
        program.chmod(0o755)
    return folder


class _Builder:
    """Makes environments with packages."""

    def __init__(self, context: RunContext, environment: Mapping[str, str], python: str) -> None:
        self._context = context
        self._environment = environment
        self._python = python

    def kept(self, dependencies: Sequence[str]) -> Path:
        """Return the environment with these packages, made by the first who needs it.

        It lies in the user's cache folder under the hash of what is in it; a file in it says that it is complete.
        """
        home = self._environment.get("HOME") or str(Path.home())
        root = Path(self._environment.get("XDG_CACHE_HOME") or Path(home, ".cache"), "penstock", "python")
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = root / self._name(dependencies)
        if (folder / _COMPLETE).exists():
            return folder
        with self._lock(folder.with_suffix(".lock")):
            if not (folder / _COMPLETE).exists():
                shutil.rmtree(folder, ignore_errors=True)  # somebody's who did not come to the end
                self.build(folder, dependencies)
                (folder / _COMPLETE).touch()
        return folder

    def build(self, folder: Path, dependencies: Sequence[str]) -> None:
        """Make an environment with `uv`, or `pip` where there is none."""
        self._context.logger.debug(f"installing {', '.join(dependencies)}")
        uv = shutil.which("uv", path=self._environment.get("PATH")) or shutil.which(
            "uv", path=Path(sys.executable).parent
        )
        if uv:
            self._call([uv, "venv", "--quiet", "--python", self._python, str(folder)])
            self._call([uv, "pip", "install", "--python", str(folder / "bin" / "python"), "--", *dependencies])
        else:
            self._call([self._python, "-m", "venv", str(folder)])
            self._call(
                [
                    str(folder / "bin" / "python"),
                    "-m",
                    "pip",
                    "--disable-pip-version-check",
                    "install",
                    "--",
                    *dependencies,
                ]
            )

    def _name(self, dependencies: Sequence[str]) -> str:
        interpreter = Path(self._python).resolve()
        parts = [str(interpreter), str(interpreter.stat().st_mtime_ns), *sorted(set(dependencies))]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def _call(self, arguments: Sequence[str]) -> None:
        said = _Said(self._context)
        command = Command(arguments, self._environment, self._context.working_directory)
        code = Process(type=Process.type_name).run(self._context, command, said)
        if code != 0:
            raise DependenciesFailed(
                f"`dependencies` cannot be installed: {' '.join(said.last) or f'exit code {code}'}",
                hint="correct the names and versions, or see whether the package index can be reached",
            )

    @contextmanager
    def _lock(self, path: Path) -> Iterator[None]:
        """Hold a lock between all processes of the machine; a killed task does not wait for it."""
        with path.open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self._context.is_killed:
                        raise DependenciesFailed("killed while another task installs the dependencies") from None
                    time.sleep(_PAUSE)
            yield


class _Said:
    """Logs what an installer writes, and keeps its last words."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._splitters = {stream: LineSplitter(_LONGEST) for stream in Stream}
        self.last: list[str] = []

    def write(self, stream: Stream, data: bytes) -> None:
        """Take a piece of a stream."""
        for line in self._splitters[stream].feed(data):
            self._context.logger.debug(line.text)
            if line.text.strip():
                self.last = [*self.last[-4:], line.text.strip()]
