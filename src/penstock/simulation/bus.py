"""Notifications between machines: late, in any order, twice, or never.

What becomes of one is decided for each process: all who listen there hang on one line, as with PostgreSQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from random import Random

from penstock.base.clock import SECOND, Micros
from penstock.simulation.loop import PROCESS, Process, SimulatedLoop
from penstock.store.notifier import Subscription


class Bus:
    """The `Notifier` of all machines.

    Args:
        loop: The loop.
        chance: Decides what becomes of a notification.
        loss: How likely it is that one gets lost; it is as likely to come twice.
    """

    def __init__(self, loop: SimulatedLoop, chance: Random, loss: float) -> None:
        self._loop = loop
        self._chance = chance
        self.loss = loss
        self._ears: list[tuple[tuple[str, ...], Subscription, Context]] = []
        self.silent_until: Micros = 0
        """Nothing is heard before."""

    async def publish(self, topic: str, payloads: Sequence[str]) -> None:
        """Send to whoever listens."""
        await asyncio.sleep(self._chance.randrange(500) / SECOND)
        listening: dict[Process | None, tuple[Context, list[Subscription]]] = {}
        for topics, ear, context in self._ears:
            if topic in topics:
                listening.setdefault(context.get(PROCESS), (context, []))[1].append(ear)
        for context, ears in listening.values():
            for _ in range(self._copies()):
                delay = self._chance.randrange(5_000) / SECOND
                self._loop.call_later(delay, _arrive, ears, topic, payloads, context=context)

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        """Return a context within which an iterator yields (topic, payload) from now on."""
        ear = Subscription()
        entry = (topics, ear, copy_context())  # arrivals are steps of the process that listens
        self._ears.append(entry)
        try:
            yield ear
        finally:
            self._ears.remove(entry)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _copies(self) -> int:
        if self._loop.now < self.silent_until or self._chance.random() < self.loss:
            return 0
        return 2 if self._chance.random() < self.loss else 1


def _arrive(ears: Sequence[Subscription], topic: str, payloads: Sequence[str]) -> None:
    for ear in ears:
        ear.put(topic, payloads)
