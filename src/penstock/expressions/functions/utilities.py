"""Functions for numbers, time and identifiers. Implements EXP-165 to EXP-169."""

from __future__ import annotations

from typing import Any

from penstock.expressions import identifiers
from penstock.expressions.dates import format_moment, local, zone_or_default
from penstock.expressions.errors import ExpressionError, ExpressionTypeError, kind_of
from penstock.expressions.frame import Frame
from penstock.expressions.operators import BINARY
from penstock.expressions.registry import Entry, Parameter
from penstock.expressions.values import is_list

_MAX_NANO_ID = 10_000


def now(frame: Frame, time_zone: Any, pattern: Any, locale: Any) -> Any:
    """Return the present, as a date or, with a format, as text (EXP-165)."""
    moment = local(frame.environment.clock(), zone_or_default(time_zone, frame.environment))
    return moment if pattern is None else format_moment(moment, pattern, locale)


def _extreme(frame: Frame, sign: str, values: tuple[Any, ...]) -> Any:
    items = list(values[0]) if len(values) == 1 and is_list(values[0]) else list(values)
    if not items:
        raise ExpressionError("at least one value is needed")
    best = items[0]
    for item in items[1:]:
        if item is None or best is None:
            raise ExpressionTypeError("null cannot be compared")
        if BINARY[sign](frame, item, best):
            best = item
    return best


def maximum(frame: Frame, *values: Any) -> Any:
    """Return the largest of the arguments (EXP-166)."""
    return _extreme(frame, ">", values)


def minimum(frame: Frame, *values: Any) -> Any:
    """Return the smallest of the arguments (EXP-166)."""
    return _extreme(frame, "<", values)


def _integer(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ExpressionTypeError(f"argument {what} must be an integer, {kind_of(value)} is given")
    return value


def integers(frame: Frame, start: Any, end: Any, step: Any) -> list[int]:
    """Return the integers from start to end, the end included (EXP-167)."""
    first, last, width = _integer(start, "`start`"), _integer(end, "`end`"), _integer(step, "`step`")
    if width == 0:
        raise ExpressionError("argument `step` of `range` must not be 0")
    frame.budget.elements(max(0, (last - first) // width + 1))
    return list(range(first, last + (1 if width > 0 else -1), width))


def random_int(frame: Frame, lower: Any, upper: Any) -> int:
    """Return a random integer below the upper bound (EXP-169)."""
    low, high = _integer(lower, "`lower`"), _integer(upper, "`upper`")
    if low >= high:
        raise ExpressionError("`lower` of `randomInt` must be less than `upper`")
    return frame.environment.random.randrange(low, high)


def nano_id(frame: Frame, length: Any, alphabet: Any) -> str:
    """Return a random text over an alphabet (EXP-168)."""
    size = _integer(length, "`length`")
    if not 1 <= size <= _MAX_NANO_ID:
        raise ExpressionError(f"`length` of `nanoId` must be from 1 to {_MAX_NANO_ID}")
    if not isinstance(alphabet, str) or not alphabet:
        raise ExpressionTypeError("`alphabet` of `nanoId` must be a string of at least one character")
    return identifiers.nano_id(frame.environment.random, size, alphabet)


ENTRIES = [
    Entry(
        "now",
        now,
        "The present date and time.",
        (Parameter("timeZone", None), Parameter("format", None), Parameter("locale", None)),
        examples=(("{{ now(format='yyyy') | number > 2000 }}", "true"),),
        context=True,
    ),
    Entry(
        "max",
        maximum,
        "The largest of its arguments.",
        examples=(("{{ max(5, 10, 15) }}", "15"),),
        context=True,
        variadic=True,
    ),
    Entry(
        "min",
        minimum,
        "The smallest of its arguments.",
        examples=(("{{ min(5, 10, 15) }}", "5"),),
        context=True,
        variadic=True,
    ),
    Entry(
        "range",
        integers,
        "A list of integers, the end included.",
        (Parameter("start"), Parameter("end"), Parameter("step", 1)),
        examples=(("{{ range(0, 3) }}", "[0,1,2,3]"), ("{{ range(0, 6, 2) }}", "[0,2,4,6]")),
        context=True,
    ),
    Entry(
        "uuid",
        lambda frame: identifiers.uuid62(frame.environment.random),
        "A UUID in base 62.",
        examples=(("{{ uuid() | length }}", "22"),),
        context=True,
    ),
    Entry(
        "id",
        lambda frame: identifiers.uuid62(frame.environment.random),
        "A short unique id.",
        examples=(("{{ id() | length }}", "22"),),
        context=True,
    ),
    Entry(
        "ksuid",
        lambda frame: identifiers.ksuid(frame.environment.clock(), frame.environment.random),
        "An id that sorts by its time of creation.",
        examples=(("{{ ksuid() | length }}", "27"),),
        context=True,
    ),
    Entry(
        "nanoId",
        nano_id,
        "A random text of a length over an alphabet.",
        (Parameter("length", 21), Parameter("alphabet", identifiers.NANO_ALPHABET)),
        examples=(("{{ nanoId(length=10) | length }}", "10"),),
        context=True,
    ),
    Entry(
        "randomInt",
        random_int,
        "A random integer; the upper bound is excluded.",
        (Parameter("lower"), Parameter("upper")),
        examples=(("{{ randomInt(1, 2) }}", "1"),),
        context=True,
    ),
]
