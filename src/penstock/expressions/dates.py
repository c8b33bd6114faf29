"""Values as dates: reading, zones, named formats, shifting. Implements EXP-126 to EXP-129, EXP-178."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from penstock.expressions.date_patterns import format_date, parse_date, zone_of
from penstock.expressions.environment import Environment
from penstock.expressions.errors import ExpressionError, ExpressionTypeError, kind_of, suggestion
from penstock.expressions.locales import Locale, locale_of

_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?"
    r"\s*(Z|z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?(?:\[([\w/+-]+)\])?"
)

_PATTERNS = {
    "iso": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "iso_milli": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "iso_sec": "yyyy-MM-dd'T'HH:mm:ssXXX",
    "sql": "yyyy-MM-dd HH:mm:ss.SSSSSS",
    "sql_seq": "yyyy-MM-dd HH:mm:ss",
    "iso_date": "yyyy-MM-ddXXX",
    "iso_local_date": "yyyy-MM-dd",
    "iso_ordinal_date": "yyyy-DDDXXX",
    "rfc_1123_date_time": "EEE, d MMM yyyy HH:mm:ss ",
}
_STYLES = ("full", "long", "medium", "short")


def local(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return the same instant in the zone; None is the machine's own. A naive date-time is taken as of that zone."""
    if moment.tzinfo is None and zone is not None:
        return moment.replace(tzinfo=zone)
    return moment.astimezone(zone)


def as_datetime(value: Any, zone: tzinfo | None, pattern: str | None = None, locale: Locale | None = None) -> datetime:
    """Return an aware date-time for a date, an ISO 8601 text, epoch seconds, or a text in a given pattern.

    Raises:
        ExpressionError: The value is no date.
    """
    try:
        if isinstance(value, datetime):
            return value if value.tzinfo else local(value, zone)
        if isinstance(value, date):
            return local(datetime(value.year, value.month, value.day), zone)  # noqa: DTZ001 - zone given by `local`
        if isinstance(value, str):
            return _read(value.strip(), zone, pattern, locale)
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return local(datetime.fromtimestamp(float(value), UTC), zone)
    except (OverflowError, ValueError, OSError):
        raise ExpressionError("the date is out of range") from None
    raise ExpressionTypeError(f"{kind_of(value)} is no date")


def _read(text: str, zone: tzinfo | None, pattern: str | None, locale: Locale | None) -> datetime:
    if pattern is not None and pattern.lower() not in _SPECIAL:
        parsed = parse_date(text, _PATTERNS.get(pattern.lower(), pattern), locale or locale_of(None))
        return parsed if parsed.tzinfo else local(parsed, zone)
    match = _ISO.fullmatch(text)
    if match is None:
        raise ExpressionError("the text is no ISO 8601 date", hint="give its form with `existingFormat`")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    micro = int((match[7] or "0").ljust(6, "0")[:6])
    naive = datetime(year, month, day, hour, minute, second, micro)  # noqa: DTZ001 - the zone follows
    if match[9]:
        named = zone_of(match[9])
        return naive.replace(tzinfo=zone_of(match[8])).astimezone(named) if match[8] else naive.replace(tzinfo=named)
    return naive.replace(tzinfo=zone_of(match[8])) if match[8] else local(naive, zone)


def zone_or_default(time_zone: Any, environment: Environment) -> tzinfo | None:
    """Return the zone an argument names, or the server's."""
    return environment.zone if time_zone is None else zone_of(time_zone)


def moment_of(value: Any, environment: Environment, time_zone: Any = None, existing: Any = None) -> datetime:
    """Return the date-time of a filter's input, in the named zone if one is given."""
    zone = zone_or_default(time_zone, environment)
    return as_datetime(value, zone, None if existing is None else str(existing))


# ---------------------------------------------------------------------------------------------------------- formatting


def _iso_seconds(moment: datetime) -> str:
    text = f"{moment:%H:%M:%S}"
    return f"{text}.{moment.microsecond:06}".rstrip("0") if moment.microsecond else text


def _iso_zoned(moment: datetime, locale: Locale) -> str:
    name = format_date(moment, "VV", locale)
    suffix = f"[{name}]" if "/" in name or name == "UTC" else ""
    return _iso_offset(moment, locale) + suffix


