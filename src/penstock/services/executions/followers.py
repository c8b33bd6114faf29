"""Who waits for which execution: one subscription for the whole process, however many requests wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from penstock.ports.notifier import Notifier


class Watch:
    """Wakes its holder when the watched execution changed, or when its logs did."""

    __slots__ = ("_changed",)

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Say that something changed."""
        self._changed.set()

    async def changed(self, timeout: float) -> bool:
        """Wait for a change since the last call; False when none came within `timeout` seconds.

        A notification may be lost, so whoever waits looks for itself after the timeout.
        """
        if not self._changed.is_set():
            try:
                async with asyncio.timeout(timeout):
                    await self._changed.wait()
            except TimeoutError:
                return False
        self._changed.clear()
        return True


class Followers:
    """Watches by topic and execution. `run` must be running for them to wake.

    Args:
        notifier: Announces changes (topics `execution`, `ended` and `logs`).
    """

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._watches: dict[tuple[str, str], set[Watch]] = {}
        self.leaving = False
        """Whether the process stops: who follows without end should leave, and may go on at another server."""

    def leave(self) -> None:
        """Ask everyone who follows to leave."""
        self.leaving = True
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()

    @property
    def count(self) -> int:
        """How many watches are open."""
        return sum(len(watches) for watches in self._watches.values())

    @contextmanager
    def watch(self, execution_id: str, *topics: str) -> Iterator[Watch]:
        """Watch an execution (topics `execution`, `ended`, `logs`) within the context; it need not exist yet."""
        watch = Watch()
        keys = [(topic, execution_id) for topic in topics or ("execution",)]
        for key in keys:
            self._watches.setdefault(key, set()).add(watch)
        try:
            yield watch
        finally:
            for key in keys:
                watches = self._watches[key]
                watches.discard(watch)
                if not watches:
                    del self._watches[key]

    async def run(self) -> None:
        """Pass notifications on until cancelled."""
        async with self._notifier.subscribe("execution", "ended", "logs") as changes:
            async for change in changes:
                for watch in self._watches.get(change, ()):
                    watch.wake()
