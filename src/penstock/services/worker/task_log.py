"""What one attempt says: log lines and metrics, gathered in memory until the loop hands them in."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from penstock.base.clock import Clock
from penstock.engine.decision import Job
from penstock.engine.records import LogLine, Metric

LEVELS = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "ERROR": 4}
_ALIASES = {"WARNING": "WARN", "CRITICAL": "ERROR", "FATAL": "ERROR"}
_PAUSE = 0.01


def level_of(name: str) -> str:
    """Return the level of that name; an unknown one counts as INFO."""
    if name in LEVELS:
        return name
    upper = name.upper()
    return _ALIASES.get(upper, upper if upper in LEVELS else "INFO")


class TaskLog:
    """The logger of an attempt (PLG-019) and the place for its metrics.

    Written to by the attempt's threads, emptied by the loop. A long task that logs faster than lines can be stored is
    slowed down rather than allowed to fill the memory.

    Implements ENG-050, PLG-025.
    """

    __slots__ = (
        "_bound",
        "_clock",
        "_closed",
        "_hide",
        "_job",
        "_kind",
        "_least",
        "_lines",
        "_metrics",
        "_most",
        "_streaming",
    )

    def __init__(
        self,
        job: Job,
        clock: Clock,
        hide: Callable[[str], str],
        *,
        least: str | None = None,
        kind: str = "NORMAL",
        bound: int = 65_536,
        most: int = 10_000,
    ) -> None:
        self._job = job
        self._clock = clock
        self._hide = hide
        self._least = LEVELS[level_of(least)] if least else 0
        self._kind = kind
        self._bound = bound
        self._most = most
        self._lines: deque[LogLine] = deque()
        self._metrics: deque[Metric] = deque()
        self._streaming = False
        self._closed = False

    def trace(self, message: str) -> None:
        """Write a line at TRACE."""
        self.log("TRACE", message)

    def debug(self, message: str) -> None:
        """Write a line at DEBUG."""
        self.log("DEBUG", message)

    def info(self, message: str) -> None:
        """Write a line at INFO."""
        self.log("INFO", message)

    def warning(self, message: str) -> None:
        """Write a line at WARN."""
        self.log("WARN", message)

    def error(self, message: str) -> None:
        """Write a line at ERROR."""
        self.log("ERROR", message)

    def log(self, level: str, message: str) -> None:
        """Write a line at the level of this name."""
        level = level_of(level)
        if self._closed or LEVELS[level] < self._least:
            return
        while self._streaming and len(self._lines) >= self._most:
            time.sleep(_PAUSE)
        job = self._job
        self._lines.append(
            LogLine(
                tenant=job.tenant,
                namespace=job.namespace,
                flow_id=job.flow_id,
                date=self._clock.now(),
                level=level,
                message=self._cut(self._hide(message)),
                execution_id=job.execution_id,
                task_id=job.task_id,
                task_run_id=job.task_run_id,
                attempt=job.attempt,
                thread=threading.current_thread().name,
                kind=self._kind,
            )
        )

    def metric(self, kind: str, name: str, value: float, tags: Mapping[str, str] | None) -> None:
        """Keep a metric; `kind` is `counter` or `timer`."""
        job = self._job
        self._metrics.append(
            Metric(
                tenant=job.tenant,
                namespace=job.namespace,
                flow_id=job.flow_id,
                execution_id=job.execution_id,
                task_id=job.task_id,
                task_run_id=job.task_run_id,
                type=kind,
                name=name,
                value=float(value),
                date=self._clock.now(),
                tags={key: self._hide(str(tag)) for key, tag in tags.items()} if tags else {},
                kind=self._kind,
            )
        )

    def stream(self, on: bool) -> None:
        """Say whether lines are being handed in from now on; only then a full buffer makes the writer wait."""
        self._streaming = on

    def close(self) -> None:
        """Keep nothing from now on: the attempt is over, even if its thread goes on."""
        self._closed = True
        self._streaming = False

    def take_lines(self) -> list[LogLine]:
        """Take out the lines written so far."""
        return _emptied(self._lines)

    def take_metrics(self) -> list[Metric]:
        """Take out the metrics recorded so far."""
        return _emptied(self._metrics)

    def _cut(self, message: str) -> str:
        if len(message) <= self._bound:
            return message
        return f"{message[: self._bound]}... ({len(message) - self._bound} more characters were cut)"


def _emptied(queue: deque) -> list:  # type: ignore[type-arg]  # of whatever it holds
    taken = []
    while queue:
        taken.append(queue.popleft())
    return taken
