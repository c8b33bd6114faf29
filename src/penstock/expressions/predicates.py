"""The tests of `is` and `is not`. Implements EXP-076 to EXP-082, EXP-182."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.expressions.errors import ExpressionTypeError, kind_of
from penstock.expressions.registry import Entry, Registry
from penstock.expressions.values import UNDEFINED, is_list


def is_defined(value: Any) -> bool:
    """Return whether the variable exists, whatever its value (EXP-076)."""
    return value is not UNDEFINED


def is_empty(value: Any) -> bool:
    """Return whether the value is null, an empty text, list or map (EXP-077)."""
    return value is None or ((isinstance(value, str | Mapping) or is_list(value)) and len(value) == 0)


def is_null(value: Any) -> bool:
    """Return whether the value is null (EXP-078)."""
    return value is None


def _integer(value: Any, test: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ExpressionTypeError(f"`is {test}` needs an integer, {kind_of(value)} is given")
    return value


def is_even(value: Any) -> bool:
    """Return whether the integer is even (EXP-079)."""
    return _integer(value, "even") % 2 == 0


def is_odd(value: Any) -> bool:
    """Return whether the integer is odd (EXP-079)."""
    return _integer(value, "odd") % 2 == 1


def is_json(value: Any) -> bool:
    """Return whether the value is text that holds valid JSON (EXP-081)."""
    if not isinstance(value, str):
        return False
    try:
        msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return False
    return True


def is_map(value: Any) -> bool:
    """Return whether the value is a map (EXP-082)."""
    return isinstance(value, Mapping)


TESTS = Registry(
    "test",
    [
        Entry(
            "defined",
            is_defined,
            "The variable exists, whatever its value.",
            examples=(("{{ missing is not defined }}", "true"), ("{{ null is defined }}", "true")),
        ),
        Entry(
            "empty",
            is_empty,
            "Null, an empty string, an empty list or an empty map.",
            examples=(("{{ '' is empty }}", "true"), ("{{ [0] is empty }}", "false")),
        ),
        Entry("null", is_null, "The value is null.", examples=(("{{ null is null }}", "true"),)),
        Entry("even", is_even, "An even integer.", examples=(("{{ 2 is even }}", "true"),)),
        Entry("odd", is_odd, "An odd integer.", examples=(("{{ 3 is odd }}", "true"),)),
        Entry(
            "iterable",
            is_list,
            "A list, something `for` can go through; strings and maps are not.",
            examples=(("{{ [1] is iterable }}", "true"), ("{{ 'text' is iterable }}", "false")),
        ),
        Entry("json", is_json, "Text that holds valid JSON.", examples=(("{{ '{\"test\": 1}' is json }}", "true"),)),
        Entry("map", is_map, "A map.", examples=(('{{ {"apple": "red"} is map }}', "true"),)),
        Entry(
            "true", lambda value: value is True, "The boolean `true`.", examples=(("{{ (1 == 1) is true }}", "true"),)
        ),
        Entry(
            "false", lambda value: value is False, "The boolean `false`.", examples=(("{{ null is false }}", "false"),)
        ),
    ],
)
