"""Filters for dates. Implements EXP-126 to EXP-129."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from penstock.expressions.dates import (
    as_datetime,
    format_moment,
    local,
    moment_of,
    shift,
    zone_or_default,
)
from penstock.expressions.errors import ExpressionTypeError, kind_of
from penstock.expressions.frame import Frame
from penstock.expressions.locales import locale_of
from penstock.expressions.registry import Entry, Parameter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMATTING = (
    Parameter("format", None),
    Parameter("timeZone", None),
    Parameter("existingFormat", None),
    Parameter("locale", None),
)


def _moment(frame: Frame, value: Any, time_zone: Any, existing: Any, locale: Any) -> datetime:
    zone = zone_or_default(time_zone, frame.environment)
    return as_datetime(value, zone, None if existing is None else str(existing), locale_of(locale))


def format_date(frame: Frame, value: Any, pattern: Any, time_zone: Any, existing: Any, locale: Any) -> str:
    """Return the date in a format, in a zone: the given one, else the server's (EXP-126)."""
    moment = _moment(frame, value, time_zone, existing, locale)
    return format_moment(local(moment, zone_or_default(time_zone, frame.environment)), pattern, locale)


def date_add(
    frame: Frame, value: Any, amount: Any, unit: Any, pattern: Any, time_zone: Any, existing: Any, locale: Any
) -> Any:
    """Return the date moved by an amount of a unit; as text only if a format is given (EXP-128)."""
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise ExpressionTypeError(f"argument `amount` of `dateAdd` must be an integer, {kind_of(amount)} is given")
    moment = _moment(frame, value, time_zone, existing, locale)
    moved = shift(
        moment if time_zone is None else local(moment, zone_or_default(time_zone, frame.environment)), amount, str(unit)
    )
    return moved if pattern is None else format_moment(moved, pattern, locale)


def _timestamp(per_second: int) -> Callable[[Frame, Any, Any, Any], int]:
    def stamp(frame: Frame, value: Any, existing: Any, time_zone: Any) -> int:
        passed = moment_of(value, frame.environment, time_zone, existing) - _EPOCH
        micros = passed // timedelta(microseconds=1)
        return micros * per_second // 1_000_000

    return stamp


def _timestamp_entry(name: str, per_second: int, unit: str) -> Entry:
    digits = len(str(per_second)) - 1
    return Entry(
        name,
        _timestamp(per_second),
        f"Unix time in {unit}.",
        (Parameter("existingFormat", None), Parameter("timeZone", None)),
        examples=((f"{{{{ '1970-01-02T00:00:00Z' | {name} }}}}", "86400" + "0" * digits),),
        context=True,
    )


ENTRIES = [
    Entry(
        "date",
        format_date,
        "Formats a date with a Java pattern or a named format.",
        _FORMATTING,
        examples=(
            ("{{ '2024-01-15T10:30:00Z' | date('yyyy-MM-dd', timeZone='UTC') }}", "2024-01-15"),
            (
                "{{ '2024-January-5' | date(existingFormat='yyyy-MMMM-d', format='yyyy/MMMM/d') }}",
                "2024/January/5",
            ),
        ),
        context=True,
    ),
    Entry(
        "dateAdd",
        date_add,
        "Moves a date by NANOS to MILLENNIA; the result is a date again.",
        (Parameter("amount"), Parameter("unit"), *_FORMATTING),
        examples=(("{{ '2024-01-31T00:00:00Z' | dateAdd(1, 'MONTHS') }}", "2024-02-29T00:00:00Z"),),
        context=True,
    ),
    _timestamp_entry("timestamp", 1, "seconds"),
    _timestamp_entry("timestampMilli", 1000, "milliseconds"),
    _timestamp_entry("timestampMicro", 1_000_000, "microseconds"),
    _timestamp_entry("timestampNano", 1_000_000_000, "nanoseconds"),
]
