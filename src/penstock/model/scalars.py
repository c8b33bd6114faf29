"""Plain scalars of YAML: what `yes`, `1.10`, `007` or `2024-01-31` mean in a flow.

A number or boolean whose text would be lost (`1.10` is not `1.1` in a version) remembers it until it is known whether a
text is wanted: see `penstock.model.wanted`.
"""

from __future__ import annotations

import math
import re
from typing import Any

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)\Z")
_RADIX = re.compile(r"[-+]?0(?:x[0-9a-fA-F_]+|o[0-7_]+)\Z")
_DECIMAL = re.compile(r"[-+]?(?:(?:0|[1-9][0-9_]*)?\.[0-9_]+|(?:0|[1-9][0-9_]*)\.?)(?:[eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_LARGEST = 2**63 - 1


class WrittenInteger(int):
    """An integer that is not written the way Python writes it, such as `0x1F` or `1_000`."""

    text: str


class WrittenDecimal(float):
    """A decimal that is not written the way Python writes it, such as `1.10`."""

    text: str


class WrittenBoolean(int):
    """A boolean written in another way than `true` or `false`."""

    text: str


def _with_text(number: Any, text: str) -> Any:
    number.text = text
    return number


def resolve_scalar(text: str) -> Any:
    """Return the value of an unquoted scalar."""
    first = text[:1]
    if first not in "-+.0123456789":
        return text if text not in _WORDS else _word(text)
    if not text:
        return None
    if _INTEGER.match(text):
        return _integer(int(text) if len(text) < 21 else None, text)
    if _RADIX.match(text):
        digits = text.replace("_", "")
        return _integer(int(digits, 0) if len(digits) < 24 and digits[-1] not in "xo" else None, text)
    if _DECIMAL.match(text):
        number = float(text.replace("_", ""))
        if math.isfinite(number):
            return number if repr(number) == text else _with_text(WrittenDecimal(number), text)
    return text


def _integer(number: int | None, text: str) -> Any:
    # What does not fit 64 bits is kept as text: JSON readers would round it.
    if number is None or not -_LARGEST <= number <= _LARGEST:
        return text
    return number if str(number) == text else _with_text(WrittenInteger(number), text)


def _word(text: str) -> Any:
    value = _WORDS[text]
    if value is None or text in ("true", "false"):
        return value
    return _with_text(WrittenBoolean(value), text)


def plain(value: Any) -> Any:
    """Return a value with numbers and booleans as Python has them, their text forgotten."""
    kind = type(value)
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    if kind is list:
        return [plain(item) for item in value]
    if kind is WrittenDecimal:
        return float(value)
    if kind is WrittenInteger:
        return int(value)
    if kind is WrittenBoolean:
        return bool(value)
    return value


def written(value: Any) -> Any:
    """Return a scalar as the text that was written; anything else as it is."""
    if isinstance(value, WrittenDecimal | WrittenInteger | WrittenBoolean):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value
