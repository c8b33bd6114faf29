"""When which trigger is due: a heap whose outdated entries are passed over when they come up."""

from __future__ import annotations

import heapq

from penstock.base.clock import Instant

TriggerKey = tuple[str, str, str, str]
"""(tenant, namespace, flow, trigger)."""


class Agenda:
    """Due dates of triggers, the soonest first."""

    def __init__(self) -> None:
        self._heap: list[tuple[Instant, TriggerKey]] = []
        self._due: dict[TriggerKey, Instant] = {}

    def set(self, key: TriggerKey, due: Instant | None) -> None:
        """Note, move or remove (None) a trigger's due date."""
        if due is None:
            self._due.pop(key, None)
        elif self._due.get(key) != due:
            self._due[key] = due
            heapq.heappush(self._heap, (due, key))

    @property
    def next_due(self) -> Instant | None:
        """The soonest due date."""
        while self._heap:
            due, key = self._heap[0]
            if self._due.get(key) == due:
                return due
            heapq.heappop(self._heap)
        return None

    def take(self, now: Instant) -> list[TriggerKey]:
        """Take out all triggers that are due."""
        taken: list[TriggerKey] = []
        while (due := self.next_due) is not None and due <= now:
            key = heapq.heappop(self._heap)[1]
            del self._due[key]
            taken.append(key)
        return taken
