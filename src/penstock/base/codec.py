"""JSON on the hot path, in one place: msgspec, and what it does with values JSON has no word for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence | set | frozenset):
        return list(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
_DECODER = msgspec.json.Decoder()


def to_json(value: Any) -> bytes:
    """Return the value as compact JSON; mappings, sequences and dates of any class are accepted."""
    return _ENCODER.encode(value)


def to_json_text(value: Any) -> str:
    """Return the value as compact JSON text."""
    return _ENCODER.encode(value).decode()


def from_json(data: bytes | str) -> Any:
    """Return the plain value that the JSON text holds.

    Raises:
        ValueError: The data is no JSON, or nested deeper than can be read.
    """
    try:
        return _DECODER.decode(data)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
