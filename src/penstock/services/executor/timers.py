"""Timers of the partitions an executor holds: a heap of what is due soon, refilled from the store."""

from __future__ import annotations

import heapq

from penstock.base.clock import Instant
from penstock.engine.decision import Timer

TimerKey = tuple[str, str, str | None]


def key_of(timer: Timer) -> TimerKey:
    """Return what identifies a timer: setting it again moves it."""
    return (timer.execution_id, timer.purpose, timer.task_run_id)


class Timers:
    """Due dates in memory. A moved or cancelled timer leaves a stale entry in the heap, which is skipped later."""

    def __init__(self) -> None:
        self._heap: list[tuple[Instant, str, str, str]] = []
        self._timers: dict[TimerKey, Timer] = {}

    def set(self, timer: Timer) -> None:
        """Add or move a timer."""
        key = key_of(timer)
        if self._timers.get(key) == timer:
            return
        self._timers[key] = timer
        heapq.heappush(self._heap, (timer.due, timer.execution_id, timer.purpose, timer.task_run_id or ""))

    def cancel(self, key: TimerKey) -> None:
        """Forget a timer."""
        self._timers.pop(key, None)

    def clear(self) -> None:
        """Forget all timers."""
        self._heap.clear()
        self._timers.clear()

    def due(self, now: Instant) -> list[Timer]:
        """Take out and return the timers that are due."""
        result = []
        while self._heap and self._heap[0][0] <= now:
            due, execution_id, purpose, run_id = heapq.heappop(self._heap)
            timer = self._timers.get((execution_id, purpose, run_id or None))
            if timer is not None and timer.due == due:
                del self._timers[(execution_id, purpose, run_id or None)]
                result.append(timer)
        return result

    @property
    def next_due(self) -> Instant | None:
        """When the next timer is due (or a stale entry is met); None when there is none."""
        return self._heap[0][0] if self._heap else None
