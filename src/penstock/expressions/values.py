"""Values as templates see them: undefined, text, truth, equality.

Plain data only: maps, lists, strings, numbers, booleans, null and dates. Nothing here ever looks at a Python attribute
of a value on behalf of a template.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import msgspec

from penstock.expressions.errors import ExpressionTypeError, kind_of


class Undefined:
    """The value of a name that does not exist; never the same as null (EXP-008)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()

_FALSE_TEXTS = frozenset(("", "false", "0", "-0"))


class Long(int):
    """An integer that `className` reports as a long."""

    __slots__ = ()


class BigInteger(int):
    """An integer that `className` reports as a big integer."""

    __slots__ = ()


class Float32(float):
    """A number that `className` reports as single precision."""

    __slots__ = ()


class Written(ABC):
    """A value that knows its own text, other than JSON."""

    __slots__ = ()

    @abstractmethod
    def text(self) -> str:
        """Return what a template writes for the value."""


def _encodable(value: Any) -> Any:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else text_of(key): item for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
        return list(value)
    raise TypeError(kind_of(value))


_ENCODER = msgspec.json.Encoder(enc_hook=_encodable, decimal_format="number")


def json_of(value: Any) -> str:
    """Return the value as compact JSON. Implements EXP-085."""
    try:
        return _ENCODER.encode(value).decode()
    except (TypeError, ValueError):
        # Keys that are neither strings nor integers (null, booleans) take the slower road.
        pass
    try:
        return _ENCODER.encode(_with_text_keys(value)).decode()
    except (TypeError, ValueError):
        raise ExpressionTypeError("the value has a part without text form") from None


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {text_of(key): _with_text_keys(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_text_keys(item) for item in value]
    return value


def text_of(value: Any) -> str:
    """Return the text a template writes for a value. Implements EXP-006."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if value is None:
        return ""
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is dict or kind is list:
        return json_of(value)
    return _rare_text(value)


def _rare_text(value: Any) -> str:
    if isinstance(value, Written):
        return value.text()
    if isinstance(value, Enum):
        return text_of(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float | Decimal):
        return number_text(value)
    if isinstance(value, datetime):
        return iso_text(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    text = json_of(value)
    # Durations and identifiers have a JSON form in quotes; as text they stand without them.
    return text[1:-1] if text.startswith('"') else text


def number_text(value: float | Decimal) -> str:
    """Return a number in plain notation, never with an exponent (EXP-006)."""
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    text = float.__repr__(value)
    if "e" not in text:
        return text
    plain = format(Decimal(text), "f")
    return plain if "." in plain else plain + ".0"


def iso_text(value: datetime) -> str:
    """Return a date-time as ISO 8601 with its offset, `Z` for UTC."""
    text = value.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def is_truthy(value: Any) -> bool:
    """Return whether a condition holds, for a value or its rendered text. Implements EXP-179, ENG-072."""
    if type(value) is bool:
        return value
    if isinstance(value, str):
        return value.strip() not in _FALSE_TEXTS
    if isinstance(value, int | float | Decimal):
        return value != 0
    return value is not None and value is not UNDEFINED


def is_number(value: Any) -> bool:
    """Return whether the value is a number; a boolean is none."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def is_list(value: Any) -> bool:
    """Return whether the value is a list of any class, and no string."""
    return type(value) is list or (
        isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes | bytearray)
    )


def equal(left: Any, right: Any) -> bool:
    """Return whether two values are the same; numbers by value, booleans only with booleans (EXP-050)."""
    if isinstance(left, Enum):
        left = left.value
    if isinstance(right, Enum):
        right = right.value
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, Decimal) and isinstance(right, float):
        return bool(left == Decimal(float.__repr__(right)))
    if isinstance(left, float) and isinstance(right, Decimal):
        return bool(Decimal(float.__repr__(left)) == right)
    if isinstance(left, datetime) and isinstance(right, datetime) and (left.tzinfo is None) != (right.tzinfo is None):
        return False
    return bool(left == right)


def plain(value: Any) -> Any:
    """Return the value with the special classes of this package replaced by Python's own."""
    if isinstance(value, Written):
        return dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value.text()
    if isinstance(value, Long | BigInteger):
        return int(value)
    if isinstance(value, Float32):
        return float(value)
    if type(value) is list:
        return [plain(item) for item in value]
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    return value
