"""Types of values in the key-value store: found out from what was sent, or converted to the one that was asked for.

Dates, date-times and durations are kept as ISO 8601 text; everything else as the JSON value it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from penstock.base.clock import from_iso, to_iso
from penstock.base.codec import from_json, to_json_text
from penstock.base.durations import DurationError, format_duration, parse_duration
from penstock.base.errors import InvalidRequestError

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\S+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DURATION = re.compile(r"-?P(?=[\dT])\S+")


class ValueTypeError(InvalidRequestError):
    """A value that is not of the type it is to have."""

    code = "KV_TYPE_MISMATCH"


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A value with its type."""

    type: str
    value: Any


def typed(value: Any) -> TypedValue:
    """Return a plain value with the type it has by itself."""
    if isinstance(value, str):
        return TypedValue("STRING", value)
    if isinstance(value, bool):
        return TypedValue("BOOLEAN", value)
    return TypedValue("NUMBER" if isinstance(value, int | float) else "JSON", value)


def read_body(text: str, kind: str | None = None) -> TypedValue:
    """Return the value of a request's body. Implements ENG-366, IAC-012.

    JSON is what it says, so that quotes make a text of anything; without quotes a date, a date-time or a duration is
    one, and whatever is left is text.

    Args:
        text: The body.
        kind: The type it is to have; the one it shows by itself when None.

    Raises:
        ValueTypeError: It is not of that type.
    """
    plain = text.strip()
    try:
        found = typed(from_json(plain))
    except ValueError:
        return convert(kind, text) if kind else _unquoted(text, plain)
    if not kind:
        return found
    is_text = found.type == "STRING"
    return convert(kind, text if kind.upper() == "STRING" and not is_text else found.value)


def _unquoted(text: str, plain: str) -> TypedValue:
    for kind, pattern in (("DATETIME", _DATE_TIME), ("DATE", _DATE), ("DURATION", _DURATION)):
        if pattern.fullmatch(plain):
            try:
                return convert(kind, plain)
            except ValueTypeError:
                break
    return TypedValue("STRING", text)


def convert(kind: str, value: Any) -> TypedValue:
    """Return a value as one of the given type. Implements ENG-359, ENG-361.

    Raises:
        ValueTypeError: It is none, or there is no such type.
    """
    name = kind.upper()
    read = _READERS.get(name)
    if read is None:
        raise ValueTypeError(f"`{kind}` is no type of a value", hint=f"use one of {', '.join(_READERS)}")
    try:
        return TypedValue(name, read(value))
    except (ValueError, DurationError):
        # The value itself is not shown: it may be confidential.
        raise ValueTypeError(f"the value is no {name}", hint=_HINTS[name]) from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else to_json_text(value)


def _number(value: Any) -> int | float:
    found = from_json(value.strip()) if isinstance(value, str) else value
    if typed(found).type != "NUMBER":
        raise ValueError("no number")
    number: int | float = found
    return number


def _boolean(value: Any) -> bool:
    word = _text(value).strip().lower()
    if word not in ("true", "false"):
        raise ValueError("no boolean")
    return word == "true"


def _date_time(value: Any) -> str:
    return to_iso(from_iso(_text(value).strip())).replace(".000000Z", "Z")


def _date(value: Any) -> str:
    return date.fromisoformat(_text(value).strip()).isoformat()


def _duration(value: Any) -> str:
    return format_duration(parse_duration(_text(value)))


def _json(value: Any) -> Any:
    return from_json(value) if isinstance(value, str) else value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "STRING": _text,
    "NUMBER": _number,
    "BOOLEAN": _boolean,
    "DATETIME": _date_time,
    "DATE": _date,
    "DURATION": _duration,
    "JSON": _json,
}
_HINTS = {
    "STRING": "",
    "NUMBER": "write digits, such as 42 or 1.5",
    "BOOLEAN": "write true or false",
    "DATETIME": "write ISO 8601, such as 2026-01-31T10:00:00Z",
    "DATE": "write ISO 8601, such as 2026-01-31",
    "DURATION": "write ISO 8601, such as PT5M",
    "JSON": "see that quotes and brackets are closed",
}
