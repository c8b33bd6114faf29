"""Values of databases as those of flows, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from penstock.sdk import json_text

Row = dict[str, Any]
"""A row by the names of its columns."""
Values = Mapping[str, Any] | None
"""The values of a statement's parameters by name."""
_AS_THEY_ARE = (str, bool, int, float, Decimal, bytes, datetime, date, time)
_LARGEST = 2**63


def plain(value: Any) -> Any:
    """Return a value as Ion has it: what no such type is made for, such as an address or a range, as text."""
    if value is None or isinstance(value, _AS_THEY_ARE):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    return str(value)


def as_json(value: Any) -> Any:
    """Return a plain value as JSON has it: decimals are numbers unless that would change them."""
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return str(value)
    return value


def _number(value: Decimal) -> Any:
    if not value.is_finite():
        return str(value)
    if value.as_tuple().exponent == 0:
        return as_json(int(value))
    number = float(value)
    return number if Decimal(repr(number)) == value else str(value)


def bindable(value: Any) -> Any:
    """Return a value that every driver takes as a parameter: maps and lists as JSON."""
    return json_text(value) if isinstance(value, Mapping | list) else value


def bare(value: Any) -> Any:
    """Return a value of the few types that SQLite has."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date | time) else bindable(value)
