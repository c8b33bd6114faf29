"""Java date patterns (`yyyy-MM-dd HH:mm:ss.SSS`): formatting and parsing. Implements EXP-127.

A pattern is compiled once into fields. A field knows how to write itself from a date-time and which text it accepts,
so that both directions come from one table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from penstock.expressions.errors import ExpressionError
from penstock.expressions.locales import ENGLISH, Locale


@dataclass(frozen=True, slots=True)
class _Field:
    """A run of one pattern letter, or literal text (letter is empty)."""

    letter: str
    count: int
    literal: str = ""


@lru_cache(maxsize=256)
def _fields(pattern: str) -> tuple[_Field, ...]:
    fields: list[_Field] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if char == "'":
            text, index = _quoted(pattern, index)
            fields.append(_Field("", 0, text))
        elif char.isascii() and char.isalpha():
            end = index
            while end < len(pattern) and pattern[end] == char:
                end += 1
            if char not in _FORMATTERS:
                raise ExpressionError(
                    f"the date pattern has an unknown letter `{char}`", hint="put literal text in single quotes"
                )
            fields.append(_Field(char, end - index))
            index = end
        else:
            # Square brackets mark optional parts: written always, accepted or not.
            fields.append(_Field(char, 0) if char in "[]" else _Field("", 0, char))
            index += 1
    return tuple(fields)


def _quoted(pattern: str, start: int) -> tuple[str, int]:
    """Return the literal text that starts at a quote, and the index after it; two quotes are one."""
    if pattern.startswith("''", start):
        return "'", start + 2
    text, index = "", start + 1
    while True:
        end = pattern.find("'", index)
        if end < 0:
            raise ExpressionError("the date pattern has a quote that is not closed")
        text += pattern[index:end]
        if not pattern.startswith("''", end):
            return text, end + 1
        text += "'"
        index = end + 2


# ---------------------------------------------------------------------------------------------------------- formatting


def format_date(moment: datetime, pattern: str, locale: Locale = ENGLISH) -> str:
    """Return the date-time in a Java pattern.

    Raises:
        ExpressionError: The pattern is wrong.
    """
    return "".join(
        field.literal
        if not field.letter or field.letter in "[]"
        else _FORMATTERS[field.letter](moment, field.count, locale)
        for field in _fields(pattern)
    )


def _year(value: int, count: int) -> str:
    return f"{value % 100:02}" if count == 2 else f"{value:0{count}}"


def _month(moment: datetime, count: int, locale: Locale) -> str:
    return _month_name(moment, count, locale.months, locale.short_months)


def _month_alone(moment: datetime, count: int, locale: Locale) -> str:
    long, short = locale.alone_months or locale.months, locale.short_alone_months or locale.short_months
    return _month_name(moment, count, long, short)


def _month_name(moment: datetime, count: int, long: Sequence[str], short: Sequence[str]) -> str:
    if count <= 2:
        return f"{moment.month:0{count}}"
    name = (short if count == 3 else long)[moment.month - 1]
    return name[0].upper() if count == 5 else name


def _quarter(moment: datetime, count: int, _locale: Locale) -> str:
    number = (moment.month - 1) // 3 + 1
    if count <= 2:
        return f"{number:0{count}}"
    return f"Q{number}" if count == 3 else f"{('1st', '2nd', '3rd', '4th')[number - 1]} quarter"


def _day_name(moment: datetime, count: int, locale: Locale) -> str:
    names = locale.short_days if count <= 3 else locale.days
    name = names[moment.weekday()]
    return name[0].upper() if count == 5 else name


def _local_day(moment: datetime, count: int, locale: Locale) -> str:
    if count > 2:
        return _day_name(moment, count, locale)
    return f"{(moment.weekday() - locale.week[0]) % 7 + 1:0{count}}"


def _week(moment: datetime, locale: Locale) -> tuple[int, int]:
    """Return year and week, as the locale counts."""
    first, least = locale.week

    def begin(day: date) -> date:
        return day - timedelta(days=(day.weekday() - first) % 7)

    start = begin(moment.date())
    year = (start + timedelta(days=7 - least)).year
    return year, (start - begin(date(year, 1, least))).days // 7 + 1


def _offset(moment: datetime, count: int, *, zulu: bool) -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    if zulu and seconds == 0:
        return "Z"
    sign, seconds = ("-" if seconds < 0 else "+"), abs(seconds)
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    separator = ":" if count in (3, 5) else ""
    if count == 1 and not minutes:
        return f"{sign}{hours:02}"
    text = f"{sign}{hours:02}{separator}{minutes:02}"
    return f"{text}{separator}{rest:02}" if count >= 4 and rest else text


def _rfc_offset(moment: datetime, count: int, locale: Locale) -> str:
    if count == 4:
        return _gmt_offset(moment, 4, locale)
    return _offset(moment, 5, zulu=True) if count == 5 else _offset(moment, 2, zulu=False)


def _gmt_offset(moment: datetime, count: int, _locale: Locale) -> str:
    if not moment.utcoffset():
        return "GMT"
    text = _offset(moment, 3, zulu=False)
    if count == 4:
        return "GMT" + text
    sign, hours, minutes = text[0], int(text[1:3]), text[4:6]
    return f"GMT{sign}{hours}" + (f":{minutes}" if minutes != "00" else "")


def _zone_id(moment: datetime) -> str:
    zone = moment.tzinfo
    if isinstance(zone, ZoneInfo):
        return zone.key
    return _offset(moment, 3, zulu=True)


def _zone_name(moment: datetime, count: int, _locale: Locale) -> str:
    if _zone_id(moment) in ("Z", "UTC", "Etc/UTC"):
        return "Coordinated Universal Time" if count == 4 else "UTC"
    if count == 4 or not isinstance(moment.tzinfo, ZoneInfo):
        return _zone_id(moment)
    return moment.tzname() or _zone_id(moment)


def _fraction(moment: datetime, count: int, _locale: Locale) -> str:
    return f"{moment.microsecond:06}000"[:count].ljust(count, "0")


def _padded(value: Callable[[datetime], int]) -> Callable[[datetime, int, Locale], str]:
    return lambda moment, count, _locale: f"{value(moment):0{count}}"


def _second_of_day(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


_FORMATTERS: dict[str, Callable[[datetime, int, Locale], str]] = {
    "G": lambda _moment, _count, locale: locale.eras[1],
    "y": lambda moment, count, _locale: _year(moment.year, count),
    "u": lambda moment, count, _locale: _year(moment.year, count),
    "Y": lambda moment, count, locale: _year(_week(moment, locale)[0], count),
    "D": _padded(lambda moment: moment.timetuple().tm_yday),
    "M": _month,
    "L": _month_alone,
    "Q": _quarter,
    "q": _quarter,
    "w": lambda moment, count, locale: f"{_week(moment, locale)[1]:0{count}}",
    "W": _padded(lambda moment: (moment.day + moment.replace(day=1).isoweekday() % 7 - 1) // 7 + 1),
    "d": _padded(lambda moment: moment.day),
    "F": _padded(lambda moment: (moment.day - 1) // 7 + 1),
    "E": _day_name,
    "e": _local_day,
    "c": _local_day,
    "a": lambda moment, _count, locale: locale.halves[moment.hour >= 12],
    "h": _padded(lambda moment: moment.hour % 12 or 12),
    "K": _padded(lambda moment: moment.hour % 12),
    "k": _padded(lambda moment: moment.hour or 24),
    "H": _padded(lambda moment: moment.hour),
    "m": _padded(lambda moment: moment.minute),
    "s": _padded(lambda moment: moment.second),
    "S": _fraction,
    "n": _padded(lambda moment: moment.microsecond * 1000),
    "A": _padded(lambda moment: _second_of_day(moment) * 1000 + moment.microsecond // 1000),
    "N": _padded(lambda moment: _second_of_day(moment) * 1_000_000_000 + moment.microsecond * 1000),
    "V": lambda moment, _count, _locale: _zone_id(moment),
    "v": _zone_name,
    "z": _zone_name,
    "O": _gmt_offset,
    "X": lambda moment, count, _locale: _offset(moment, count, zulu=True),
    "x": lambda moment, count, _locale: _offset(moment, count, zulu=False),
    "Z": _rfc_offset,
}


# ------------------------------------------------------------------------------------------------------------- parsing


def parse_date(text: str, pattern: str, locale: Locale = ENGLISH) -> datetime:
    """Return the date-time that the text holds in a Java pattern; without zone or offset it is naive.

    Raises:
        ExpressionError: The text does not have this form, or the pattern cannot be used for reading.
    """
    match = _matcher(pattern, locale).fullmatch(text)
    if match is None:
        raise ExpressionError(f"the text is no date of the form `{pattern}`", hint="see `existingFormat`")
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    try:
        return _assembled(found, locale)
    except (ValueError, KeyError, OverflowError):
        raise ExpressionError(f"the text has the form `{pattern}`, but is no date of the calendar") from None


@lru_cache(maxsize=256)
def _matcher(pattern: str, locale: Locale) -> re.Pattern[str]:
    parts: list[str] = []
    seen: set[str] = set()
    fields = _fields(pattern)
    for index, field in enumerate(fields):
        if field.letter in ("[", "]"):
            parts.append("(?:" if field.letter == "[" else ")?")
        elif not field.letter:
            parts.append(re.escape(field.literal))
        else:
            adjacent = (
                index + 1 < len(fields) and bool(fields[index + 1].letter) and fields[index + 1].letter not in "[]"
            )
            name = _group(field)
            body = _accepted(field, locale, adjacent=adjacent)
            parts.append(f"(?:{body})" if name in seen else f"(?P<{name}>{body})")
            seen.add(name)
    try:
        return re.compile("".join(parts), re.IGNORECASE)
    except re.error:
        raise ExpressionError("the date pattern has brackets that do not match") from None


def _group(field: _Field) -> str:
    """Return the name of the capture: the letter, with `T` added where the field is a word."""
    if field.letter in "ML" and field.count >= 3:
        return "MT"
    if field.letter == "u":
        return "y"
    if field.letter == "y" and field.count == 2:
        return "yy"
    return "M" if field.letter == "L" else field.letter


def _alternatives(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


def _accepted(field: _Field, locale: Locale, *, adjacent: bool) -> str:
    letter, count = field.letter, field.count
    if letter in "ML" and count >= 3:
        if count >= 4:
            return _alternatives(locale.months + locale.alone_months)
        return _alternatives(locale.short_months + locale.short_alone_months)
    if letter == "E" or (letter in "ec" and count > 2):
        return _alternatives(locale.days + locale.short_days)
    words = {
        "a": _alternatives(locale.halves),
        "G": _alternatives(locale.eras),
        "X": r"Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?",
        "x": r"[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?",
        "Z": r"Z|(?:GMT)?[+-]\d{2}:?\d{2}(?::?\d{2})?",
        "O": r"GMT(?:[+-]\d{1,2}(?::?\d{2})?)?",
        "V": r"[A-Za-z][\w/+-]*|Z|[+-]\d{2}:\d{2}",
        "z": r"[A-Za-z][\w/+-]*|[+-]\d{2}:\d{2}",
        "v": r"[A-Za-z][\w/+-]*",
    }
    if letter in words:
        return words[letter]
    if letter in "YQqwWFec":
        raise ExpressionError(f"the date pattern letter `{letter}` cannot be used for reading")
    exact = adjacent or letter == "S" or (letter in "yu" and count == 2)
    return rf"\d{{{count}}}" if exact else rf"\d{{{count},19}}"


def _assembled(found: dict[str, str], locale: Locale) -> datetime:
    year = int(found["y"]) if "y" in found else 2000 + int(found["yy"]) if "yy" in found else 1970
    month = _month_of(found["MT"].lower(), locale) if "MT" in found else int(found.get("M", 1))
    micros = _micros_of_day(found, locale)
    if "D" in found:
        day = datetime(year, 1, 1) + timedelta(days=int(found["D"]) - 1)  # noqa: DTZ001 - the zone follows below
    else:
        day = datetime(year, month, int(found.get("d", 1)))  # noqa: DTZ001 - the zone follows below
    return (day + timedelta(microseconds=micros)).replace(tzinfo=_zone(found))


def _month_of(name: str, locale: Locale) -> int:
    lists = locale.months, locale.alone_months, locale.short_months, locale.short_alone_months
    names = ([word.lower() for word in words] for words in lists)
    return next(words.index(name) for words in names if name in words) + 1


def _micros_of_day(found: dict[str, str], locale: Locale) -> int:
    if "N" in found:
        return int(found["N"]) // 1000
    if "A" in found:
        return int(found["A"]) * 1000
    hour = int(found["H"]) if "H" in found else int(found.get("k", "0")) % 24
    if "h" in found or "K" in found:
        hour = int(found.get("h", found.get("K", "0"))) % 12
        hour += 12 if found.get("a", "").lower() == locale.halves[1].lower() else 0
    minute, second = int(found.get("m", "0")), int(found.get("s", "0"))
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError
    fraction = int(found.get("S", "0").ljust(9, "0")[:9]) if "S" in found else int(found.get("n", "0"))
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction // 1000


def _zone(found: dict[str, str]) -> tzinfo | None:
    for letter in ("V", "z", "v"):
        if letter in found:
            return zone_of(found[letter])
    text = next((found[letter] for letter in ("X", "x", "Z", "O") if letter in found), None)
    return None if text is None else _fixed_zone(text.upper().removeprefix("GMT") or "Z")


def _fixed_zone(text: str) -> tzinfo:
    if text == "Z":
        return ZoneInfo("UTC")
    digits = text[1:].replace(":", "")
    digits = digits.zfill(2) if len(digits) < 3 else digits.zfill(4)
    hours, minutes, seconds = (int(digits[at : at + 2] or 0) for at in (0, 2, 4))
    span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-span if text[0] == "-" else span)


def zone_of(name: object) -> tzinfo:
    """Return a time zone by name or offset: `Europe/Paris`, `UTC`, `Z`, `+02:00`, `GMT+2`.

    Raises:
        ExpressionError: There is no such zone.
    """
    text = str(name).strip()
    offset = re.fullmatch(r"(?:GMT|UTC|UT)?([+-]\d{1,2}(?::?\d{2}){0,2})", text)
    try:
        if text.upper() in ("Z", "UTC", "GMT"):
            return ZoneInfo("UTC")
        return _fixed_zone(offset[1]) if offset else ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ExpressionError(
            "the time zone is not known", hint="use a name such as `Europe/Paris`, or `UTC`"
        ) from None