def _iso_offset(moment: datetime, locale: Locale) -> str:
    return f"{moment:%Y-%m-%d}T{_iso_seconds(moment)}" + format_date(moment, "XXXXX", locale)


_SPECIAL: dict[str, Callable[[datetime, Locale], str]] = {
    "iso_date_time": _iso_zoned,
    "iso_zoned_date_time": _iso_zoned,
    "iso_offset_date_time": _iso_offset,
    "iso_instant": lambda moment, locale: _iso_offset(moment.astimezone(UTC), locale),
    "iso_local_date_time": lambda moment, _locale: f"{moment:%Y-%m-%d}T{_iso_seconds(moment)}",
    "iso_local_time": lambda moment, _locale: _iso_seconds(moment),
    "iso_time": lambda moment, locale: _iso_seconds(moment) + format_date(moment, "XXXXX", locale),
    "iso_offset_time": lambda moment, locale: _iso_seconds(moment) + format_date(moment, "XXXXX", locale),
    "iso_week_date": lambda moment, locale: (
        "{}-W{:02}-{}".format(*moment.isocalendar()) + format_date(moment, "XXXXX", locale)
    ),
    "rfc_1123_date_time": lambda moment, _locale: (
        format_date(moment, _PATTERNS["rfc_1123_date_time"])
        + ("GMT" if not moment.utcoffset() else format_date(moment, "xx"))
    ),
}


def format_moment(moment: datetime, pattern: Any = None, locale_tag: Any = None) -> str:
    """Return the date-time in a named format or a Java pattern; without one, as `iso`. Implements EXP-127."""
    locale = locale_of(locale_tag)
    name = "iso" if pattern is None else str(pattern)
    key = name.lower()
    if key in _STYLES:
        return format_date(moment, locale.styles[_STYLES.index(key)], locale)
    if key in _SPECIAL:
        return _SPECIAL[key](moment, locale)
    return format_date(moment, _PATTERNS.get(key, name), locale)


# ------------------------------------------------------------------------------------------------------------ shifting

_MONTHS = {"MONTHS": 1, "YEARS": 12, "DECADES": 120, "CENTURIES": 1200, "MILLENNIA": 12000}
_DAYS = {"DAYS": 1, "WEEKS": 7}
_MICROS = {
    "NANOS": 0.001,
    "MICROS": 1,
    "MILLIS": 1000,
    "SECONDS": 1_000_000,
    "MINUTES": 60_000_000,
    "HOURS": 3_600_000_000,
    "HALF_DAYS": 43_200_000_000,
}


def shift(moment: datetime, amount: int, unit: str) -> datetime:
    """Return the date-time moved by an amount of a unit: calendar units by the clock on the wall, others by time.

    Raises:
        ExpressionError: The unit is not known, or the result is out of range. Implements EXP-128.
    """
    name = unit.strip().upper()
    name = name if name in _MONTHS or name in _DAYS or name in _MICROS else name + "S"
    try:
        if name in _MONTHS:
            return _relocated(moment, _months_later(moment, amount * _MONTHS[name]))
        if name in _DAYS:
            return _relocated(moment, moment.replace(tzinfo=None) + timedelta(days=amount * _DAYS[name]))
        if name in _MICROS:
            return (moment.astimezone(UTC) + timedelta(microseconds=amount * _MICROS[name])).astimezone(moment.tzinfo)
    except (OverflowError, ValueError):
        raise ExpressionError("the shifted date is out of range") from None
    units = [*_MICROS, *_DAYS, *_MONTHS]
    raise ExpressionError(
        "the unit of `dateAdd` is not known", hint=suggestion(unit, units) or f"use one of {', '.join(units)}"
    )


def _months_later(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day, tzinfo=None)


def _relocated(moment: datetime, wall: datetime) -> datetime:
    """Return the wall time in the zone of `moment`; a time the clock skips moves on with it."""
    zoned = wall.replace(tzinfo=moment.tzinfo)
    return zoned.astimezone(UTC).astimezone(moment.tzinfo)
