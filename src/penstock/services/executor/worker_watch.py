"""What becomes of the jobs of workers that are silent, and of those that no worker can take. Any executor may look."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from penstock.base.clock import SECOND, Clock, Instant
from penstock.base.errors import UnavailableError
from penstock.engine.decision import Message
from penstock.ports.jobs import JobQueue
from penstock.ports.journal import Journal, partition_of
from penstock.ports.notifier import Notifier
from penstock.services.executor.settings import ExecutorSettings
from penstock.services.executor.stranded import end_of
from penstock.services.metrics.tallies import ExecutorTally

log = structlog.get_logger(__name__)


class WorkerWatch:
    """Gives jobs of silent workers to others (OPS-124, OPS-129), and ends those that are not to wait for one (ENG-047).

    Args:
        jobs: The jobs and the workers.
        journal: Takes the ends of stranded jobs.
        notifier: Wakes workers and executors.
        clock: The present.
        settings: How long a worker may be silent.
        tally: Counts lost workers.
    """

    def __init__(
        self,
        jobs: JobQueue,
        journal: Journal,
        notifier: Notifier,
        clock: Clock,
        settings: ExecutorSettings,
        tally: ExecutorTally,
    ) -> None:
        self._jobs = jobs
        self._journal = journal
        self._notifier = notifier
        self._clock = clock
        self._settings = settings
        self._tally = tally
        self._look = asyncio.Event()
        self._every = settings.worker_timeout // 4
        self._looked: Instant = 0
        """When it looked last without an error."""
        self._hears_since: Instant = 0

    def look(self) -> None:
        """Look for stranded jobs soon."""
        self._look.set()

    async def run(self) -> None:
        """Look from time to time, until cancelled."""
        while True:
            try:
                if self._could_hear(self._clock.now()):
                    await self._expire()
                await self._end_stranded()
            except UnavailableError as error:
                self._looked = 0
                log.warning("workers not checked", action="executor.expire", error=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every / SECOND):
                    await self._look.wait()

    def _could_hear(self, now: Instant) -> bool:
        """Return whether who is silent is gone, for all that can be known from here.

        While the database was away, or this process stood still, nobody could be heard: they get their time anew.
        """
        if now - self._looked > 2 * self._every:
            self._hears_since = now
        self._looked = now
        return now - self._hears_since >= self._settings.worker_timeout

    async def _expire(self) -> None:
        lost = await self._jobs.expire(self._settings.worker_timeout, self._clock.now())
        if lost:
            self._tally.lost_workers += len(lost)
            log.warning("workers lost", action="executor.expire", workers=list(lost))
            await self._notifier.publish("jobs", [""])

    async def _end_stranded(self) -> None:
        self._look.clear()
        now = self._clock.now()
        for job in await self._jobs.strand(f"stranded-{self._settings.owner}"):
            events, lines = end_of(job, now)
            await self._journal.send([Message(job.execution_id, event) for event in events], logs=lines)
            await self._notifier.publish("messages", [str(partition_of(job.execution_id))])
