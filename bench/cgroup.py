"""A control group with little memory, as a container has it; of either version, where root may make one."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_EMPTY_WITHIN = 5.0


class NoControlGroups(Exception):
    """No group with a limit of memory can be made here; the message says why."""


class ControlGroup:
    """A group of processes that may use so much memory together.

    Args:
        megabytes: How much.

    Raises:
        NoControlGroups: None can be made.
    """

    def __init__(self, megabytes: int) -> None:
        is_first_version = (_ROOT / "memory").is_dir()
        parent = _ROOT / "memory" if is_first_version else _ROOT
        self._folder = parent / f"penstock-{os.getpid()}-{megabytes}"
        try:
            if not is_first_version and "memory" not in (parent / "cgroup.subtree_control").read_text().split():
                (parent / "cgroup.subtree_control").write_text("+memory")
            self._folder.mkdir()
            limit = self._folder / ("memory.limit_in_bytes" if is_first_version else "memory.max")
            limit.write_text(str(megabytes * 1024 * 1024))
        except OSError as error:
            if self._folder.is_dir():
                self._folder.rmdir()
            raise NoControlGroups(f"no control group can be made: {error}") from None
        self._events = self._folder / ("memory.oom_control" if is_first_version else "memory.events")

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command begins with that is to run within from its first moment."""
        return ("/bin/sh", "-c", f'echo $$ > {self._folder}/cgroup.procs && exec "$@"', "sh")

    @property
    def ended(self) -> int:
        """How many processes were ended since there was no memory for them."""
        found = re.search(r"^oom_kill (\d+)", self._events.read_text(), re.MULTILINE)
        return int(found[1]) if found else 0

    def remove(self) -> None:
        """Remove it, as soon as the last process in it is gone."""
        deadline = time.monotonic() + _EMPTY_WITHIN
        while True:
            try:
                self._folder.rmdir()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
