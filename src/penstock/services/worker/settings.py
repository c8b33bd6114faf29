"""How a worker behaves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penstock.base.clock import SECOND, Micros

_PRIVATE = ("SECRET_", "KESTRA_", "PENSTOCK_")


def task_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what processes of tasks may see of the server's environment: no secrets, no configuration."""
    return {name: value for name, value in environment.items() if not name.upper().startswith(_PRIVATE)}


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How a worker behaves.

    Args:
        group: The worker group whose jobs it takes; empty is the default group.
        threads: How many tasks may run at once (quick ones apart).
        announce_after: An attempt that has run this long is reported as started; a shorter one only as ended.
        flush_every: How often log lines of running attempts are handed in.
        heartbeat_every: How often the worker says that it lives.
        sure_for: How long after a heartbeat a task may begin: less than the server waits for the next one.
        claim_wait: How long one claim waits for work.
        grace: How long running attempts may go on when the worker stops (OPS-127).
        abandon_after: How long a killed attempt may take to end before its thread is given up.
        message_bound: Longest log message in characters; the rest is cut.
        outputs_bound: Largest outputs of a task in bytes of JSON.
        directory: Where working directories are made (SCR-027); the system's folder for temporary files by default.
        allowed_paths: Host folders whose files tasks may read by `file://` (ENG-346).
        environment: Environment variables for processes of tasks.
    """

    group: str = ""
    threads: int = field(default_factory=lambda: 8 * (os.cpu_count() or 1))
    announce_after: Micros = SECOND // 20
    flush_every: Micros = SECOND // 5
    heartbeat_every: Micros = 5 * SECOND
    sure_for: Micros = 30 * SECOND
    claim_wait: Micros = 10 * SECOND
    grace: Micros = 300 * SECOND
    abandon_after: Micros = 10 * SECOND
    message_bound: int = 65_536
    outputs_bound: int = 1024 * 1024
    directory: Path | None = None
    allowed_paths: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: task_environment(os.environ))
