"""Items as JSON text: numbers keep their digits, dates are ISO 8601."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def compact(value: Any) -> str:
    """Return a value as JSON."""
    return _ENCODER.encode(plain(value)).decode()


def plain(value: Any, *, zone: tzinfo | None = None, keeps_null: bool = True) -> Any:
    """Return a value of types that JSON has words for.

    Args:
        value: The value.
        zone: What dates with a zone of their own are shown in.
        keeps_null: Whether fields that hold nothing stay.
    """
    if isinstance(value, Mapping):
        return {
            str(key): plain(item, zone=zone, keeps_null=keeps_null)
            for key, item in value.items()
            if keeps_null or item is not None
        }
    if isinstance(value, list):
        return [plain(item, zone=zone, keeps_null=keeps_null) for item in value]
    if isinstance(value, datetime):
        moment = value.astimezone(zone) if zone and value.tzinfo else value
        return moment.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
