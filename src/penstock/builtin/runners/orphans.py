"""Processes that outlived the worker which started them: noted on the disk, found and ended by the next worker.

A worker that is killed cannot end its commands. Each of them carries a random mark in its environment, and a small file
named after the mark says which worker it belongs to. What has the mark of a worker that is gone is an orphan, whatever
its number; so nothing else can be hit.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
import time
from pathlib import Path

from penstock.builtin.runners.family import Known, has_mark, known, processes, signal_one

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PATIENCE = 5.0
_PAUSE = 0.02


class Notes:
    """Which commands of which workers run on this machine; does nothing where there is no `/proc`. Implements BEY-009.

    Args:
        folder: Where the files lie; one of its own in the folder for temporary files by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(tempfile.gettempdir(), f"penstock-processes-{os.getuid()}")

    def add(self, mark: str) -> None:
        """Note a command that this process is about to start."""
        if not _BOOT.exists() or not self._is_ours():
            return
        me = os.getpid()
        note = {"boot": _BOOT.read_text().strip(), "worker": me, "started": known(me).started}
        path = self._folder / mark
        with contextlib.suppress(OSError):  # a full disk keeps no command from running
            path.with_suffix(".new").write_text(json.dumps(note))
            path.with_suffix(".new").rename(path)

    def remove(self, mark: str) -> None:
        """Forget a command of which nothing is left."""
        with contextlib.suppress(OSError):
            (self._folder / mark).unlink()

    def end_orphans(self) -> int:
        """End the commands of workers that are gone, with all they started; returns how many commands there were."""
        if not _BOOT.exists() or not self._folder.is_dir() or not self._is_ours():
            return 0
        count = 0
        for path in sorted(self._folder.iterdir()):
            note = _read(path)
            if note is None or _lives(note):
                continue
            count += note.get("boot") == _BOOT.read_text().strip() and _end(path.name)
            path.unlink(missing_ok=True)
        return count

    def _is_ours(self) -> bool:
        """Make the folder where there is none; False when it belongs to somebody else, who could lead us astray."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = self._folder.lstat()
            return status.st_uid == os.getuid() and not status.st_mode & 0o022
        return False


def _read(path: Path) -> dict[str, object] | None:
    """Return a note; None for a file that is no whole note."""
    if path.suffix:
        return None
    try:
        note = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def _lives(note: dict[str, object]) -> bool:
    """Return whether the worker of a note still runs."""
    if note.get("boot") != _BOOT.read_text().strip():
        return False
    worker = note.get("worker")
    try:
        return isinstance(worker, int) and known(worker).started == note.get("started")
    except (OSError, ValueError):
        return False


def _end(mark: str) -> bool:
    """Kill everything with a mark, and what descends from it; returns whether there was anything."""
    deadline = time.monotonic() + _PATIENCE
    found = False
    while (members := _marked(mark)) and time.monotonic() < deadline:
        found = True
        for one in members:
            with contextlib.suppress(OSError, ValueError):
                signal_one(one, signal.SIGKILL)
        time.sleep(_PAUSE)
    return found


def _marked(mark: str) -> list[Known]:
    """Return the living processes with a mark, those in sessions they lead, and their descendants."""
    alive = [one for one in processes() if one.is_alive]
    marked = {one.pid for one in alive if has_mark(one.pid, mark)}
    leaders = {one.session for one in alive if one.pid in marked and one.pid == one.session}
    members = marked | {one.pid for one in alive if one.session in leaders}
    while more := {one.pid for one in alive if one.parent in members} - members:
        members |= more
    return [one for one in alive if one.pid in members]
