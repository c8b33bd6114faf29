"""What a search asks for: page, order and filters of the query string.

Implements API-008, API-009, API-010, ENG-133. Dates and time ranges become instants here, so that whoever searches
needs no clock; everything else is passed on as it was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from penstock.base.clock import Instant, Micros, from_iso
from penstock.base.durations import DurationError, parse_duration
from penstock.base.errors import InvalidRequestError
from penstock.engine.states import TERMINAL
from penstock.ports.queries import Filter, PageRequest

T = TypeVar("T")

Pairs = Iterable[tuple[str, str]]
"""Query parameters in order, repeated ones included."""

Maps = dict[tuple[str, str], dict[str, list[str]]]
"""Of each filter and operation that names keys, what is asked of each key."""

_FILTER = re.compile(r"filters\[([^\]]+)\]\[([^\]]+)\](?:\[(.+)\])?\Z", re.DOTALL)
_LISTS = frozenset({"IN", "NOT_IN"})
_DATES = frozenset({"startDate", "endDate", "created", "updated", "expirationDate", "nextExecutionDate", "date"})
_SINCE = frozenset({"EQUALS", "GREATER_THAN", "GREATER_THAN_OR_EQUAL_TO"})
_MAPS = frozenset({"labels", "metadata"})
_NAMES = {"query": "q", "minLevel": "level", "min_level": "level"}
_PLAIN = {
    "namespace": ("namespace", "EQUALS"),
    "flowId": ("flowId", "EQUALS"),
    "state": ("state", "IN"),
    "q": ("q", "EQUALS"),
    "labels": ("labels", "EQUALS"),
    "startDate": ("startDate", "GREATER_THAN_OR_EQUAL_TO"),
    "endDate": ("endDate", "LESS_THAN_OR_EQUAL_TO"),
    "timeRange": ("timeRange", "EQUALS"),
    "minLevel": ("level", "EQUALS"),
    "executionId": ("executionId", "EQUALS"),
    "taskId": ("taskId", "EQUALS"),
    "triggerId": ("triggerId", "EQUALS"),
    "triggerExecutionId": ("triggerExecutionId", "EQUALS"),
    "childFilter": ("childFilter", "EQUALS"),
    "scope": ("scope", "EQUALS"),
}
"""Older parameters, without brackets, and what they mean."""
OLDER = frozenset(_PLAIN)
"""Their names."""
_LARGEST_PAGE = 10_000
_TIMES = frozenset({"startDate", "endDate", "date", "timeRange"})
_ONES = frozenset({"id", "executionId", "triggerExecutionId", "parentId", "taskRunId"})


def page_of(pairs: Pairs) -> PageRequest:
    """Return the page that is asked for.

    Raises:
        InvalidRequestError: A number or an order cannot be read.
    """
    page, size = 1, 10
    sort: list[tuple[str, bool]] = []
    for name, value in pairs:
        if name == "page":
            page = _number(name, value)
        elif name == "size":
            size = min(_number(name, value), _LARGEST_PAGE)
        elif name == "sort":
            sort.extend(_order(part) for part in value.split(",") if part)
    return PageRequest(page, size, tuple(sort))


def _number(name: str, value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise InvalidRequestError(f"`{name}` must be a whole number from 1, not `{value}`")
    return int(value)


def _order(text: str) -> tuple[str, bool]:
    field, _, direction = text.partition(":")
    if direction.lower() not in ("", "asc", "desc"):
        raise InvalidRequestError(f"`sort` must be `field:asc` or `field:desc`, not `{text}`")
    return (field, direction.lower() != "desc")


def cut(found: Sequence[T], page: PageRequest) -> Sequence[T]:
    """Return one page of all that was found."""
    first = (page.page - 1) * page.size
    return found[first : first + page.size]


def filters_of(pairs: Pairs, now: Instant, *, plain: bool = True) -> list[Filter]:
    """Return the filters of a query string.

    Args:
        pairs: The parameters.
        now: What time ranges count back from.
        plain: Whether the older parameters without brackets count too.

    Raises:
        InvalidRequestError: A filter cannot be read.
    """
    found: list[Filter] = []
    maps: Maps = {}
    states: list[str] = []
    for name, value in pairs:
        if "\0" in value:
            raise InvalidRequestError(f"`{name}` holds a NUL character", hint="no text that is kept holds one")
        if name.startswith("filters["):
            _bracketed(name, value, found, maps, now)
        elif plain and name in _PLAIN and value:
            field, operation = _PLAIN[name]
            if field == "state":
                states.extend(value.split(","))
            elif field in _MAPS:
                key, _, label = value.partition(":")
                _add(maps, field, operation, key, label)
            else:
                found.append(_filter(field, operation, value, now))
    if states:
        found.append(Filter("state", "IN", states))
    for (field, operation), values in maps.items():
        plain_values = {key: given[0] if len(given) == 1 else given for key, given in values.items()}
        found.append(Filter(field, operation, plain_values))
    return found


def recent(filters: Sequence[Filter], reach: Micros | None, now: Instant) -> list[Filter]:
    """Return filters that reach back so far at most, where they ask for no time themselves. Implements BEY-022.

    What is about certain executions, or about those alone that have not ended, is found however old it is.
    """
    if reach is None or any(one.field in _TIMES or one.field in _ONES or _is_open(one) for one in filters):
        return list(filters)
    return [*filters, Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", now - reach)]


def _is_open(one: Filter) -> bool:
    """Tell whether a filter leaves only executions that have not ended."""
    if one.field != "state" or one.operation not in ("EQUALS", "IN"):
        return False
    states = one.value.split(",") if isinstance(one.value, str) else one.value
    return not any(state in TERMINAL for state in states)


class FilterBody(msgspec.Struct, frozen=True):
    """One filter of a body."""

    field: str
    operation: str = "EQUALS"
    value: Any = None


class FiltersBody(msgspec.Struct, frozen=True):
    """Filters in a body."""

    filters: Sequence[FilterBody] | None = None


def body_filters(given: Iterable[FilterBody], now: Instant) -> list[Filter]:
    """Return the filters of a body, read like those of a query string.

    Raises:
        InvalidRequestError: One of them cannot be read.
    """
    pairs: list[tuple[str, str]] = []
    for one in given:
        name = f"filters[{_wire_name(one.field)}][{one.operation}]"
        # The official client wraps a value that is no map into one.
        value = one.value["value"] if isinstance(one.value, Mapping) and set(one.value) == {"value"} else one.value
        if isinstance(value, Mapping):
            pairs += [(f"{name}[{key}]", str(part)) for key, part in value.items()]
        elif isinstance(value, list):
            pairs.append((name, ",".join(str(part) for part in value)))
        else:
            pairs.append((name, "" if value is None else str(value)))
    return filters_of(pairs, now, plain=False)


def _wire_name(name: str) -> str:
    """Return the name of a field as query strings have it: clients may send `FLOW_ID` for `flowId`."""
    if not name.isupper():
        return name
    first, *others = name.lower().split("_")
    return first + "".join(part.capitalize() for part in others)


def _bracketed(name: str, value: str, found: list[Filter], maps: Maps, now: Instant) -> None:
    match = _FILTER.match(name)
    if match is None:
        raise InvalidRequestError(
            f"`{name}` is no filter",
            hint="write filters[<field>][<operation>]=<value>, such as filters[state][IN]=FAILED",
        )
    field, operation, key = match.groups()
    field = _NAMES.get(field, field)
    operation = operation.upper()
    if field in _MAPS and key is None:
        key, colon, value = value.partition(":")
        if not colon:
            raise InvalidRequestError(
                f"`{name}` needs a key", hint=f"write filters[{field}][{operation}][<key>]=<value>"
            )
    if key is not None:
        _add(maps, field, operation, key, value)
    else:
        found.append(_filter(field, operation, value, now))


def _add(maps: Maps, field: str, operation: str, key: str, value: str) -> None:
    """Add what is asked of a key: all of it counts, so that a key asked for with two values is nowhere."""
    maps.setdefault((field, operation), {}).setdefault(key, []).append(value)


def _filter(field: str, operation: str, value: str, now: Instant) -> Filter:
    if field == "timeRange":
        if operation not in _SINCE:
            raise InvalidRequestError(
                f"the filter `timeRange` has no operation `{operation}`", hint="use EQUALS: it counts back from now"
            )
        return Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", now - _duration(value))
    if field in _DATES:
        return Filter(field, operation, read_date(field, value))
    parsed: Any = [part for part in value.split(",") if part] if operation in _LISTS else value
    return Filter(field, operation, parsed)


def _duration(value: str) -> int:
    try:
        return parse_duration(value)
    except DurationError as error:
        raise InvalidRequestError(f"`timeRange` cannot be read: {error.message}", hint=error.hint) from error


def read_date(name: str, value: str) -> Instant:
    """Return the instant of a date-time parameter; a `+` that became a space on the way is put back.

    Raises:
        InvalidRequestError: It is no date-time.
    """
    try:
        return from_iso(value.strip().replace(" ", "+") if "T" in value else value)
    except ValueError as error:
        raise InvalidRequestError(
            f"`{name}` must be a date-time, not `{value}`", hint="write ISO 8601, such as 2026-01-31T10:00:00Z"
        ) from error
