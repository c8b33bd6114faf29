"""Assignments that wait for their turn: the highest priority first, then the lowest turn, then the first to come."""

from __future__ import annotations

import heapq

from penstock.engine.decision import Job
from penstock.ports.gateway import Assignment

_Key = tuple[str, int]
_Rank = tuple[int, int]


class InTurn:
    """A queue that gives out only so much at a time."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, _Key]] = []
        """(-priority, turn, number, key); what is dropped stays here until it comes up."""
        self._waiting: dict[_Key, Assignment] = {}
        self._given: set[_Key] = set()
        """Taken, and not ended yet."""
        self._number = 0
        self._last: _Rank = (0, 0)
        """The rank behind which nothing waits."""

    def put(self, assignment: Assignment) -> None:
        """Add an assignment."""
        rank = _rank(assignment.job)
        self._last = max(self._last, rank) if self._waiting else rank
        self._number += 1
        self._waiting[assignment.job.key] = assignment
        heapq.heappush(self._heap, (*rank, self._number, assignment.job.key))

    def goes_before(self, job: Job) -> bool:
        """Return whether a job goes before some that wait."""
        return bool(self._waiting) and _rank(job) < self._last

    def take(self, window: int) -> list[Assignment]:
        """Take out what is next, as long as no more than `window` are taken and not ended."""
        taken: list[Assignment] = []
        while self._heap and len(self._given) < window:
            *_, key = heapq.heappop(self._heap)
            assignment = self._waiting.pop(key, None)
            if assignment is not None:
                self._given.add(key)
                taken.append(assignment)
        return taken

    def give_back(self, assignment: Assignment) -> None:
        """Take back an assignment that was taken out and got nowhere."""
        self._given.discard(assignment.job.key)
        self.put(assignment)

    def drop(self, key: _Key) -> bool:
        """Let go of an assignment; False when it does not wait here."""
        return self._waiting.pop(key, None) is not None

    def ended(self, key: _Key) -> bool:
        """An assignment is over; returns whether that made room for one that waits."""
        if key in self._given:
            self._given.remove(key)
            return bool(self._waiting)
        return False

    def turns(self) -> dict[int, int]:
        """Return the lowest turn by priority."""
        found: dict[int, int] = {}
        for negative, turn, _, key in self._heap:
            if key in self._waiting:
                found[-negative] = min(turn, found.get(-negative, turn))
        return found


def _rank(job: Job) -> _Rank:
    return -job.priority, job.turn
