"""ISO 8601 durations and the short forms of configuration files.

Implements ENG-240 (days, hours, minutes, seconds, fractions; no weeks, months or years) and OPS-050 (`25ms`, `5s`).
"""

from __future__ import annotations

import re

from penstock.base.clock import SECOND, Micros
from penstock.base.errors import PenstockError

_ISO = re.compile(
    r"^(?P<sign>-)?P(?:(?P<days>-?\d+(?:[.,]\d+)?)D)?"
    r"(?:T(?:(?P<hours>-?\d+(?:[.,]\d+)?)H)?(?:(?P<minutes>-?\d+(?:[.,]\d+)?)M)?(?:(?P<seconds>-?\d+(?:[.,]\d+)?)S)?)?$",
    re.IGNORECASE,
)
_SHORT = re.compile(r"^(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|h|d)$", re.IGNORECASE)
_UNITS = {"ms": SECOND // 1000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}
_PARTS = (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


class DurationError(PenstockError):
    """A text that is no duration."""

    code = "INVALID_DURATION"


def parse_duration(text: str) -> Micros:
    """Return the length of an ISO 8601 duration such as `PT5M`, `P1DT2H` or `PT0.25S`.

    Raises:
        DurationError: The text is no such duration, or uses weeks, months or years.
    """
    match = _ISO.match(text.strip())
    if match is None or not any(match[name] for name, _ in _PARTS):
        raise DurationError(
            f"`{text}` is not a duration",
            hint="write an ISO 8601 duration of days, hours, minutes and seconds, such as PT30S, PT5M or P1DT12H",
        )
    total = sum(float(match[name].replace(",", ".")) * seconds for name, seconds in _PARTS if match[name])
    return round(total * SECOND) * (-1 if match["sign"] else 1)


def parse_setting_duration(text: str | int | float) -> Micros:
    """Return the length of a duration of a configuration file: `25ms`, `5s`, `60m`, `1h`, `7d` or ISO 8601 (OPS-050).

    Raises:
        DurationError: The value is neither.
    """
    if isinstance(text, int | float):
        return round(text * SECOND)
    match = _SHORT.match(text.strip())
    return round(float(match["number"]) * _UNITS[match["unit"].lower()]) if match else parse_duration(text)


def format_duration(length: Micros) -> str:
    """Return the ISO 8601 text of a length, such as `PT1M23.5S`; zero is `PT0S`."""
    if length < 0:
        return "-" + format_duration(-length)
    seconds, micros = divmod(length, SECOND)
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    text = "PT"
    if hours:
        text += f"{hours}H"
    if minutes:
        text += f"{minutes}M"
    if seconds or micros or text == "PT":
        fraction = f".{micros:06d}".rstrip("0") if micros else ""
        text += f"{seconds}{fraction}S"
    return text
