"""The command line as a real process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import program
from tests.support.program import Process
from tests.support.waiting import PATIENCE


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str


class Command:
    """Runs `penstock` in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[Process] = []

    def __call__(self, *arguments: str, environment: Mapping[str, str] | None = None, stdin: str = "") -> Finished:
        variables = self._environment(environment)
        done = program.run(arguments, cwd=self.folder, env=variables, stdin=stdin, timeout=PATIENCE, strict=True)
        return Finished(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Process:
        """Start it and leave it running; its output goes to `out.txt` and `err.txt`."""
        with (self.folder / "out.txt").open("w") as out, (self.folder / "err.txt").open("w") as err:
            variables = self._environment(environment)
            process = program.start(arguments, cwd=self.folder, env=variables, stdout=out, stderr=err, strict=True)
        self._running.append(process)
        return process

    @property
    def out(self) -> str:
        return (self.folder / "out.txt").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err.txt").read_text()

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    def stop_all(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)

    def _environment(self, extra: Mapping[str, str] | None) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG", "TMPDIR", "TZ") if name in os.environ}
        return {**kept, "HOME": str(self.folder), **(extra or {})}


@pytest.fixture
def penstock(tmp_path: Path) -> Iterator[Command]:
    command = Command(tmp_path)
    yield command
    command.stop_all()


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
