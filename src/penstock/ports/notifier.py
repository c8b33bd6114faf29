"""Wake-ups. A notification may be lost or repeated; whoever waits also looks by itself from time to time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Notifier(Protocol):
    """Publish and subscribe, in one process (events) or between many (LISTEN/NOTIFY).

    Topics and payloads: `messages` (partition), `executors` (who came, went or gave partitions back), `slots` (a flow
    whose execution has ended outside the partition where limits are counted), `jobs` (worker group), `execution`
    (execution id, after each stored change), `ended` (execution id, after each stored change of one that has ended),
    `logs` (execution id), `flows` (tenant/namespace/id), `namespaces` (tenant/namespace), `triggers`
    (tenant/namespace/flow/trigger), `kill` (worker id). A publisher hands over all payloads of one commit at once; a
    subscriber gets each by itself, in order, and one that is slow loses the oldest rather than holding anybody up.
    """

    async def publish(self, topic: str, payloads: Sequence[str]) -> None:
        """Wake whoever subscribed to the topic; costs nothing when nobody did (in one process)."""
        ...

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[AsyncIterator[tuple[str, str]]]:
        """Return a context within which an iterator yields (topic, payload) from now on."""
        ...
