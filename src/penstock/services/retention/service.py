"""Retention: what the policy lets go is removed by itself, in small transactions with pauses in between.

It stands on the use cases of purging. Where it is interrupted, the next sweep finds what is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from penstock.base.clock import SECOND, Clock, Instant, Micros
from penstock.base.errors import PenstockError
from penstock.ports.objects import ObjectStorage
from penstock.ports.purging import BEGINNING, FIRST_LINE, Position, PurgeStore
from penstock.services.purging.service import ROWS, Parts, PurgeService
from penstock.services.retention.orphans import OrphanFiles
from penstock.services.retention.policy import Part, Policy

log = structlog.get_logger(__name__)
PAUSE = 0.05
"""Seconds between two batches."""
_EXECUTIONS = 500
"""Executions of a batch: so many, with the pause, that those of a busy server go as fast as they come."""
_FOLDED = 2 * 24 * 3600 * SECOND
"""How long an hour is over before its counts are brought together: few executions that began then still run."""
_PAGES = 500
"""Pages given back in one transaction."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    executions: int = 0
    logs: int = 0
    metrics: int = 0
    files: int = 0
    orphans: int = 0
    """Folders of executions that do not exist."""
    pages: int = 0
    """Pages given back to the disk."""

    def __add__(self, other: Swept) -> Swept:
        return Swept(
            self.executions + other.executions,
            self.logs + other.logs,
            self.metrics + other.metrics,
            self.files + other.files,
            self.orphans + other.orphans,
            self.pages + other.pages,
        )

    def __bool__(self) -> bool:
        return self != Swept()


class RetentionService:
    """Removes what is older than it is to be. Implements BEY-020.

    Args:
        store: Where records are.
        objects: Where files are.
        clock: Tells how old they are.
        policy: How long they are kept.
        pause: Seconds between two batches, for everybody else.
    """

    def __init__(
        self, store: PurgeStore, objects: ObjectStorage, clock: Clock, policy: Policy, *, pause: float = PAUSE
    ) -> None:
        self._store = store
        self._purging = PurgeService(store, objects)
        self._orphans = OrphanFiles(store, objects, clock)
        self._clock = clock
        self._policy = policy
        self._pause = pause

    async def sweep(self, tenant: str) -> Swept:
        """Remove everything that is due, and files that nobody knows of."""
        now = self._clock.now()
        swept = Swept()
        for part in self._policy.parts():
            if part.rule.executions is not None:
                swept += await self._executions(tenant, part, now - part.rule.executions)
            if part.rule.logs is not None:
                swept += Swept(logs=await self._lines(tenant, part, now - part.rule.logs))
        await self._fold(now - _FOLDED)
        swept += Swept(orphans=await self._orphans.sweep(tenant))
        return swept + Swept(pages=await self._reclaim())

    async def _executions(self, tenant: str, part: Part, until: Instant) -> Swept:
        swept = Swept()
        after: Position | None = BEGINNING
        while after is not None:
            found = await self._store.ended(tenant, part.filters, until, after, _EXECUTIONS, part.unless)
            purged = await self._purging.remove(tenant, found, Parts())
            swept += Swept(purged.executions, purged.logs, purged.metrics, purged.files)
            after = found[-1].position if len(found) == _EXECUTIONS else None
            await asyncio.sleep(self._pause)
        return swept

    async def _lines(self, tenant: str, part: Part, until: Instant) -> int:
        removed, after = 0, FIRST_LINE
        while found := await self._store.old_lines(tenant, part.filters, until, after, ROWS, part.unless):
            removed += await self._store.remove_lines([number for _, number in found])
            after = found[-1]
            await asyncio.sleep(self._pause)
        return removed

    async def _fold(self, before: Instant) -> None:
        folded = await self._store.fold_counts(before, ROWS)
        while folded:
            await asyncio.sleep(self._pause)
            folded = await self._store.fold_counts(before, ROWS)

    async def _reclaim(self) -> int:
        reclaimed = 0
        while pages := await self._store.reclaim(_PAGES):
            reclaimed += pages
            await asyncio.sleep(self._pause)
        return reclaimed


async def keep_small(
    retention: RetentionService, tenant: str, wait: Micros, every: Micros, is_mine: Callable[[], bool]
) -> None:
    """Sweep from time to time, for ever.

    Args:
        retention: Sweeps.
        tenant: Whose records.
        wait: How long after the start the first sweep begins.
        every: How long after the end of a sweep the next one begins.
        is_mine: Whether it is this process that sweeps: one of several servers is enough.
    """
    await asyncio.sleep(wait / SECOND)
    while True:
        if is_mine():
            try:
                swept = await retention.sweep(tenant)
            except PenstockError as error:
                log.warning("old records were not all removed", action="retention.sweep", error=str(error))
            except Exception:  # not worth the end of the server
                log.exception("old records were not all removed", action="retention.sweep")
            else:
                if swept:
                    log.info(
                        "old records removed",
                        action="retention.sweep",
                        executions=swept.executions,
                        lines=swept.logs,
                        files=swept.files,
                        orphans=swept.orphans,
                    )
        await asyncio.sleep(every / SECOND)
