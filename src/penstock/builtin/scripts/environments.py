"""Folders with installed packages, made once by whoever needs them first and kept for later runs of any flow."""

from __future__ import annotations

import fcntl
import hashlib
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from penstock.builtin.runners.process import Process
from penstock.builtin.runners.runner import Command, Stream
from penstock.builtin.scripts.lines import LineSplitter
from penstock.sdk import PluginError, RunContext

_PAUSE = 0.1
_LONGEST = 8_192


class DependenciesFailed(PluginError):
    """Packages could not be installed."""

    code = "DEPENDENCIES_FAILED"


class Environments:
    """The environments of one language in the user's cache folder. Implements SCR-047, BEY-036.

    Args:
        context: The task's; told what installers say.
        environment: The variables installers see.
        language: The name of the folder they lie in.
    """

    def __init__(self, context: RunContext, environment: Mapping[str, str], language: str) -> None:
        self._context = context
        self._environment = environment
        self._language = language

    @contextmanager
    def folder(
        self, interpreter: Path, contents: Sequence[str], build: Callable[[Path], None], *, is_kept: bool
    ) -> Iterator[Path]:
        """Give an environment while commands use it.

        Args:
            interpreter: The program it is for.
            contents: What is in it: packages, or a lock of them.
            build: Makes it, in a folder that is not there yet.
            is_kept: Whether it is kept for others, or goes away afterwards.
        """

        def install(folder: Path) -> None:
            self._context.logger.debug(f"installing {', '.join(line for one in contents for line in one.splitlines())}")
            build(folder)

        if is_kept:
            yield self._kept(_name(interpreter.resolve(), contents), install)
            return
        with tempfile.TemporaryDirectory(prefix=f"penstock-{self._language}-", ignore_cleanup_errors=True) as parent:
            folder = Path(parent, "environment")
            install(folder)
            yield folder

    def call(self, arguments: Sequence[str], directory: Path | None = None) -> None:
        """Run an installer; what it writes is logged.

        Raises:
            DependenciesFailed: It ended with an error.
        """
        said = _Said(self._context)
        command = Command(arguments, self._environment, directory or self._context.working_directory)
        code = Process(type=Process.type_name).run(self._context, command, said)
        if code != 0:
            raise DependenciesFailed(
                f"`dependencies` cannot be installed: {' '.join(said.last) or f'exit code {code}'}",
                hint="correct the names and versions, or see whether the package index can be reached",
            )

    def _kept(self, name: str, build: Callable[[Path], None]) -> Path:
        """Return the environment of that name, made aside by the first who needs it.

        Its programs hold the path it was made at, so it stays there; what is renamed into place when it is complete is
        a link to it.
        """
        home = self._environment.get("HOME") or str(Path.home())
        root = Path(self._environment.get("XDG_CACHE_HOME") or Path(home, ".cache"), "penstock", self._language)
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        link = root / name
        if link.exists():
            return link.resolve()
        with self._lock(root / f"{name}.lock"):
            if not link.exists():
                for left in root.glob(f".{name}.*"):
                    shutil.rmtree(left, ignore_errors=True)  # somebody's who did not come to the end
                aside = root / f".{name}.{secrets.token_hex(4)}"
                build(aside)
                made = aside.with_suffix(".link")
                made.symlink_to(aside.name)
                made.replace(link)
        return link.resolve()

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


def _name(interpreter: Path, contents: Sequence[str]) -> str:
    """Return the name of an environment: the hash of what is in it."""
    parts = [str(interpreter), str(interpreter.stat().st_mtime_ns), *sorted(set(contents))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


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
