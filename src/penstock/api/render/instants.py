"""Instants as text, fast: a second is formatted once, however many instants lie in it."""

from __future__ import annotations

from functools import lru_cache

from penstock.base.clock import SECOND, Instant, to_datetime


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return to_datetime(second * SECOND).strftime("%Y-%m-%dT%H:%M:%S")


def iso(instant: Instant) -> str:
    """Return an instant as ISO 8601 in UTC, such as `2026-01-31T10:00:00.000000Z`."""
    second, micros = divmod(instant, SECOND)
    return f"{_second(second)}.{micros:06d}Z"


def iso_or_none(instant: Instant | None) -> str | None:
    """Return an instant as text; None stays None."""
    return None if instant is None else iso(instant)
