"""`WorkerGateway`: the one protocol a worker knows (BEY-010). A worker never sees a database.

Two implementations: direct (same trust zone) and HTTP long-poll with worker tokens.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from penstock.base.clock import Instant, Micros
from penstock.engine.decision import Job
from penstock.engine.events import TaskEnded, TaskStarted
from penstock.engine.records import Fixtures, LogLine, Metric


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job with what is needed to run it."""

    job: Job
    definition: Mapping[str, Any]
    """The task's properties with defaults applied, expressions unrendered."""
    type: str
    """Canonical type name."""
    variables: Mapping[str, Any]
    """The expression context; a lazy mapping (EXP-020)."""
    timeout: str | None = None
    log_level: str | None = None
    quick: bool = False
    attempts_count: int = 0
    kind: str = "NORMAL"
    fixtures: Fixtures | None = None
    """What stands in for tasks inside this one (GOV-321)."""
    confidential: tuple[str, ...] = ()
    """Calls that give the secrets that outputs of the execution hold, to be hidden here too (BEY-061)."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a job, with what it said along the way; written in one transaction."""

    job: Job
    event: TaskStarted | TaskEnded
    logs: Sequence[LogLine] = ()
    metrics: Sequence[Metric] = ()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a worker reports of the evaluation of a trigger.

    Args:
        job: The evaluation.
        worker_id: Who did it.
        variables: The event found, as `trigger` of the execution it starts; None when nothing has happened.
        key: Names the event within its trigger, so that it starts one execution however often it is reported.
        is_over: Whether the evaluation is; a listener goes on after an event.
        error: Why it failed.
        log_file: The file that holds its log, among those of the execution that its event starts.
    """

    job: Job
    worker_id: str
    variables: Mapping[str, Any] | None = None
    key: str | None = None
    is_over: bool = True
    error: str | None = None
    log_file: str | None = None


class WorkerGateway(Protocol):
    """Everything a worker needs, and nothing else."""

    async def register(self, worker_id: str, group: str, capacity: int, hostname: str | None = None) -> None:
        """Make the worker known, by where it runs: on this machine unless it says otherwise."""
        ...

    async def claim(self, worker_id: str, limit: int, wait: Micros) -> Sequence[Assignment]:
        """Return up to `limit` jobs, waiting up to `wait` for the first; returns early with none when nothing came."""
        ...

    async def lost(self, worker_id: str, known: Collection[tuple[str, int]]) -> Sequence[Assignment]:
        """Return the jobs leased to the worker that are not among those it knows: they got lost on their way to it."""
        ...

    async def heartbeat(self, worker_id: str) -> Sequence[tuple[str, int]]:
        """Say that the worker lives; returns (task run, attempt) of jobs it holds that are to be killed.

        Raises LeaseLost when the worker has been given up; what it holds is no longer its own.
        """
        ...

    async def kills(self, worker_id: str, wait: Micros) -> Sequence[tuple[str, int]]:
        """Return (task run, attempt) of jobs to kill, waiting up to `wait` for the first."""
        ...

    async def report(self, reports: Sequence[Report]) -> None:
        """Hand in starts and ends; durable when it returns."""
        ...

    async def evaluated(self, told: Evaluated) -> bool:
        """Hand in what the evaluation of a trigger found; durable when it returns.

        False when nobody waits for the evaluation any more: an event in it has started nothing.
        """
        ...

    async def logs(self, lines: Sequence[LogLine]) -> None:
        """Store log lines of running jobs."""
        ...

    async def metrics(self, metrics: Sequence[Metric]) -> None:
        """Store metrics of running jobs."""
        ...

    async def release(self, worker_id: str) -> None:
        """Hand back everything the worker holds; it is stopping."""
        ...

    async def put_file(self, job: Job, name: str, content: bytes | Path) -> str:
        """Store a file of the job and return its URI."""
        ...

    async def get_file(self, job: Job, uri: str, target: Path) -> None:
        """Copy a stored file the job may read to the local disk. Raises NotFoundError, UnauthorizedError."""
        ...

    def stream_file(self, job: Job, uri: str) -> AsyncIterator[bytes]:
        """Return a stored file's bytes in pieces."""
        ...

    async def call(self, job: Job, function: str, arguments: Mapping[str, Any], worker_id: str | None = None) -> Any:
        """Answer an expression function that needs the outside (secret, kv, read, fileSize, errorLogs, ...).

        What changes something is refused, by JobTaken, to a worker that does not have the job any more.
        """
        ...

    async def now(self) -> Instant:
        """Return the server's time."""
        ...
