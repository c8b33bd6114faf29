"""What one attempt says: log lines and metrics, gathered in memory until the loop hands them in."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from penstock.base.clock import Clock
from penstock.engine.decision import Job
from penstock.engine.records import LogLine, Metric
from penstock.sdk import TaskLogger
from penstock.services.masked_pieces import Pieces
from penstock.services.masking import MASK, Masker
from penstock.services.worker.log_file import LogFile

LEVELS = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "ERROR": 4}
_ALIASES = {"WARNING": "WARN", "CRITICAL": "ERROR", "FATAL": "ERROR"}
_PAUSE = 0.01


def level_of(name: str) -> str:
    """Return the level of that name; an unknown one counts as INFO."""
    if name in LEVELS:
        return name
    upper = name.upper()
    return _ALIASES.get(upper, upper if upper in LEVELS else "INFO")


class Buffer:
    """What a task run and those inside it have said and the loop has not taken yet, in order."""

    __slots__ = ("closed", "lines", "metrics", "pieces", "streaming")

    def __init__(self) -> None:
        self.pieces = Pieces()
        self.lines: deque[LogLine] = deque()
        self.metrics: deque[Metric] = deque()
        self.streaming = False
        self.closed = False


class TaskLog(TaskLogger):
    """The logger of an attempt (PLG-019) and the place for its metrics.

    Written to by the attempt's threads, emptied by the loop. A long task that logs faster than lines can be stored is
    slowed down rather than allowed to fill the memory.

    Implements ENG-050, PLG-025, BEY-061.
    """

    __slots__ = (
        "_bound",
        "_buffer",
        "_clock",
        "_file",
        "_hide",
        "_job",
        "_kind",
        "_least",
        "_masker",
        "_most",
    )

    def __init__(
        self,
        job: Job,
        clock: Clock,
        masker: Callable[[], Masker | None],
        *,
        least: str | None = None,
        kind: str = "NORMAL",
        bound: int = 65_536,
        most: int = 10_000,
        buffer: Buffer | None = None,
        file: LogFile | None = None,
    ) -> None:
        self._job = job
        self._clock = clock
        self._masker = masker
        self._least = LEVELS[level_of(least)] if least else 0
        self._kind = kind
        self._bound = bound
        self._most = most
        self._buffer = Buffer() if buffer is None else buffer
        self._file = file
        """Takes the lines instead of the buffer, when the task wants it so."""

    def within(self, job: Job, least: str | None, file: LogFile | None = None) -> TaskLog:
        """Return the log of a task run inside this one: what it says is handed in with what this one says."""
        inner = TaskLog(
            job,
            self._clock,
            self._masker,
            least=least,
            kind=self._kind,
            bound=self._bound,
            most=self._most,
            buffer=self._buffer,
            file=file,
        )
        if least is None:
            inner._least = self._least
        return inner

    def log(self, level: str, message: str) -> None:
        """Write a line at the level of this name."""
        level = level_of(level)
        buffer = self._buffer
        if buffer.closed or LEVELS[level] < self._least:
            return
        while self._file is None and buffer.streaming and len(buffer.lines) >= self._most:
            time.sleep(_PAUSE)
        job = self._job
        masker = self._masker()
        line = LogLine(
            tenant=job.tenant,
            namespace=job.namespace,
            flow_id=job.flow_id,
            date=self._clock.now(),
            level=level,
            message=self._cut(message if masker is None else masker.hide(message)),
            **self._place(job),
            thread=threading.current_thread().name,
            kind=self._kind,
        )
        if self._file is not None:
            self._file.write(line)
            return
        buffer.lines.append(line)
        if masker is not None:
            self._hide_pieces(buffer.pieces.take(line.message, masker.forms))

    def _hide_pieces(self, count: int) -> None:
        """Mask the last lines, as far as they have not been taken yet."""
        lines = self._buffer.lines
        with contextlib.suppress(IndexError):  # the loop takes lines at the other end
            for place in range(-1, -count - 1, -1):
                lines[place] = msgspec.structs.replace(lines[place], message=MASK)

    @staticmethod
    def _place(job: Job) -> dict[str, Any]:
        """Return what a line belongs to; the evaluation of a trigger has no execution (yet)."""
        if job.trigger_id is not None:
            return {"trigger_id": job.trigger_id}
        return {
            "execution_id": job.execution_id,
            "task_id": job.task_id,
            "task_run_id": job.task_run_id,
            "attempt": job.attempt,
        }

    def metric(self, kind: str, name: str, value: float, tags: Mapping[str, str] | None) -> None:
        """Keep a metric, a `counter`, `timer` or `gauge`; triggers have none, since a metric belongs to a task run."""
        job = self._job
        if job.trigger_id is not None:
            return
        masker = self._masker()
        hide = str if masker is None else masker.hide
        self._buffer.metrics.append(
            Metric(
                tenant=job.tenant,
                namespace=job.namespace,
                flow_id=job.flow_id,
                execution_id=job.execution_id,
                task_id=job.task_id,
                task_run_id=job.task_run_id,
                type=kind,
                name=hide(name),
                value=float(value),
                date=self._clock.now(),
                tags={key: hide(str(tag)) for key, tag in tags.items()} if tags else {},
                kind=self._kind,
            )
        )

    def stream(self, on: bool) -> None:
        """Say whether lines are being handed in from now on; only then a full buffer makes the writer wait."""
        self._buffer.streaming = on

    def close(self) -> None:
        """Keep nothing from now on: the attempt is over, even if its thread goes on."""
        self._buffer.closed = True
        self._buffer.streaming = False

    @property
    def file(self) -> LogFile | None:
        """The file the lines are written to, if they are."""
        return self._file

    def return_lines(self) -> None:
        """Keep the lines of the file like any others: it cannot be handed in."""
        if self._file is not None:
            self._buffer.lines.extend(self._file.take_lines())

    def take_lines(self) -> list[LogLine]:
        """Take out the lines written so far."""
        return _emptied(self._buffer.lines)

    def take_metrics(self) -> list[Metric]:
        """Take out the metrics recorded so far."""
        return _emptied(self._buffer.metrics)

    def _cut(self, message: str) -> str:
        if len(message) <= self._bound:
            return message
        return f"{message[: self._bound]}... ({len(message) - self._bound} more characters were cut)"


def _emptied(queue: deque) -> list:  # type: ignore[type-arg]  # of whatever it holds
    taken = []
    while queue:
        taken.append(queue.popleft())
    return taken
