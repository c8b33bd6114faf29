"""The processes a command has started: finding them, wherever they went, and ending them all.

They are known by the process group, by a mark in the environment, which a process that leaves the group keeps, and by
their parents. Without `/proc` the group alone is known.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PAUSE = 0.02
_CONFIRMATION = 5.0

MARK = "PENSTOCK_PROCESS_OF"
"""The environment variable with the mark."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the system tells of a process."""

    pid: int
    parent: int
    group: int
    session: int
    started: int
    is_alive: bool


class Family:
    """The process that leads a group and session of its own, and all that descend from it.

    The leader must not be reaped before the family is ended: until then its number belongs to nobody else. A process
    that has left the group, cleared its environment and lost its parent before anybody looked is not known.

    Args:
        leader: Process id of the first process.
        mark: The value of `MARK` in its environment.
    """

    def __init__(self, leader: int, mark: str) -> None:
        self._leader = leader
        self._mark = mark
        self._seen: dict[int, int] = {}
        """Members found so far, with when they started: one whose parent has gone since is still known."""

    def end(self, grace: float) -> bool:
        """End every process: ask, and after the grace period kill. Returns whether all are known to be gone."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + grace
        while time.monotonic() < deadline:
            if not self.is_alive():
                return True
            time.sleep(_PAUSE)
        return self.kill()

    def kill(self) -> bool:
        """Kill every process, those started meanwhile too. Returns whether all are known to be gone."""
        deadline = time.monotonic() + _CONFIRMATION
        while self.is_alive():
            self._signal(signal.SIGKILL)
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE)
        return True

    def is_alive(self) -> bool:
        """Return whether any process is left."""
        if _has_proc():
            return bool(self._members())
        try:
            os.killpg(self._leader, 0)
        except OSError:
            return False
        return True

    def pids(self) -> list[int]:
        """Return the numbers of those that are left."""
        if not _has_proc():
            return [self._leader] if self.is_alive() else []
        return sorted(one.pid for one in self._members())

    def _signal(self, number: signal.Signals) -> None:
        members = self._members()  # before the group is signalled: who loses a parent then may lose all that tells
        with contextlib.suppress(OSError):
            os.killpg(self._leader, number)
        for one in members:
            if one.group != self._leader:
                with contextlib.suppress(OSError, ValueError):
                    signal_one(one, number)

    def _members(self) -> list[Known]:
        """Return the living processes of the family, found anew."""
        found = {one.pid: one for one in processes()}
        if self._leader not in found:
            return []
        eldest = found[self._leader].started
        young = [one for one in found.values() if one.started >= eldest]
        members = {one.pid for one in young if self._belongs(one)}
        while more := {one.pid for one in young if one.parent in members} - members:
            members |= more
        self._seen = {pid: found[pid].started for pid in members}
        return [found[pid] for pid in members if found[pid].is_alive]

    def _belongs(self, one: Known) -> bool:
        if self._leader in (one.pid, one.group, one.session) or self._seen.get(one.pid) == one.started:
            return True
        return has_mark(one.pid, self._mark)


def holders(*descriptors: int) -> list[int]:
    """Return the numbers of the other processes that hold one of these pipes, as far as they can be seen."""
    pipes = {f"pipe:[{os.fstat(one).st_ino}]" for one in descriptors}
    others = (one.pid for one in processes() if one.pid != os.getpid())
    return sorted(pid for pid in others if not pipes.isdisjoint(_open_files(pid)))


def _open_files(pid: int) -> set[str]:
    """Return what a process has open; nothing where that cannot be seen."""
    found = set()
    with contextlib.suppress(OSError), os.scandir(_PROC / str(pid) / "fd") as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                found.add(os.readlink(entry))
    return found


def has_mark(pid: int, mark: str) -> bool:
    """Return whether a process has a mark in its environment, as far as that can be seen."""
    try:
        return f"{MARK}={mark}".encode() in _PROC.joinpath(str(pid), "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _has_proc() -> bool:
    return _PROC.joinpath("self", "stat").exists()


def processes() -> Iterator[Known]:
    """Return all processes of the machine; none where there is no `/proc`."""
    for entry in os.scandir(_PROC) if _has_proc() else ():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                yield known(int(entry.name))


def known(pid: int) -> Known:
    """Return what the system tells of a process; raises OSError when there is none of that number."""
    with open(f"/proc/{pid}/stat", errors="replace") as file:
        text = file.read()
    fields = text[text.rindex(")") + 1 :].split()  # a name may hold blanks and brackets
    state, parent, group, session = fields[:4]
    return Known(pid, int(parent), int(group), int(session), int(fields[19]), state not in "ZX")


def signal_one(found: Known, number: signal.Signals) -> None:
    """Signal a process, unless its number has passed on to a stranger since it was found."""
    handle = os.pidfd_open(found.pid)
    try:
        if known(found.pid).started == found.started:
            signal.pidfd_send_signal(handle, number)
    finally:
        os.close(handle)
