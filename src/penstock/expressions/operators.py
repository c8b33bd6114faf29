"""What the operators do. Implements EXP-050 to EXP-056, EXP-061."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from enum import Enum
from typing import Any

from penstock.expressions.access import entry
from penstock.expressions.errors import ExpressionTypeError, LimitExceededError, kind_of
from penstock.expressions.frame import Frame
from penstock.expressions.values import UNDEFINED, equal, is_list, is_number, text_of

_MAX_BITS = 8192


def add(frame: Frame, left: Any, right: Any) -> Any:
    """Add numbers, join strings, append to lists."""
    if type(left) is int and type(right) is int:
        return left + right
    if isinstance(left, str) or isinstance(right, str):
        return concatenate(frame, left, right)
    if is_list(left):
        frame.budget.elements(len(left) + 1)
        return [*left, *right] if is_list(right) else [*left, right]
    return _arithmetic("+", left, right)


def concatenate(frame: Frame, left: Any, right: Any) -> str:
    """Join two values as text."""
    text = (left if type(left) is str else frame.text(left)) + (right if type(right) is str else frame.text(right))
    if len(text) > 1024:
        frame.budget.spend(len(text))
    return text


def subtract(frame: Frame, left: Any, right: Any) -> Any:
    """Subtract numbers; from a list, remove elements."""
    if is_list(left):
        gone = list(right) if is_list(right) else [right]
        frame.budget.elements(len(left) * len(gone))
        return [item for item in left if not any(equal(item, other) for other in gone)]
    return _arithmetic("-", left, right)


def multiply(_frame: Frame, left: Any, right: Any) -> Any:
    """Multiply numbers."""
    return _arithmetic("*", left, right)


def divide(_frame: Frame, left: Any, right: Any) -> Any:
    """Divide numbers; integers give the integer nearest to zero."""
    return _arithmetic("/", left, right)


def remainder(_frame: Frame, left: Any, right: Any) -> Any:
    """Return the remainder, with the sign of the left side."""
    return _arithmetic("%", left, right)


def _quotient(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right


def _modulo(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    if isinstance(left, Decimal):
        return left % right
    return math.fmod(left, right)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _quotient,
    "%": _modulo,
}


def _arithmetic(sign: str, left: Any, right: Any) -> Any:
    for operand in (left, right):
        if not is_number(operand):
            hint = "convert text with the filter `number`" if isinstance(operand, str) else None
            raise ExpressionTypeError(f"`{sign}` needs numbers, {kind_of(operand)} is given", hint=hint)
    left, right = _aligned(left, right)
    if sign == "*" and type(left) is int and left.bit_length() + right.bit_length() > _MAX_BITS:
        raise LimitExceededError("the product is too large")
    try:
        return _ARITHMETIC[sign](left, right)
    except (ZeroDivisionError, DivisionByZero):
        raise ExpressionTypeError(f"`{sign}` by zero") from None
    except (OverflowError, Overflow, InvalidOperation, ValueError):
        raise ExpressionTypeError(f"`{sign}` has no result in the range of numbers") from None


def _aligned(left: Any, right: Any) -> tuple[Any, Any]:
    """Return both numbers in one class: decimal, else float, else integer."""
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return _decimal(left), _decimal(right)
    if isinstance(left, float) or isinstance(right, float):
        try:
            return float(left), float(right)
        except OverflowError:
            raise ExpressionTypeError("the number is out of range") from None
    return int(left), int(right)


def _decimal(value: Any) -> Decimal:
    return Decimal(float.__repr__(value)) if isinstance(value, float) else Decimal(value)


def negate(_frame: Frame, value: Any) -> Any:
    """Return the number with the other sign."""
    return _arithmetic("*", -1, value)


def positive(_frame: Frame, value: Any) -> Any:
    """Return the number itself."""
    return _arithmetic("+", 0, value)


def _comparison(sign: str, holds: Callable[[Any, Any], bool]) -> Callable[[Frame, Any, Any], bool]:
    def compare(_frame: Frame, left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        left, right = _comparable(left), _comparable(right)
        if is_number(left) and is_number(right):
            return holds(*_aligned(left, right))
        if isinstance(left, str) and isinstance(right, str):
            return holds(left, right)
        if isinstance(left, date) or isinstance(right, date):
            return holds(_moment(left, sign), _moment(right, sign))
        hint = "convert text with the filter `number`" if is_number(left) or is_number(right) else None
        raise ExpressionTypeError(f"`{sign}` cannot compare {kind_of(left)} with {kind_of(right)}", hint=hint)

    return compare


def _comparable(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _moment(value: Any, sign: str) -> datetime:
    from penstock.expressions.dates import as_datetime

    if isinstance(value, str | date):
        return as_datetime(value, None)
    raise ExpressionTypeError(f"`{sign}` cannot compare a date with {kind_of(value)}")


def contains(frame: Frame, left: Any, right: Any) -> bool:
    """Return whether a list, string or map has the item, or all items of a list. Implements EXP-053."""
    if left is None:
        return False
    if is_list(right):
        return all(contains(frame, left, item) for item in right)
    if isinstance(left, str):
        return text_of(right) in left
    if isinstance(left, Mapping):
        return entry(left, right) is not UNDEFINED
    if is_list(left):
        return any(equal(item, right) for item in left)
    raise ExpressionTypeError(f"`contains` needs a list, a string or a map on its left, {kind_of(left)} is given")


def is_in(frame: Frame, left: Any, right: Any) -> bool:
    """Return whether a list has the value, both taken as text; of a map, whether a key or value is it (EXP-054)."""
    if left is None or right is None:
        return False
    text = frame.text(left)
    if isinstance(right, Mapping):
        return any(frame.text(key) == text or frame.text(item) == text for key, item in right.items())
    if is_list(right):
        return any(frame.text(item) == text for item in right)
    raise ExpressionTypeError(f"`isIn` needs a list or a map on its right, {kind_of(right)} is given")


def inclusive_range(frame: Frame, left: Any, right: Any) -> list[int]:
    """Return the integers from left to right, both included. Implements EXP-061."""
    for bound in (left, right):
        if not isinstance(bound, int) or isinstance(bound, bool):
            raise ExpressionTypeError(f"`..` needs integers, {kind_of(bound)} is given")
    frame.budget.elements(abs(right - left) + 1)
    return list(range(left, right + 1)) if left <= right else list(range(left, right - 1, -1))


BINARY: dict[str, Callable[[Frame, Any, Any], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "~": concatenate,
    "==": lambda _frame, left, right: equal(left, right),
    "!=": lambda _frame, left, right: not equal(left, right),
    "<": _comparison("<", lambda left, right: bool(left < right)),
    ">": _comparison(">", lambda left, right: bool(left > right)),
    "<=": _comparison("<=", lambda left, right: bool(left <= right)),
    ">=": _comparison(">=", lambda left, right: bool(left >= right)),
    "contains": contains,
    "isIn": is_in,
    "..": inclusive_range,
}
UNARY: dict[str, Callable[[Frame, Any], Any]] = {"-": negate, "+": positive}
