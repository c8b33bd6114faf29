"""Typed values: what the types of inputs and outputs accept, and what they make of it.

Dates and times are ISO 8601 text, JSON and YAML are parsed, files stay URIs. Implements ENG-172 to ENG-188, ENG-206,
ENG-207, USE-B048.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from penstock.base.durations import DurationError, parse_duration
from penstock.base.errors import PenstockError
from penstock.expressions.values import text_of
from penstock.model.scalars import plain
from penstock.model.yaml import read_yaml

TYPES = (
    "STRING", "INT", "FLOAT", "BOOLEAN", "BOOL", "DATETIME", "DATE", "TIME", "DURATION", "FILE", "JSON", "YAML",
    "URI", "URL", "SECRET", "ARRAY", "SELECT", "ENUM", "MULTISELECT", "EMAIL",
)  # fmt: skip
"""Every type name of inputs and outputs, older ones included (ENG-394, USE-B045)."""
OLDER_TYPES = {"BOOLEAN": "BOOL", "ENUM": "SELECT", "URL": "URI"}
_LARGEST = 2**63
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+\Z")
_URI = re.compile(r"[^\s<>\"{}|\\^`]+\Z")
_FILE_SCHEMES = ("kestra://", "nsfile://", "file://", "asset://", "http://", "https://")
_TIME_ZONE_NAME = re.compile(r"\[[\w/+-]+\]\Z")


class Mismatch(Exception):
    """A value that is not of its type; says what would be."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted


class InvalidOutputs(PenstockError):
    """Outputs of a flow that cannot be made, all of them named."""

    code = "INVALID_OUTPUTS"


def coerce(type_name: str, value: Any, *, item_type: str | None = None) -> Any:
    """Return a value as its type has it.

    Args:
        type_name: One of `TYPES`.
        value: Not None.
        item_type: The type of the items of an ARRAY.

    Raises:
        Mismatch: The value is not of that type.
    """
    if type_name == "ARRAY":
        return _array(value, item_type)
    reader = _READERS.get(type_name)
    if reader is None:
        raise Mismatch(f"one of the types {', '.join(TYPES)}")
    return reader(value)


def _string(value: Any) -> str:
    return text_of(plain(value))


def _integer(value: Any) -> int:
    number: int | None = None
    if isinstance(value, str):
        number = int(value) if re.match(r"\s*[-+]?\d{1,19}\s*\Z", value) else None
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else None
    elif isinstance(value, int) and not isinstance(value, bool):
        number = int(value)
    if number is None or not -_LARGEST <= number < _LARGEST:
        raise Mismatch("a whole number such as 42")
    return number


def _decimal(value: Any) -> float | int:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value) if isinstance(value, float) else int(value)
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isfinite(number) and "_" not in value:
            return number
    raise Mismatch("a number such as 3.14")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower() if isinstance(value, str) else None
    if text in ("true", "false"):
        return text == "true"
    raise Mismatch("`true` or `false`")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(_TIME_ZONE_NAME.sub("", text.strip()))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _datetime(value: Any) -> str:
    moment = None
    try:
        if isinstance(value, datetime):
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        elif isinstance(value, str) and len(value.strip()) > 10:
            moment = _moment(value)
        if moment is not None:
            return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        pass
    raise Mismatch("a date-time such as 2026-01-31T10:00:00Z")


def _date(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, str) and re.match(r"\s*\d{4}-\d\d-\d\d\s*\Z", value):
        try:
            return date.fromisoformat(value.strip()).isoformat()
        except ValueError:
            pass
    raise Mismatch("a date such as 2026-01-31")


def _time(value: Any) -> str:
    if isinstance(value, str) and re.match(r"\s*\d\d:\d\d(:\d\d(\.\d{1,6})?)?\s*\Z", value):
        try:
            return time.fromisoformat(value.strip()).isoformat()
        except ValueError:
            pass
    raise Mismatch("a time such as 10:15:30")


