"""Wake-ups within one process: a bounded queue per subscriber, filled on the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

CAPACITY = 10_000


class Subscription:
    """What one subscriber has not read yet; the oldest go first when it is too slow."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, str]] = deque(maxlen=CAPACITY)
        self._arrived = asyncio.Event()

    def put(self, topic: str, payloads: Sequence[str]) -> None:
        """Add notifications and wake the reader."""
        self._waiting.extend((topic, payload) for payload in payloads)
        self._arrived.set()

    def __aiter__(self) -> AsyncIterator[tuple[str, str]]:
        return self

    async def __anext__(self) -> tuple[str, str]:
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()


class LocalNotifier:
    """The `Notifier` port for one process. Implements its contract: costs nothing when nobody subscribed."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, list[Subscription]] = {}

    async def publish(self, topic: str, payloads: Sequence[str]) -> None:
        """Hand the payloads to whoever subscribed to the topic."""
        self.deliver(topic, payloads)

    def deliver(self, topic: str, payloads: Sequence[str]) -> None:
        """Do what `publish` does, at once; call it on the event loop."""
        for subscription in self._subscriptions.get(topic, ()):
            subscription.put(topic, payloads)

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        """Return a context within which an iterator yields (topic, payload) from now on."""
        subscription = Subscription()
        for topic in topics:
            self._subscriptions.setdefault(topic, []).append(subscription)
        try:
            yield subscription
        finally:
            for topic in topics:
                self._subscriptions[topic].remove(subscription)
                if not self._subscriptions[topic]:
                    del self._subscriptions[topic]

    async def close(self) -> None:
        """Nothing to let go of."""
