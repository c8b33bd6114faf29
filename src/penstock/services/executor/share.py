"""The partitions an executor holds: its share of all, by how many executors live.

Each executor may hold as many as come to it when all live ones hold equally many, rounded up. One that holds more,
since another has come, gives the rest back; whoever holds less takes what is free. So partitions change hands only when
executors come and go. Every partition has a token that changes with its holder and fences what is written to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from penstock.base.clock import Clock, Micros
from penstock.ports.journal import PARTITIONS, Journal

log = structlog.get_logger(__name__)


class Share:
    """The partitions of one executor. Implements BEY-001 (leases) and OPS-129 (others take over).

    Args:
        journal: Where leases are kept.
        clock: The present.
        owner: The executor's name.
        lease: How long a lease lasts without renewal.
    """

    def __init__(self, journal: Journal, clock: Clock, owner: str, lease: Micros) -> None:
        self._journal = journal
        self._clock = clock
        self._owner = owner
        self._lease = lease
        self._wanted = PARTITIONS
        self._turn = asyncio.Lock()
        self.tokens: Mapping[int, int] = {}
        """The partitions held and their tokens; another mapping whenever that changes."""

    @property
    def is_too_large(self) -> bool:
        """Whether others are to get some of it."""
        return len(self.tokens) > self._wanted

    async def renew(self) -> bool:
        """Renew what is held and take what is free, up to the share; returns whether that has changed what is held."""
        async with self._turn:
            executors = await self._journal.enrol(self._owner, self._lease, self._clock.now())
            self._wanted = -(-PARTITIONS // executors)
            return await self._hold(max(self._wanted, len(self.tokens)))

    async def hand_back(self) -> None:
        """Give back what is more than the share; nothing may be on its way to the store meanwhile."""
        async with self._turn:
            await self._hold(self._wanted)

    async def give_up(self) -> None:
        """Give back everything: this executor ends."""
        async with self._turn:
            await self._journal.release(self._owner)
            self.tokens = {}

    async def _hold(self, wanted: int) -> bool:
        leases = await self._journal.lease(self._owner, wanted, self._lease, self._clock.now())
        held = {lease.partition: lease.token for lease in leases}
        if held == self.tokens:
            return False
        log.info("partitions held", action="executor.lease", count=len(held), owner=self._owner)
        self.tokens = held
        return True
