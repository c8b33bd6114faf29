"""How much waits in the queues of a database, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from penstock.base.clock import Instant


@dataclass(frozen=True, slots=True)
class Depth:
    """What waits in one queue."""

    queue: str
    """`jobs`, `messages`, `timers`, `triggers` whose date has passed, `workers` that are known, or `switches`."""
    group: str
    """The group of workers that jobs wait for (empty for the default one), or what switches say."""
    count: int
    oldest: Instant | None = None
    """Since when the one that waits longest has waited; None where that is not known.

    Of workers, when the one that has been silent for longest was heard last.
    """


class QueueDepths(Protocol):
    """Looks into the queues."""

    async def depths(self, now: Instant) -> Sequence[Depth]:
        """Return all queues; timers and triggers are those whose date has passed."""
        ...
