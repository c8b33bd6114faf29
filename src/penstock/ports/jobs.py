"""The queue of work for workers: claimed with a lease, renewed by heartbeat, given again when the worker is gone."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from penstock.base.clock import Instant, Micros
from penstock.base.errors import ConflictError
from penstock.engine.decision import Job

QueueKey = tuple[str, int]
"""Jobs that are taken in one order: (worker group, priority)."""


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A live worker as the database knows it."""

    id: str
    group: str
    hostname: str
    started: Instant
    heartbeat: Instant
    state: str
    """`RUNNING` or `TERMINATING`."""


@dataclass(frozen=True, slots=True)
class Held:
    """The lease under which a worker acts: what it says it has."""

    task_run_id: str
    attempt: int
    worker_id: str


class JobTaken(ConflictError):
    """A worker acts for an attempt that is no longer its own: nothing was written."""

    code = "JOB_TAKEN"

    def __init__(self, held: Held) -> None:
        super().__init__(
            f"worker {held.worker_id} does not have attempt {held.attempt} of task run {held.task_run_id} any more",
            hint="it was given up or the attempt has ended; whoever has it now does the work",
        )


class JobQueue(Protocol):
    """Jobs between executor and workers. A job exists until its end is stored."""

    async def register(
        self, worker_id: str, group: str, hostname: str, now: Instant, *, is_remote: bool = False
    ) -> None:
        """Make a worker known; jobs can be leased to it from now on. A remote one lives apart from all servers."""
        ...

    async def heartbeat(self, worker_id: str, now: Instant) -> bool:
        """Say that the worker lives. False when it has been given up: what it holds is no longer its own."""
        ...

    async def claim(self, worker_id: str, group: str, limit: int, now: Instant) -> Sequence[Job]:
        """Lease up to `limit` unowned jobs of the group to the worker: highest priority first, then by turn."""
        ...

    async def release(self, worker_id: str) -> int:
        """Hand back all jobs of the worker and forget it; returns how many jobs there were."""
        ...

    async def expire(self, timeout: Micros, now: Instant) -> Sequence[str]:
        """Give up workers without a heartbeat for `timeout`: their jobs are unowned again. Returns their ids."""
        ...

    async def begin_alone(self, now: Instant) -> Sequence[str]:
        """Give up all workers but remote ones, as the only server of a database that begins; returns their ids.

        Remote ones are as if heard of now: there was nobody who could have heard them.
        """
        ...

    async def owned(self, worker_id: str, known: Container[tuple[str, int]] = ()) -> Sequence[Job]:
        """Return the jobs leased to a worker, but for those (task run, attempt) that are known."""
        ...

    async def check(self, held: Held) -> None:
        """See that a worker has a job.

        Raises:
            JobTaken: It has not.
        """
        ...

    async def drop_strays(self, before: Instant) -> Sequence[tuple[Job, str | None]]:
        """Delete the jobs from before then that nobody has and no live execution needs (BEY-001).

        Returns them with the state of their execution; None where it does not exist. Evaluations of triggers stay:
        their execution is only made by what they find.
        """
        ...

    async def strand(self, owner: str) -> Sequence[Job]:
        """Lease to `owner`, no worker, the unowned jobs that would not wait though no worker of their group lives.

        Leased so that no worker claims them meanwhile; `expire` frees them when their end is never decided on.
        """
        ...

    async def unowned(self) -> int:
        """Return how many jobs wait for a worker."""
        ...

    async def turns(self) -> Mapping[QueueKey, int]:
        """Return the lowest turn of the jobs that wait for a worker, by group and priority."""
        ...

    async def workers(self) -> Sequence[WorkerInfo]:
        """Return the live workers."""
        ...
