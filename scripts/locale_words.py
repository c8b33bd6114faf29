"""Writes the words and formats of all locales, from Babel's copy of the Common Locale Data Repository.

Run it (`python -m scripts.locale_words`) where a newer Babel is installed than the one that wrote the file; servers
need no Babel. A locale has only what it says otherwise than the one it inherits from: `de-AT` what differs from `de`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError, localedata
from babel.core import get_global

TARGET = Path(__file__).resolve().parent.parent / "src" / "penstock" / "expressions" / "locale_words.json.gz"
STYLES = ("full", "long", "medium", "short")
SPACES = str.maketrans({"\u202f": " ", "\u00a0": " ", "\u200e": None, "\u200f": None, "\u061c": None})
FORMERLY = {"in": "id", "iw": "he", "ji": "yi", "no": "nb"}
"""What Java calls some languages."""


def words_of(locale: Locale) -> dict[str, Any]:
    """Return what one locale says."""
    halves = locale.day_periods.get("format", {}).get("abbreviated", {})
    months, short_months = _months(locale, "format", "wide"), _months(locale, "format", "abbreviated")
    months = months or short_months or [str(number) for number in range(1, 13)]
    short_months = short_months or months
    days = locale.days["format"]
    return {
        "months": months,
        "short_months": short_months,
        "alone_months": _other(_months(locale, "stand-alone", "wide"), months),
        "short_alone_months": _other(_months(locale, "stand-alone", "abbreviated"), short_months),
        "days": [days["wide"][one] for one in range(7)],
        "short_days": [days["abbreviated"][one] for one in range(7)],
        "halves": [_plain(halves.get("am", "AM")), _plain(halves.get("pm", "PM"))],
        "eras": [_plain(locale.eras["abbreviated"][one]) for one in (0, 1)],
        "styles": [_style(locale, one) for one in STYLES],
        "week": _week(locale),
    }


def _months(locale: Locale, context: str, width: str) -> list[str]:
    """Return the names of the months; nothing where the repository has but placeholders."""
    found = [locale.months[context][width][one] for one in range(1, 13)]
    return [] if found[0] in ("M01", "1") else found


def _other(found: list[str], usual: list[str]) -> list[str]:
    return [] if found == usual else found


def _week(locale: Locale) -> list[int]:
    """Return the first day of a week, Monday being 0, and how many days of a year its first week has at least."""
    likely = get_global("likely_subtags").get(str(locale), str(locale))
    found = locale if locale.territory else _existing(likely) or _existing(f"{locale.language}_{likely[-2:]}") or locale
    return [found.first_week_day, found.min_week_days]


def _existing(identifier: str) -> Locale | None:
    try:
        return Locale.parse(identifier)
    except UnknownLocaleError:
        return None


def _plain(text: str) -> str:
    return text.translate(SPACES)


def _style(locale: Locale, style: str) -> str:
    """Return the pattern of a date with its time; the part of a day that only some languages name becomes AM or PM."""
    date, time = locale.date_formats[style].pattern, locale.time_formats[style].pattern
    joined = str(locale.datetime_formats[style]).replace("{1}", date).replace("{0}", time)
    return _plain(joined).replace("B", "a")


def collected(identifiers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what each locale says otherwise than the one it inherits from, and other names of it as `same`."""
    whole: dict[str, Mapping[str, Any]] = {}
    result: dict[str, dict[str, Any]] = {}
    for identifier in sorted(identifiers, key=lambda one: (one.count("_"), one)):
        localedata._cache.clear()  # what was looked up in a locale is seen in those that inherit from it otherwise
        locale = Locale.parse(identifier)
        if identifier == "root" or ("_" in identifier and str(locale) != identifier):
            continue
        tag, words = identifier.replace("_", "-"), words_of(locale)
        parent = tag
        while (parent := parent.rpartition("-")[0]) and parent not in whole:
            pass
        inherited = whole.get(parent, {})
        whole[tag] = words
        differs = {key: value for key, value in words.items() if inherited.get(key) != value}
        if differs or not parent:
            result[tag] = differs
    for tag in list(whole):
        language, *rest = tag.split("-")
        if len(rest) == 2 and _resolved(f"{language}_{rest[1]}") == tag:
            result[f"{language}-{rest[1]}"] = {"same": tag}
    return result | {old: {"same": new} for old, new in FORMERLY.items() if old not in result}


def _resolved(identifier: str) -> str | None:
    """Return which locale is meant where the script is left out."""
    found = _existing(identifier)
    return None if found is None else str(found).replace("_", "-")


def text() -> str:
    """Return the file's content, a locale a line."""
    lines = [
        f"{json.dumps(tag)}: {json.dumps(words, ensure_ascii=False, separators=(',', ':'))}"
        for tag, words in sorted(collected(localedata.locale_identifiers()).items())
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Write the file."""
    TARGET.write_bytes(gzip.compress(text().encode(), mtime=0))  # it counts in what an installation takes


if __name__ == "__main__":
    main()
