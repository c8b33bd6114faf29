"""The short way from the executor to a worker of the same process: jobs handed over in memory right after their commit.

The executor reserves a place before it commits, so that the job's row is stored as leased to the worker already; then
it delivers. What is delivered waits here by priority and turn, and the worker is given only as much as it can begin
soon: whoever comes later with a lower turn goes before what waits. Used on one asyncio loop only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from penstock.engine.decision import Job
from penstock.ports.gateway import Assignment
from penstock.ports.jobs import QueueKey
from penstock.services.gateway.in_turn import InTurn

_QUICK_WINDOW = 512
"""How many quick jobs the worker has in hand: enough to keep its lane busy between two looks."""


class LocalAssignments:
    """Jobs on their way to the worker of this process (`LocalWorker` of the executor).

    Args:
        places: How many jobs may wait here or be with the worker. Few more than it has threads where other workers
            could take the job instead; many more where this is the only worker.
        quick_places: The same for jobs that need next to no time: to lease them elsewhere would cost more than to run
            them here.
        window: How many jobs that take their time the worker has in hand; four times the places by default.
    """

    def __init__(self, places: int, quick_places: int = 20_000, window: int | None = None) -> None:
        self._places = places
        self._quick_places = quick_places
        self._window = window or 4 * places
        self._worker: str | None = None
        self._group = ""
        self._held: set[tuple[str, int]] = set()
        """Reserved or delivered, and not ended yet."""
        self._ready = InTurn()
        self._quick = InTurn()
        self._orders: list[tuple[str, int]] = []
        self._mislaid = False
        self.delivered = asyncio.Event()
        """Set when there may be something to take."""
        self._ordered = asyncio.Event()

    # -- the executor's side

    def reserve(self, job: Job) -> str | None:
        """Reserve a place for a job and return the worker's id; None when it is full, gone or of another group."""
        if self._worker is None or job.worker_group != self._group:
            return None
        places = self._quick_places if job.quick else self._places
        if len(self._held) >= places and (len(self._held) >= 2 * places or not self._queue(job).goes_before(job)):
            return None  # a job that goes before some that wait here finds room: elsewhere it would wait behind them
        self._held.add(job.key)
        return self._worker

    def _queue(self, job: Job) -> InTurn:
        return self._quick if job.quick else self._ready

    def cancel(self, job: Job) -> None:
        """Give a reserved place back: the job was not stored, or nobody knows."""
        self._held.discard(job.key)

    def mislay(self) -> None:
        """Have the worker ask what it was leased: there may be jobs that were not handed over."""
        self._mislaid = True
        self.delivered.set()

    def deliver(self, assignments: Sequence[Assignment]) -> None:
        """Hand over jobs that are stored and leased to the worker; but those of an earlier one, which are nobody's."""
        for assignment in assignments:
            if assignment.job.key in self._held:
                self._queue(assignment.job).put(assignment)
        self.delivered.set()

    def kill(self, orders: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
        """Order (task run, attempt) to stop, where the worker holds them; returns those it never got to see."""
        unseen = {key for key in orders if self._ready.drop(key) or self._quick.drop(key)}
        self._held -= unseen
        self._orders.extend(key for key in orders if key not in unseen)
        self._ordered.set()
        return list(unseen)

    def turns(self) -> Mapping[QueueKey, int]:
        """Return the lowest turn of the jobs that wait here, by group and priority."""
        found = self._ready.turns()
        for priority, turn in self._quick.turns().items():
            found[priority] = min(turn, found.get(priority, turn))
        return {(self._group, priority): turn for priority, turn in found.items()}

    # -- the gateway's side

    def register(self, worker_id: str, group: str) -> None:
        """Take jobs for this worker from now on."""
        self._worker = worker_id
        self._group = group
        self._clear()

    def release(self, worker_id: str) -> None:
        """Take no more jobs for this worker."""
        if self._worker == worker_id:
            self._worker = None
            self._clear()

    def _clear(self) -> None:
        self._held.clear()
        self._ready = InTurn()
        self._quick = InTurn()

    def serves(self, worker_id: str) -> bool:
        """Return whether this is the worker jobs are handed to."""
        return self._worker == worker_id

    def holds(self, key: tuple[str, int]) -> bool:
        """Return whether a place is kept for a job: it is on its way to the worker, or with it."""
        return key in self._held

    def take(self, *, others_wait: bool = False) -> Sequence[Assignment]:
        """Take out the jobs whose turn it is, as many as the worker can begin soon.

        Args:
            others_wait: Jobs from elsewhere may wait for this worker too: half of its room is theirs.
        """
        self.delivered.clear()
        window = (self._window + 3) // 4 if others_wait else self._window
        return [*self._quick.take(_QUICK_WINDOW), *self._ready.take(window)]

    def give_back(self, assignments: Sequence[Assignment]) -> None:
        """Take back jobs that were taken out and did not reach the worker: nobody else would find them."""
        for assignment in assignments:
            if assignment.job.key in self._held:
                self._queue(assignment.job).give_back(assignment)
                self.delivered.set()

    def take_mislaid(self) -> bool:
        """Return, once, whether the worker is to ask what it was leased."""
        mislaid, self._mislaid = self._mislaid, False
        return mislaid

    def ended(self, key: tuple[str, int]) -> None:
        """A job has come to its end."""
        self._held.discard(key)
        if self._ready.ended(key) or self._quick.ended(key):
            self.delivered.set()  # there is room for what waits

    def take_orders(self) -> Sequence[tuple[str, int]]:
        """Take out the kill orders."""
        self._ordered.clear()
        orders, self._orders = self._orders, []
        return orders

    async def wait_for_orders(self) -> None:
        """Wait for a kill order."""
        await self._ordered.wait()
