"""A span of time as counts by the hour see it: whole hours, and what lies before and behind them.

What has ended is counted by hours; what counts say nothing of is read from the rows themselves: executions that are
open, and those of the hours that a span has only a part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from penstock.base.clock import Instant
from penstock.store import executions
from penstock.store.counts import HOUR
from penstock.store.filters import Condition
from penstock.store.tables import EXECUTION_COUNTS, EXECUTIONS

E = EXECUTIONS.c


@dataclass(frozen=True, slots=True)
class Hours:
    """From an instant to before another one, where there are such bounds."""

    start: Instant | None = None
    end: Instant | None = None

    @property
    def is_countable(self) -> bool:
        """Whether there is a whole hour in it."""
        return self._first is None or self._last is None or self._first < self._last

    @property
    def _first(self) -> Instant | None:
        return None if self.start is None else self.start + -self.start % HOUR

    @property
    def _last(self) -> Instant | None:
        return None if self.end is None else self.end - self.end % HOUR

    def counted(self) -> list[Condition]:
        """Return the conditions of the counts of whole hours."""
        return _between(EXECUTION_COUNTS.c.hour, self._first, self._last)

    def others(self) -> Sequence[list[Condition]]:
        """Return the conditions of all rows that these counts leave out: each part is found by an index."""
        parts: list[list[Condition]] = [
            [
                E.end_date.is_(None),
                E.state.in_(sorted(executions.OPEN_NAMES)),
                *_between(E.start_date, self._first, self._last),
            ]
        ]
        for start, end in ((self.start, self._first), (self._last, self.end)):
            if start is not None and end is not None and start < end:
                parts.append(_between(E.start_date, start, end))
        return parts


def hours_of(bounds: Iterable[tuple[str, Instant]]) -> Hours | None:
    """Return the span with all of these bounds, by the names of comparisons; None where it cannot be said so."""
    starts: list[Instant] = []
    ends: list[Instant] = []
    for comparison, value in bounds:
        match comparison:
            case "GREATER_THAN_OR_EQUAL_TO":
                starts.append(value)
            case "GREATER_THAN":
                starts.append(value + 1)
            case "LESS_THAN_OR_EQUAL_TO":
                ends.append(value + 1)
            case "LESS_THAN":
                ends.append(value)
            case _:
                return None
    return Hours(max(starts, default=None), min(ends, default=None))


def _between(column: ColumnElement[Any], start: Instant | None, end: Instant | None) -> list[Condition]:
    found: list[Condition] = []
    if start is not None:
        found.append(column >= start)
    if end is not None:
        found.append(column < end)
    return found
