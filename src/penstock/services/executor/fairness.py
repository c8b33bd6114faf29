"""Whose turn it is: workers take jobs by priority, then by their turns, and turns are given out fairly.

Start-time fair queueing: each flow has a lane, and the next job of a lane gets the turn behind its last one, but none
that workers have passed already. A flow that brings 100,000 jobs at once takes 100,000 turns in a row; the job of
another flow gets the turn that is next. Where several tenants wait, a job takes as many turns as its tenant has lanes,
so that each tenant gets the same share however many flows it has. Jobs of executions that have begun have lanes of
their own: they need not wait behind executions of their flow that have not. Within a lane, age decides.

A turn is given when a job is made and stored with it, so that a claim is one look into an index.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from penstock.base.errors import UnavailableError
from penstock.engine.decision import Job
from penstock.engine.records import Execution
from penstock.ports.jobs import QueueKey
from penstock.services.executions.labels import PRIORITY

_Lane = tuple[str, str, str, bool]
"""(tenant, namespace, flow id, whether the execution had begun)."""
_HIGHEST = 1_000
_TIDY_EVERY = 512
_LOOK_EVERY = 1.0
"""Seconds between two looks at how far workers have come."""


class _Queue:
    """The lanes of one group of workers at one priority."""

    __slots__ = ("given", "lanes", "reached", "tenants")

    def __init__(self, reached: int = 0) -> None:
        self.reached = reached
        """The turn of the job that is next."""
        self.lanes: dict[_Lane, int] = {}
        """Behind the last turn of each lane."""
        self.tenants: Counter[str] = Counter()
        """How many lanes each tenant has."""
        self.given = 0

    def turn(self, lane: _Lane) -> int:
        """Return the next turn of a lane."""
        self.given += 1
        if self.given % _TIDY_EVERY == 0:
            self.tidy()
        behind = self.lanes.get(lane)
        if behind is None:
            self.tenants[lane[0]] += 1
        turn = self.reached if behind is None or behind < self.reached else behind
        self.lanes[lane] = turn + (self.tenants[lane[0]] if len(self.tenants) > 1 else 1)
        return turn

    def tidy(self) -> None:
        """Forget lanes that nothing waits in."""
        self.lanes = {lane: behind for lane, behind in self.lanes.items() if behind > self.reached}
        self.tenants = Counter(lane[0] for lane in self.lanes)


class FairShare:
    """Gives jobs their turns. Implements BEY-011."""

    def __init__(self) -> None:
        self._queues: dict[QueueKey, _Queue] = {}

    def placed(self, job: Job, execution: Execution, *, begun: bool) -> Job:
        """Return the job with its priority and its turn.

        Args:
            job: A job that nobody has yet.
            execution: Its execution.
            begun: Whether the execution has had task runs before.
        """
        priority = priority_of(execution)
        queue = self._queues.get((job.worker_group, priority))
        if queue is None:
            queue = self._queues[(job.worker_group, priority)] = _Queue()
        turn = queue.turn((job.tenant, job.namespace, job.flow_id, begun))
        if not turn and not priority:
            return job
        return msgspec.structs.replace(job, priority=priority, turn=turn)

    async def watch(self, waiting: Callable[[], Awaitable[Mapping[QueueKey, int]]]) -> None:
        """Learn again and again how far workers have come, as long as anything may wait.

        Args:
            waiting: Returns the lowest turn of the jobs that wait, by queue.
        """
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            if self._queues:
                with contextlib.suppress(UnavailableError):  # turns go on as before, until the next look
                    self.reached(await waiting())

    def reached(self, waiting: Mapping[QueueKey, int]) -> None:
        """Learn which turn is next in each queue; a queue that is not named has nothing waiting."""
        for key in self._queues.keys() - waiting.keys():
            del self._queues[key]
        for key, turn in waiting.items():
            queue = self._queues.setdefault(key, _Queue())
            queue.reached = max(queue.reached, turn)
            queue.tidy()


def priority_of(execution: Execution) -> int:
    """Return the priority an execution's labels give it; what is no number counts as 0."""
    for key, value in execution.labels:
        if key == PRIORITY:
            try:
                return max(-_HIGHEST, min(_HIGHEST, int(value)))
            except ValueError:
                return 0
    return 0
