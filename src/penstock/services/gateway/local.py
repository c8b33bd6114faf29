"""The short way from the executor to a worker of the same process: jobs handed over in memory right after their commit.

The executor reserves a place before it commits, so that the job's row is stored as leased to the worker already; then
it delivers. Used on one asyncio loop only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from penstock.engine.decision import Job
from penstock.ports.gateway import Assignment


class LocalAssignments:
    """Jobs on their way to the worker of this process (`LocalWorker` of the executor).

    Args:
        places: How many jobs the worker may hold besides those it claimed, waiting ones included. Few more than it has
            threads where other workers could take the job instead; many more where this is the only worker.
        quick_places: The same for jobs that need next to no time: to lease them elsewhere would cost more than to run
            them here.
    """

    def __init__(self, places: int, quick_places: int = 50_000) -> None:
        self._places = places
        self._quick_places = quick_places
        self._worker: str | None = None
        self._group = ""
        self._held: set[tuple[str, int]] = set()
        """Reserved or delivered, and not ended yet."""
        self._ready: deque[Assignment] = deque()
        self._orders: list[tuple[str, int]] = []
        self._delivered = asyncio.Event()
        self._ordered = asyncio.Event()

    # -- the executor's side

    def reserve(self, job: Job) -> str | None:
        """Reserve a place for a job and return the worker's id; None when it is full, gone or of another group."""
        places = self._quick_places if job.quick else self._places
        if self._worker is None or job.worker_group != self._group or len(self._held) >= places:
            return None
        self._held.add(job.key)
        return self._worker

    def cancel(self, job: Job) -> None:
        """Give a reserved place back: the job was not stored."""
        self._held.discard(job.key)

    def deliver(self, assignments: Sequence[Assignment]) -> None:
        """Hand over jobs that are stored and leased to the worker."""
        self._ready.extend(assignments)
        self._delivered.set()

    def kill(self, orders: Sequence[tuple[str, int]]) -> None:
        """Order (task run, attempt) to stop, where the worker holds them."""
        self._orders.extend(orders)
        self._ordered.set()

    # -- the gateway's side

    def register(self, worker_id: str, group: str) -> None:
        """Take jobs for this worker from now on."""
        self._worker = worker_id
        self._group = group
        self._held.clear()
        self._ready.clear()

    def release(self, worker_id: str) -> None:
        """Take no more jobs for this worker."""
        if self._worker == worker_id:
            self._worker = None
            self._held.clear()
            self._ready.clear()

    def serves(self, worker_id: str) -> bool:
        """Return whether this is the worker jobs are handed to."""
        return self._worker == worker_id

    def holds(self, key: tuple[str, int]) -> bool:
        """Return whether a place is kept for a job: it is on its way to the worker, or with it."""
        return key in self._held

    def take(self) -> Sequence[Assignment]:
        """Take out all jobs that are ready."""
        self._delivered.clear()
        if not self._ready:
            return ()
        ready, self._ready = self._ready, deque()
        return list(ready)

    def ended(self, key: tuple[str, int]) -> None:
        """A job has come to its end."""
        self._held.discard(key)

    async def wait(self) -> None:
        """Wait for a delivery."""
        await self._delivered.wait()

    def take_orders(self) -> Sequence[tuple[str, int]]:
        """Take out the kill orders."""
        self._ordered.clear()
        orders, self._orders = self._orders, []
        return orders

    async def wait_for_orders(self) -> None:
        """Wait for a kill order."""
        await self._ordered.wait()
