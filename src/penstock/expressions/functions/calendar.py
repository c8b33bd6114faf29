"""Functions about days. Implements EXP-174 to EXP-178."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Container
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from penstock.expressions.dates import as_datetime
from penstock.expressions.errors import ExpressionError, suggestion
from penstock.expressions.frame import Frame
from penstock.expressions.registry import Entry, Parameter

_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_POSITIONS = ("FIRST", "SECOND", "THIRD", "FOURTH", "LAST")


def _moment(frame: Frame, value: Any) -> datetime:
    return as_datetime(value, frame.environment.zone)


def is_weekend(frame: Frame, value: Any) -> bool:
    """Return whether the date is a Saturday or Sunday (EXP-174)."""
    return _moment(frame, value).weekday() >= 5


@lru_cache(maxsize=64)
def _holidays(country: str, subdivision: str | None) -> Container[date]:
    try:
        import holidays
    except ImportError:
        raise ExpressionError(
            "the tables of public holidays are not installed", hint="pip install 'penstock[holidays]'"
        ) from None
    try:
        days: Container[date] = holidays.country_holidays(country, subdiv=subdivision)
    except (NotImplementedError, KeyError):
        raise ExpressionError(
            "the country or its subdivision is not known",
            hint="use codes such as 'US' (ISO 3166-1 alpha-2) and 'DE-BY' (ISO 3166-2)",
        ) from None
    return days


def is_public_holiday(frame: Frame, value: Any, country: Any, subdivision: Any) -> bool:
    """Return whether the date is a public holiday of a country or a part of it (EXP-175)."""
    code = str(country).upper()
    part = None if subdivision is None else str(subdivision).upper().removeprefix(code + "-")
    return _moment(frame, value).date() in _holidays(code, part)


def _choice(value: Any, choices: tuple[str, ...], what: str) -> int:
    name = str(value).upper()
    if name not in choices:
        hint = suggestion(name, choices) or f"use one of {', '.join(choices)}"
        raise ExpressionError(f"the {what} is not known", hint=hint)
    return choices.index(name)


def is_day_week_in_month(frame: Frame, value: Any, day_of_week: Any, position: Any) -> bool:
    """Return whether the date is the first, second, ... or last such weekday of its month (EXP-176)."""
    moment = _moment(frame, value)
    place = _choice(position, _POSITIONS, "position")
    if moment.weekday() != _choice(day_of_week, _DAYS, "day of the week"):
        return False
    if _POSITIONS[place] == "LAST":
        return moment.day + 7 > monthrange(moment.year, moment.month)[1]
    return (moment.day - 1) // 7 == place


def _part(read: Callable[[datetime], Any]) -> Callable[[Frame, Any], Any]:
    return lambda frame, value: read(_moment(frame, value))


_DATE = (Parameter("date"),)


def _part_entry(name: str, read: Callable[[datetime], Any], summary: str, result: str) -> Entry:
    example = (f"{{{{ {name}('2024-01-15T10:30:00Z') }}}}", result)
    return Entry(name, _part(read), summary, _DATE, examples=(example,), context=True)


ENTRIES = [
    Entry(
        "isWeekend",
        is_weekend,
        "Whether a date is a Saturday or Sunday.",
        _DATE,
        examples=(("{{ isWeekend('2024-01-13') }}", "true"),),
        context=True,
    ),
    Entry(
        "isPublicHoliday",
        is_public_holiday,
        "Whether a date is a public holiday.",
        (*_DATE, Parameter("countryCode"), Parameter("subDivision", None)),
        examples=(
            ("{{ isPublicHoliday('2024-07-04', 'US') }}", "true"),
            ("{{ isPublicHoliday('2024-01-06', 'DE', 'DE-BY') }}", "true"),
        ),
        context=True,
    ),
    Entry(
        "isDayWeekInMonth",
        is_day_week_in_month,
        "Whether a date is the FIRST, SECOND, THIRD, FOURTH or LAST such weekday of its month.",
        (*_DATE, Parameter("dayOfWeek"), Parameter("position")),
        examples=(("{{ isDayWeekInMonth('2024-01-01', 'MONDAY', 'FIRST') }}", "true"),),
        context=True,
    ),
    _part_entry("dayOfWeek", lambda moment: _DAYS[moment.weekday()], "The name of the day, upper case.", "MONDAY"),
    _part_entry("dayOfMonth", lambda moment: moment.day, "The day of the month, from 1.", "15"),
    _part_entry("monthOfYear", lambda moment: moment.month, "The month, from 1.", "1"),
    _part_entry("hourOfDay", lambda moment: moment.hour, "The hour, from 0.", "10"),
]
