"""Types of values in configuration files: durations, sizes, lists. Implements OPS-050."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr

from penstock.base.clock import Micros
from penstock.base.durations import DurationError, parse_setting_duration

_SIZE = re.compile(r"^(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[KMGT]?)I?B?$", re.IGNORECASE)
FOREVER = "forever"
LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "OFF")
_FACTORS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def read_duration(value: Any) -> Any:
    """Return the length in microseconds of `25ms`, `5s`, `60m`, `1h`, `7d` or an ISO 8601 duration."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("is not a duration; write one such as 5s, 60m, 7d or PT1H")  # noqa: TRY004  # pydantic wants it
    try:
        length = parse_setting_duration(value)
    except DurationError:
        raise ValueError("is not a duration; write one such as 5s, 60m, 7d or PT1H") from None
    if length < 0:
        raise ValueError("must not be negative")
    return length


def read_period(value: Any) -> Any:
    """Return how long something is kept, or the word `forever` as it is.

    A number without its unit is refused: who means 90 days by 90 would lose what is older than 90 seconds.
    """
    if isinstance(value, str) and value.strip().lower() == FOREVER:
        return FOREVER
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"says no unit; write {value}d for days, or {value}s for seconds")  # noqa: TRY004  # pydantic wants it
    return read_duration(value)


def read_size(value: Any) -> Any:
    """Return the number of bytes of `10MB`, `10GB` or a plain number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is not a size; write bytes or a number such as 10MB or 10GB")
    return round(float(match["number"]) * _FACTORS[match["unit"].upper()])


def read_address(value: Any) -> Any:
    """Return the address of a server; None for an empty text."""
    if not isinstance(value, str) or value == "":
        return value or None
    found = urlsplit(value)
    if found.scheme not in ("http", "https") or not found.hostname:
        raise ValueError("is no address; write one such as https://flows.example.com")
    return value


def read_level(value: Any) -> Any:
    """Return a level of logs in upper case."""
    if not isinstance(value, str) or value.strip().upper() not in LEVELS:
        raise ValueError(f"is no level; use one of {', '.join(LEVELS)}")
    return value.strip().upper()


def read_list(value: Any) -> Any:
    """Return a list; text is split at commas, as environment variables carry it."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


Address = Annotated[str | None, BeforeValidator(read_address)]
Level = Annotated[str, BeforeValidator(read_level)]
Duration = Annotated[Micros, BeforeValidator(read_duration)]
Period = Annotated[Micros | Literal["forever"], BeforeValidator(read_period)]
Size = Annotated[int, BeforeValidator(read_size)]
EndState = Literal["SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "RETRIED", "SKIPPED"]
EndStates = Annotated[tuple[EndState, ...], BeforeValidator(read_list)]
TextList = Annotated[tuple[str, ...], BeforeValidator(read_list)]
SecretList = Annotated[tuple[SecretStr, ...], BeforeValidator(read_list)]
