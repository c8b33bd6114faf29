"""Small conversions plugin authors need."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import unquote

from pydantic import AfterValidator

from penstock.base.clock import Instant, Micros, from_iso, to_iso
from penstock.base.codec import to_json_text
from penstock.base.durations import parse_duration
from penstock.expressions import ExpressionError
from penstock.expressions.date_patterns import format_date
from penstock.expressions.ion import from_ion, to_ion
from penstock.model.retry import Duration as Duration  # what a property that is a length may be written as
from penstock.model.retry import FixedDuration as FixedDuration
from penstock.sdk.errors import PluginError

T = TypeVar("T")
_FILE_URI = re.compile(r"(?:kestra|nsfile|file)://[^\r\n]+")


def duration(text: str) -> Micros:
    """Return the length of an ISO 8601 duration in microseconds; raises DurationError."""
    return parse_duration(text)


def instant(text: str) -> Instant:
    """Return the instant of an ISO 8601 date-time; without an offset it counts as UTC. Raises ValueError."""
    return from_iso(text)


def iso_date(instant: Instant) -> str:
    """Return an instant as ISO 8601 text in UTC."""
    return to_iso(instant)


def file_name(uri: str) -> str:
    """Return the own name of the file behind a URI such as `kestra:///folder/my%20file.csv`."""
    return unquote(uri.rsplit("/", 1)[-1])


def is_file_uri(text: str) -> bool:
    """Return whether a text names a stored file, a namespace file or one of the host, and is no content itself."""
    return _FILE_URI.fullmatch(text.strip()) is not None


def json_text(value: Any) -> str:
    """Return a value as loops and expressions write it: text as it is, anything else as JSON (ENG-078)."""
    return value if isinstance(value, str) else to_json_text(value)


def ion_values(text: str) -> list[Any]:
    """Return the values that a text in Ion (JSON is Ion too) holds.

    Raises:
        PluginError: It is no Ion.
    """
    try:
        return from_ion(text)
    except ExpressionError as error:
        raise PluginError(error.message, hint=error.hint) from None


def ion_text(value: Any) -> str:
    """Return a value as one line of Ion, the form of rows in internal storage (ENG-325)."""
    return to_ion(value)


def patterned_date(moment: datetime, pattern: str) -> str:
    """Return a date-time in a pattern such as `yyyy-MM-dd HH:mm`.

    Raises:
        PluginError: The pattern is wrong.
    """
    try:
        return format_date(moment, pattern)
    except ExpressionError as error:
        raise PluginError(error.message, hint=error.hint) from None


def constraint(holds: Callable[[T], bool], message: str) -> AfterValidator:
    """Return a constraint for annotations of properties (PLG-017); what is absent passes.

        Cron = Annotated[str, constraint(is_cron, "invalid cron expression ({validatedValue})")]

    Args:
        holds: Says whether a value is good.
        message: What is wrong otherwise; `{validatedValue}` stands for the value.
    """

    def check(value: T) -> T:
        if value is not None and not holds(value):
            raise ValueError(message.replace("{validatedValue}", str(value)))
        return value

    return AfterValidator(check)
