"""How an executor behaves, and whom it works with in its own process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from penstock.base.clock import SECOND, Micros
from penstock.engine.decision import ChildFlow, Job
from penstock.engine.records import Execution
from penstock.ports.gateway import Assignment
from penstock.ports.jobs import QueueKey
from penstock.services.executor.limits import Limits


class LocalWorker(Protocol):
    """The worker in the same process, if there is one."""

    def reserve(self, job: Job) -> str | None:
        """Reserve a place for a job and return the worker's id; None when it is full or of another group."""
        ...

    def cancel(self, job: Job) -> None:
        """Give a reserved place back: the job was not stored, or nobody knows."""
        ...

    def mislay(self) -> None:
        """Have the worker ask what it was leased: there may be jobs that were not handed over."""
        ...

    def deliver(self, assignments: Sequence[Assignment]) -> None:
        """Hand over jobs that are stored and leased to the worker."""
        ...

    def kill(self, orders: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
        """Order (task run, attempt) to stop, where the worker holds them; returns those it never got to see."""
        ...

    def turns(self) -> Mapping[QueueKey, int]:
        """Return the lowest turn of the jobs that wait here, by group and priority."""
        ...


class Children(Protocol):
    """Makes the executions that task runs ask for."""

    async def child(self, parent: Execution, wanted: ChildFlow) -> tuple[Execution, str | None]:
        """Return the new execution and why it is to fail at once; raises PenstockError when it cannot be made.

        One with another id than was wanted is there already, and stands for it.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExecutorSettings:
    """How an executor behaves.

    Args:
        owner: Its name in leases; unique per start.
        exclusive: Nobody else can use this database: leases of earlier owners are void at once.
        max_batch: Most deliveries of one transaction.
        lease: How long a partition lease lasts without renewal.
        worker_timeout: How long a worker may be silent before its jobs are given to others (OPS-125).
        poll: How often messages, timers and dead workers are looked for without a notification.
        shared: Variables the instance adds to every expression.
        limits: How many executions run at a time in pools and namespaces (BEY-012).
    """

    owner: str
    exclusive: bool = False
    max_batch: int = 512
    lease: Micros = 10 * SECOND
    worker_timeout: Micros = 45 * SECOND
    poll: Micros = 2 * SECOND
    shared: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
