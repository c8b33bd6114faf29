"""What assertions can ask of a value. Pure. Implements GOV-327, GOV-329, USE-B121."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from penstock.expressions import text_of

Operator = Callable[[Any, Any], bool]


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return Decimal(str(value).strip())
    except InvalidOperation:
        return None


def _date(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    return found if found.tzinfo else None


def equal(actual: Any, expected: Any) -> bool:
    """Return whether two values are the same: numbers by value, all else by text."""
    if actual is None or expected is None:
        return actual is expected
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        number = _number(actual)
        return number is not None and number == _number(expected)
    return text_of(actual) == text_of(expected)


def _compared(actual: Any, expected: Any) -> int:
    """Return -1, 0 or 1; numbers by value, dates by instant, all else by text."""
    for reading in (_number, _date):
        left, right = reading(actual), reading(expected)
        if left is not None and right is not None:
            return (left > right) - (left < right)  # type: ignore[operator]  # both of one kind
    one, other = text_of(actual), text_of(expected)
    return (one > other) - (one < other)


def _present(test: Operator) -> Operator:
    """Return an operator that no null meets."""
    return lambda actual, expected: actual is not None and test(actual, expected)


TESTS: Mapping[str, Operator] = {
    "isNull": lambda actual, expected: (actual is None) is bool(expected),
    "isNotNull": lambda actual, expected: (actual is not None) is bool(expected),
    "equalTo": equal,
    "notEqualTo": lambda actual, expected: not equal(actual, expected),
    "startsWith": _present(lambda actual, expected: text_of(actual).startswith(text_of(expected))),
    "endsWith": _present(lambda actual, expected: text_of(actual).endswith(text_of(expected))),
    "contains": _present(lambda actual, expected: text_of(expected) in text_of(actual)),
    "greaterThan": _present(lambda actual, expected: _compared(actual, expected) > 0),
    "greaterThanOrEqualTo": _present(lambda actual, expected: _compared(actual, expected) >= 0),
    "lessThan": _present(lambda actual, expected: _compared(actual, expected) < 0),
    "lessThanOrEqualTo": _present(lambda actual, expected: _compared(actual, expected) <= 0),
    "in": lambda actual, expected: any(equal(actual, one) for one in expected),
    "notIn": lambda actual, expected: not any(equal(actual, one) for one in expected),
}
"""Operators by name: (value, what is expected) -> whether it holds."""
