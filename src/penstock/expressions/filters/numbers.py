"""Filters for numbers. Implements EXP-090 to EXP-093."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from penstock.expressions.errors import ExpressionError, ExpressionTypeError, kind_of, suggestion
from penstock.expressions.number_patterns import format_number
from penstock.expressions.registry import Entry, Parameter
from penstock.expressions.values import BigInteger, Float32, Long, is_list, is_number

_INT = range(-(2**31), 2**31)
_LONG = range(-(2**63), 2**63)
_INTEGER = re.compile(r"[+-]?\d{1,4000}")
_DECIMAL = re.compile(r"[+-]?(?:\d{1,4000}(?:\.\d{0,4000})?|\.\d{1,4000})(?:[eE][+-]?\d{1,4})?")


def absolute(value: Any) -> Any:
    """Return the number without its sign (EXP-090)."""
    if not is_number(value):
        raise ExpressionTypeError(f"`abs` needs a number, {kind_of(value)} is given")
    return abs(value)


def _single(number: float) -> Float32:
    """Return the number rounded to single precision, in its shortest decimal form."""
    packed = struct.unpack("f", struct.pack("f", number))[0]
    for digits in range(1, 10):
        short = float(f"{packed:.{digits}g}")
        if struct.pack("f", short) == struct.pack("f", packed):
            return Float32(short)
    return Float32(packed)


def _within(bounds: range, kind: str, make: Callable[[int], int]) -> Callable[[str], int]:
    def convert(text: str) -> int:
        number = int(text)
        if number not in bounds:
            raise ExpressionError(f"the number is out of the range of {kind}", hint="use BIGINTEGER")
        return make(number)

    return convert


_TYPES: dict[str, Callable[[str], Any]] = {
    "INT": _within(_INT, "INT", int),
    "LONG": _within(_LONG, "LONG", Long),
    "BIGINTEGER": lambda text: BigInteger(int(text)),
    "FLOAT": lambda text: _single(float(text)),
    "DOUBLE": float,
    "BIGDECIMAL": Decimal,
}


def parse_number(value: Any, kind: Any = None) -> Any:
    """Return the number a text holds, in the given or the smallest fitting class (EXP-091)."""
    if not isinstance(value, str):
        raise ExpressionTypeError(f"`number` needs a string, {kind_of(value)} is given")
    text = value.strip()
    is_integer = _INTEGER.fullmatch(text) is not None
    if not is_integer and _DECIMAL.fullmatch(text) is None:
        raise ExpressionError("the text is no number")
    if kind is None:
        return _smallest_integer(int(text)) if is_integer else _smallest_decimal(text)
    name = str(kind).upper()
    if name not in _TYPES:
        hint = suggestion(name, _TYPES) or f"use one of {', '.join(_TYPES)}"
        raise ExpressionError("the type of `number` is not known", hint=hint)
    try:
        return _TYPES[name](text)
    except (ValueError, OverflowError):
        raise ExpressionError(f"the text is no number of type {name}") from None


def _smallest_integer(number: int) -> int:
    if number in _INT:
        return number
    return Long(number) if number in _LONG else BigInteger(number)


def _smallest_decimal(text: str) -> Any:
    """Return a float or double if it keeps the digits as written, else a decimal."""
    exact, double = Decimal(text), float(text)
    try:
        single = _single(double)
        if Decimal(float.__repr__(single)) == exact:
            return single
    except (OverflowError, ArithmeticError):
        pass
    if abs(double) != float("inf") and Decimal(float.__repr__(double)) == exact:
        return double
    return exact


_CLASSES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "java.lang.Boolean"),
    (Long, "java.lang.Long"),
    (BigInteger, "java.math.BigInteger"),
    (Float32, "java.lang.Float"),
    (float, "java.lang.Double"),
    (Decimal, "java.math.BigDecimal"),
    (str, "java.lang.String"),
    (Mapping, "java.util.LinkedHashMap"),
    (datetime, "java.time.ZonedDateTime"),
    (date, "java.time.LocalDate"),
)


def class_name(value: Any) -> str:
    """Return the established Java name of the value's class (EXP-092)."""
    for kind, name in _CLASSES:
        if isinstance(value, kind):
            return name
    if isinstance(value, int):
        return f"java.lang.{'Integer' if value in _INT else 'Long'}" if value in _LONG else "java.math.BigInteger"
    return "java.util.ArrayList" if is_list(value) else "java.lang.Object"


def number_format(value: Any, pattern: Any) -> str:
    """Return the number in a Java pattern (EXP-093)."""
    if not is_number(value):
        hint = "convert text with the filter `number`" if isinstance(value, str) else None
        raise ExpressionTypeError(f"`numberFormat` needs a number, {kind_of(value)} is given", hint=hint)
    return format_number(value, str(pattern))


ENTRIES = [
    Entry("abs", absolute, "The number without its sign.", examples=(("{{ -7 | abs }}", "7"),)),
    Entry(
        "number",
        parse_number,
        "Parses text as a number: INT, LONG, BIGINTEGER, FLOAT, DOUBLE, BIGDECIMAL, or the smallest that fits.",
        (Parameter("type", None),),
        examples=(
            ("{{ '06' | number }}", "6"),
            ('{{ "12.3" | number | className }}', "java.lang.Float"),
            ("{{ \"9223372036854775807\" | number('BIGDECIMAL') | className }}", "java.math.BigDecimal"),
        ),
    ),
    Entry(
        "className",
        class_name,
        "The Java name of the value's class.",
        examples=(("{{ 'text' | className }}", "java.lang.String"),),
    ),
    Entry(
        "numberFormat",
        number_format,
        "Formats a number with a Java pattern.",
        (Parameter("pattern"),),
        examples=(('{{ 3.141592653 | numberFormat("#.##") }}', "3.14"),),
    ),
]
