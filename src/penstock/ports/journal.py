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

COUNTED = 64
"""The partition of all executions that a limit counts: whoever holds it decides for them all, and so can count them."""
PARTITIONS = COUNTED + 1
"""Fixed number of partitions that executors share out."""


def partition_of(execution_id: str) -> int:
    """Return the partition in which an execution comes into being: a stable hash of its id.

    It stays there, unless a limit counts it: then it goes on in `COUNTED`, from before its first task.
    """
    import zlib

    return zlib.crc32(execution_id.encode()) % COUNTED


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


class KeyTaken(PenstockError):
    """New executions that had to be the first of their keys are not: nothing of the batch was written."""

    code = "KEY_TAKEN"


@dataclass(frozen=True, slots=True)
class Loaded:
    """One execution with all its task runs, as stored."""

    execution: Execution
    task_runs: Sequence[TaskRun]
    partition: int


@dataclass(frozen=True, slots=True)
class Occupancy:
    """The live executions of a flow, oldest first.

    Args:
        running: Those that have begun.
        queued: Those that are QUEUED.
        elsewhere: Those of both that are not in `COUNTED`: they began when nothing limited them.
    """

    running: Sequence[str]
    queued: Sequence[str]
    elsewhere: Set[str]


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """An event waiting in an execution's inbox."""

    id: int
    execution_id: str
    event: AnyEvent
    partition: int
    """Whose inbox it is in: that of its execution, unless that has moved to `COUNTED` meanwhile."""


@dataclass(slots=True)
class Batch:
    """Everything one round of the executor writes, in one transaction; later rows of an id have replaced earlier."""

    new_executions: dict[str, Execution] = field(default_factory=dict)
    firsts: set[str] = field(default_factory=set)
    """Those of them whose firing keys must be new, else nothing is written."""
    counted: set[str] = field(default_factory=set)
    """Executions, new ones or not, that belong to `COUNTED` from now on."""
    executions: dict[str, Execution] = field(default_factory=dict)
    """Changed ones; only their changing columns are written."""
    before: dict[str, Execution] = field(default_factory=dict)
    """What is stored of them until now, as far as whoever holds their partitions knows."""
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
    share: int = -1
    """Which rows of the counts of ended executions it adds to: the lowest partition its executor holds names them, so
    that no other executor writes to them at the same moment."""


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
            KeyTaken: One of `firsts` is not the first.
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

    async def enrol(self, owner: str, ttl: Micros, now: Instant) -> int:
        """Say that an executor lives, for so long; returns how many do."""
        ...

    async def lease(self, owner: str, wanted: int, ttl: Micros, now: Instant) -> Sequence[Lease]:
        """Renew what the owner holds, take over what nobody holds up to `wanted` in all, give back the rest.

        `COUNTED` is given back last, since whoever takes it has to count anew.
        """
        ...

    async def release(self, owner: str) -> None:
        """Give back all partitions of the owner at once: it does not live any more."""
        ...

    async def occupancy(self, tenant: str, namespace: str, flow_id: str) -> Occupancy:
        """Return the live executions of a flow."""
        ...

    async def elsewhere(self, flows: Iterable[tuple[str, str, str]]) -> Mapping[str, tuple[str, str, str]]:
        """Return the executions of these flows that have begun, have not ended and are not in `COUNTED`: id -> flow."""
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