def _duration(value: Any) -> str:
    try:
        if isinstance(value, str):
            parse_duration(value)
            return value.strip()
    except DurationError:
        pass
    raise Mismatch("a duration such as PT5M6S, of days, hours, minutes and seconds")


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return plain(value)
    try:
        return json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Mismatch('JSON such as {"key": "value"}') from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _yaml(value: Any) -> Any:
    if not isinstance(value, str):
        return plain(value)
    document = read_yaml(value)
    if document.problems:
        raise Mismatch("YAML such as `key: value`")
    return plain(document.data)


def _uri(value: Any) -> str:
    if isinstance(value, str) and _URI.match(value):
        return value
    raise Mismatch("a URI such as https://example.com/path, without spaces")


def _file(value: Any) -> str:
    if isinstance(value, str) and value.startswith(_FILE_SCHEMES):
        return value
    raise Mismatch("an uploaded file, or the URI of a stored one such as kestra:///path/file.csv")


def _email(value: Any) -> str:
    if isinstance(value, str) and len(value) <= 320 and _EMAIL.match(value):
        return value
    raise Mismatch("an e-mail address such as name@example.com")


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        document = read_yaml(value)
        value = None if document.problems else document.data
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(plain(list(value)))
    raise Mismatch('a list such as ["a", "b"]')


def _choices(value: Any) -> list[str]:
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [value]
    return [text_of(item) for item in _list(value)]


def _array(value: Any, item_type: str | None) -> list[Any]:
    items = _list(value)
    if item_type is None:
        return items
    result = []
    for index, item in enumerate(items):
        try:
            result.append(None if item is None else coerce(item_type, item))
        except Mismatch as mismatch:
            raise Mismatch(f"a list of {item_type}: item {index + 1} must be {mismatch.wanted}") from None
    return result


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "STRING": _string,
    "SECRET": _string,
    "SELECT": _string,
    "ENUM": _string,
    "INT": _integer,
    "FLOAT": _decimal,
    "BOOLEAN": _boolean,
    "BOOL": _boolean,
    "DATETIME": _datetime,
    "DATE": _date,
    "TIME": _time,
    "DURATION": _duration,
    "FILE": _file,
    "JSON": _json,
    "YAML": _yaml,
    "URI": _uri,
    "URL": _uri,
    "EMAIL": _email,
    "MULTISELECT": _choices,
}


def comparable(type_name: str, value: Any) -> Any:
    """Return what a coerced value of an ordered type is compared by (ENG-191)."""
    if type_name == "DURATION":
        return parse_duration(value)
    if type_name == "DATETIME":
        return _moment(value)
    if type_name == "DATE":
        return date.fromisoformat(value)
    if type_name == "TIME":
        return time.fromisoformat(value)
    return value


def render_outputs(
    outputs: Iterable[Mapping[str, Any]], render: Callable[[str], Any], seal: Callable[[str], Any]
) -> dict[str, Any]:
    """Return the outputs of a flow, each rendered and brought to its type (ENG-206).

    Args:
        outputs: Their definitions: `id`, `value`, and `type` unless the rendered value is to be kept as it is.
        render: Returns the value of a template.
        seal: Encrypts the value of a SECRET output.

    Raises:
        InvalidOutputs: Values that are not of their type; all are named. What `render` raises passes through.
    """
    result: dict[str, Any] = {}
    wrong: list[str] = []
    for output in outputs:
        value = _rendered(output.get("value"), render)
        type_name = output.get("type")
        if value is not None and type_name is not None:
            try:
                value = coerce(type_name, value, item_type=output.get("itemType"))
            except Mismatch as mismatch:
                wrong.append(f"output `{output['id']}` of type {type_name} must be {mismatch.wanted}")
                continue
            if type_name == "SECRET":
                value = seal(value)
        result[output["id"]] = value
    if wrong:
        raise InvalidOutputs("; ".join(wrong), hint="look at what the expression in `value` renders to")
    return result


def _rendered(value: Any, render: Callable[[str], Any]) -> Any:
    if isinstance(value, str):
        return render(value)
    if isinstance(value, Mapping):
        return {key: _rendered(item, render) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rendered(item, render) for item in value]
    return value
