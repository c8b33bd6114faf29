"""Names of months and days, and the usual date formats, in the languages `date(locale=...)` knows (EXP-126).

English is here, since it is what counts without a locale; all others are in a file that `scripts/locale_words.py`
makes, read when the first of them is asked for.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from penstock.expressions.errors import ExpressionError


@dataclass(frozen=True, slots=True)
class Locale:
    """A language's words for dates; days start with Monday."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]
    halves: tuple[str, str]
    eras: tuple[str, str]
    styles: tuple[str, str, str, str]
    """Patterns of the formats `full`, `long`, `medium`, `short`."""
    alone_months: tuple[str, ...] = ()
    """As they are called without a day, where that is another word."""
    short_alone_months: tuple[str, ...] = ()
    week: tuple[int, int] = (0, 4)
    """The first day of a week, Monday being 0, and how many days of a year its first week has at least."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ENGLISH = Locale(
    _words("January February March April May June July August September October November December"),
    _words("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
    _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    _words("Mon Tue Wed Thu Fri Sat Sun"),
    ("AM", "PM"),
    ("BC", "AD"),
    (
        "EEEE, MMMM d, yyyy 'at' h:mm:ss a zzzz",
        "MMMM d, yyyy 'at' h:mm:ss a z",
        "MMM d, yyyy, h:mm:ss a",
        "M/d/yy, h:mm a",
    ),
    week=(6, 1),
)
_STYLES = {
    "fr": (
        "EEEE d MMMM yyyy 'à' HH:mm:ss zzzz",
        "d MMMM yyyy 'à' HH:mm:ss z",
        "d MMM yyyy, HH:mm:ss",
        "dd/MM/yyyy HH:mm",
    ),
    "de": (
        "EEEE, d. MMMM yyyy 'um' HH:mm:ss zzzz",
        "d. MMMM yyyy 'um' HH:mm:ss z",
        "dd.MM.yyyy, HH:mm:ss",
        "dd.MM.yy, HH:mm",
    ),
    "es": (
        "EEEE, d 'de' MMMM 'de' yyyy, H:mm:ss (zzzz)",
        "d 'de' MMMM 'de' yyyy, H:mm:ss z",
        "d MMM yyyy, H:mm:ss",
        "d/M/yy, H:mm",
    ),
    "it": (
        "EEEE d MMMM yyyy HH:mm:ss zzzz",
        "d MMMM yyyy HH:mm:ss z",
        "d MMM yyyy, HH:mm:ss",
        "dd/MM/yy, HH:mm",
    ),
    "pt": (
        "EEEE, d 'de' MMMM 'de' yyyy HH:mm:ss zzzz",
        "d 'de' MMMM 'de' yyyy HH:mm:ss z",
        "d 'de' MMM 'de' yyyy HH:mm:ss",
        "dd/MM/yyyy HH:mm",
    ),
    "nl": (
        "EEEE d MMMM yyyy 'om' HH:mm:ss zzzz",
        "d MMMM yyyy 'om' HH:mm:ss z",
        "d MMM yyyy HH:mm:ss",
        "dd-MM-yyyy HH:mm",
    ),
}
"""Formats of languages as flows know them from Java; the file has those of a later edition of the repository."""
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|\d{3}))?(?:[-_.@#].*)?", re.IGNORECASE)


def locale_of(tag: object) -> Locale:
    """Return the words of a language tag such as `en`, `fr_FR` or `zh-Hant-TW`.

    Raises:
        ExpressionError: The language is not known.
    """
    return ENGLISH if tag is None else _locale(str(tag))


@cache
def _locale(tag: str) -> Locale:
    match = _TAG.fullmatch(tag)
    if match is None or match[1].lower() not in _data():
        raise ExpressionError("the locale is not known", hint="use the tag of a language, such as `fr` or `pt-BR`")
    language, script, territory = match[1].lower(), (match[2] or "").title(), (match[3] or "").upper()
    if language == "en" and territory in ("", "US"):
        return ENGLISH
    words = _inherited("-".join(part for part in (language, script, territory) if part))
    return msgspec.convert({key: tuple(value) for key, value in words.items()}, Locale)


def _inherited(tag: str) -> dict[str, Any]:
    """Return what a locale says, and for the rest the one it inherits from."""
    said = _data().get(tag, {})
    if "same" in said:
        return _inherited(said["same"])
    parent = tag.rpartition("-")[0]
    if parent:
        return {**_inherited(parent), **said}
    return {**said, "styles": _STYLES.get(tag, said["styles"])}


@cache
def _data() -> Mapping[str, Mapping[str, Any]]:
    content = resources.files(__package__).joinpath("locale_words.json.gz").read_bytes()
    found: Mapping[str, Mapping[str, Any]] = msgspec.json.decode(gzip.decompress(content))
    return found
