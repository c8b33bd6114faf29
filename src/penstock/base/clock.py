"""Time as the engine sees it: an integer of microseconds since 1970-01-01T00:00:00Z.

Integers are exact, cheap to compare and to encode, and have no time zone to get wrong. Everything from the engine
down receives the present as an argument; only the shell holds a `Clock`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

Instant = int
"""Microseconds since the Unix epoch, UTC."""

Micros = int
"""A span of time in microseconds."""

SECOND: Micros = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where the shell reads the time; simulated in tests."""

    def now(self) -> Instant:
        """Return the present instant."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Instant:
        """Return the present instant."""
        return time.time_ns() // 1000


def to_datetime(instant: Instant) -> datetime:
    """Return the instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def from_datetime(moment: datetime) -> Instant:
    """Return the instant of a datetime; a naive one counts as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = aware - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


@lru_cache(maxsize=256)
def _iso_second(second: int) -> str:
    return to_datetime(second * SECOND).strftime("%Y-%m-%dT%H:%M:%S")


def to_iso(instant: Instant) -> str:
    """Return the instant as ISO 8601 in UTC with microseconds, such as `2026-01-31T10:00:00.000000Z`."""
    second, micros = divmod(instant, SECOND)
    return f"{_iso_second(second)}.{micros:06d}Z"


def from_iso(text: str) -> Instant:
    """Return the instant of an ISO 8601 date-time; without an offset it counts as UTC.

    Raises:
        ValueError: The text is no ISO 8601 date-time.
    """
    return from_datetime(datetime.fromisoformat(text))
