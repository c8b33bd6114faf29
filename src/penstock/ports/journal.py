"""The executor's memory: load working sets, commit batches of decisions, keep partitions, timers and messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol

from penstock.base.clock import Instant, Micros
from penstock.base.errors import PenstockError
from penstock.engine.decision import Job, Killed, Message, Timer
from penstock.engine.events import AnyEvent
from penstock.engine.records import Execution, LogLine, Metric, TaskRun

PARTITIONS = 64
"""Fixed number of partitions; an execution's partition is a stable hash of its id (see `partition_of`)."""


def partition_of(execution_id: str) -> int:
    """Return the partition of an execution: a stable hash of its id."""
    import zlib

    return zlib.crc32(execution_id.encode()) % PARTITIONS


class LeaseLost(PenstockError):
    """Another executor holds a partition this one wrote to: nothing of the batch was written."""

    code = "LEASE_LOST"


class StaleReports(PenstockError):
    """Ends were reported by workers whose jobs others have by now: nothing of the batch was written.

    Args:
        holders: The jobs, as (task run, attempt), with the worker that has each.
    """

    code = "STALE_REPORTS"

    def __init__(self, holders: Mapping[tuple[str, int], str]) -> None:
        super().__init__(f"{len(holders)} ended jobs have been given to other workers")
        self.holders = holders

    def is_late(self, key: tuple[str, int] | None, worker: str | None) -> bool:
        """Return whether what a worker says of a job comes too late."""
        holder = self.holders.get(key) if key is not None else None
        return None not in (holder, worker) and holder != worker


@dataclass(frozen=True, slots=True)
class Loaded:
    """One execution with all its task runs, as stored."""

    execution: Execution
    task_runs: Sequence[TaskRun]


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """An event waiting in an execution's inbox."""

    id: int
    execution_id: str
    event: AnyEvent


@dataclass(slots=True)
class Batch:
    """Everything one round of the executor writes, in one transaction; later rows of an id have replaced earlier."""

    new_executions: dict[str, Execution] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    """Changed ones; only their changing columns are written."""
    new_task_runs: dict[str, TaskRun] = field(default_factory=dict)
    task_runs: dict[str, TaskRun] = field(default_factory=dict)
    """Changed ones; only their changing columns are written."""
    jobs: dict[tuple[str, int], tuple[Job, str | None]] = field(default_factory=dict)
    """New jobs with the worker they are given to at once, or None to leave them to whoever claims them."""
    ended_jobs: dict[tuple[str, int], str | None] = field(default_factory=dict)
    """Jobs to delete, since their end has been decided on: with the worker that reported it, or None for any."""
    kills: list[Killed] = field(default_factory=list)
    timers: dict[tuple[str, str, str | None], Timer] = field(default_factory=dict)
    cancelled_timers: set[tuple[str, str, str | None]] = field(default_factory=set)
    """(execution, purpose, task run)."""
    messages: list[Message] = field(default_factory=list)
    """For executions of any partition."""
    consumed: list[int] = field(default_factory=list)
    """Ids of stored messages this batch has dealt with."""
    logs: list[LogLine] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    fences: Mapping[int, int] = field(default_factory=dict)
    """Partition -> token, of every partition the batch writes to."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A partition held by an executor until `expires`, with the token that fences its writes."""

    partition: int
    token: int
    expires: Instant


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What the transaction found out while writing."""

    killed_unclaimed: Sequence[Killed] = ()
    """Kill orders whose job nobody had: the job is deleted, nobody will report its end."""
    killed_claimed: Sequence[tuple[Killed, str]] = ()
    """Kill orders whose job a worker has: (order, worker id)."""
    duplicates: Sequence[str] = ()
    """Ids of new executions that were not written because their firing key exists already."""


class Journal(Protocol):
    """What an executor writes and reads."""

    async def load(self, execution_ids: Iterable[str]) -> Mapping[str, Loaded]:
        """Return the stored working sets of those executions that exist."""
        ...

    async def commit(self, batch: Batch) -> CommitResult:
        """Write everything or nothing, durably, before returning.

        Raises:
            LeaseLost: A fence does not hold any more.
            StaleReports: Another worker has a job whose end was reported.
            UnavailableError: The database cannot write now (full disk, connection lost).
        """
        ...

    async def messages(self, partitions: Iterable[int], after: int, limit: int) -> Sequence[StoredMessage]:
        """Return waiting messages of these partitions with an id above `after`, oldest first."""
        ...

    async def send(
        self,
        messages: Sequence[Message],
        *,
        new: Sequence[Execution] = (),
        runs: Sequence[TaskRun] = (),
        logs: Sequence[LogLine] = (),
        metrics: Sequence[Metric] = (),
        ended_jobs: Mapping[tuple[str, int], str | None] | None = None,
    ) -> Set[str]:
        """Put events into inboxes from outside an executor, with executions and lines that belong to them, durably.

        Jobs whose end is among the events are deleted, so that nobody is given them again.

        Returns:
            The ids of new executions that were left out, because they or their firing exist already.

        Raises:
            StaleReports: Another worker has a job whose end was reported.
        """
        ...

    async def timers(self, partitions: Iterable[int], until: Instant, limit: int) -> Sequence[Timer]:
        """Return timers of these partitions due until then, soonest first."""
        ...

    async def lease(self, owner: str, wanted: int, ttl: Micros, now: Instant) -> Sequence[Lease]:
        """Renew what the owner holds, take over what nobody holds up to `wanted` in all, give back the rest."""
        ...

    async def release(self, owner: str) -> None:
        """Give back all partitions of the owner at once."""
        ...

    async def occupancy(self, tenant: str, namespace: str, flow_id: str) -> tuple[Sequence[str], Sequence[str]]:
        """Return the executions of a flow that have begun and not ended, and those that are QUEUED, oldest first."""
        ...

    async def queued(self) -> Sequence[tuple[str, str, str]]:
        """Return (tenant, namespace, flow id) of the flows that have QUEUED executions."""
        ...

    async def busy(self) -> Sequence[tuple[str, str, str]]:
        """Return (tenant, namespace, flow id) of the flows that have executions which have not ended."""
        ...

    async def live(self, partitions: Iterable[int], after: str, limit: int) -> Sequence[str]:
        """Return ids of executions that have not ended, for recovery after taking a partition over; paged by id."""
        ...
