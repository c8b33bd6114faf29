"""Java number patterns (`#,##0.00`), for `numberFormat`. Implements EXP-093."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from penstock.expressions.errors import ExpressionError
from penstock.expressions.values import number_text

_MAX_DIGITS = 340
_QUOTED = re.compile(r"'[^']*'")


@dataclass(frozen=True, slots=True)
class _Pattern:
    prefix: str
    suffix: str
    negative: tuple[str, str] | None
    integers: int
    optional_integers: int
    decimals: int
    max_decimals: int
    grouping: int
    exponent: int
    shift: int
    shows_point: bool


def format_number(value: float | Decimal, pattern: str) -> str:
    """Return the number in a Java pattern, halves rounded to even.

    Raises:
        ExpressionError: The pattern is malformed.
    """
    form = _compiled(pattern)
    number = Decimal(float.__repr__(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        return number_text(number)
    scaled = abs(number).scaleb(form.shift, Context(prec=2000))
    body = _scientific(scaled, form) if form.exponent else _plain(scaled, form)
    prefix, suffix = form.prefix, form.suffix
    if number.is_signed():
        prefix, suffix = form.negative or ("-" + prefix, suffix)
    return prefix + body + suffix


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> _Pattern:
    positive, _, negative = _split(pattern)
    prefix, core, suffix = _affixes(positive)
    affixes = None
    if negative:
        negative_prefix, _, negative_suffix = _affixes(negative)
        affixes = (negative_prefix, negative_suffix)
    number, _, exponent = core.partition("E")
    whole, point, fraction = number.partition(".")
    digits = whole.replace(",", "")
    if digits.lstrip("#").strip("0") or fraction.rstrip("#").strip("0") or exponent.strip("0"):
        raise ExpressionError("the number pattern is malformed", hint="a pattern looks like `#,##0.00`")
    if not digits and not fraction:
        raise ExpressionError("the number pattern has no digits", hint="a pattern looks like `#,##0.00`")
    bare = _QUOTED.sub("", positive)  # a quoted percent sign is only text
    shift = 2 if "%" in bare else 3 if "\u2030" in bare else 0
    return _Pattern(
        prefix=prefix,
        suffix=suffix,
        negative=affixes,
        integers=digits.count("0"),
        optional_integers=digits.count("#"),
        decimals=min(fraction.count("0"), _MAX_DIGITS),
        max_decimals=min(len(fraction), _MAX_DIGITS),
        grouping=len(whole) - whole.rfind(",") - 1 if "," in whole else 0,
        exponent=len(exponent),
        shift=shift,
        shows_point=bool(point) and not fraction,
    )


def _split(pattern: str) -> tuple[str, str, str]:
    """Return the positive part, the separator and the negative part."""
    quoted = False
    for index, char in enumerate(pattern):
        if char == "'":
            quoted = not quoted
        elif char == ";" and not quoted:
            return pattern[:index], ";", pattern[index + 1 :]
    return pattern, "", ""


def _affixes(part: str) -> tuple[str, str, str]:
    """Return prefix, number and suffix, quotes resolved."""
    texts, core, at, index = ["", ""], "", 0, 0
    while index < len(part):
        char = part[index]
        if char == "'":
            end = part.find("'", index + 1)
            if end < 0:
                raise ExpressionError("the number pattern has a quote that is not closed")
            at = 1 if core else 0
            texts[at] += part[index + 1 : end] or "'"
            index = end + 1
            continue
        if char in "#0,." or (char == "E" and core and part[index + 1 : index + 2] == "0"):
            if at == 1:
                raise ExpressionError("the number pattern is malformed", hint="put literal text in single quotes")
            core += char
        else:
            at = 1 if core else 0
            texts[at] += char.replace("\u00a4", "$")
        index += 1
    return texts[0], core, texts[1]


def _rounded(number: Decimal, places: int) -> str:
    context = Context(prec=max(1, number.adjusted() + places + 3), rounding=ROUND_HALF_EVEN)
    return format(number.quantize(Decimal(1).scaleb(-places), context=context), "f")


def _plain(number: Decimal, form: _Pattern) -> str:
    return _laid_out(_rounded(number, form.max_decimals), form)


def _laid_out(digits: str, form: _Pattern) -> str:
    whole, _, fraction = digits.partition(".")
    fraction = fraction.rstrip("0").ljust(form.decimals, "0")
    whole = whole.lstrip("0").rjust(form.integers, "0")
    if not whole and not fraction:
        whole = "0"
    if form.grouping:
        whole = _grouped(whole, form.grouping)
    return whole + ("." + fraction if fraction else "." if form.shows_point else "")


def _grouped(whole: str, size: int) -> str:
    head = len(whole) % size
    groups = [whole[:head]] if head else []
    groups += [whole[index : index + size] for index in range(head, len(whole), size)]
    return ",".join(groups)


def _scientific(number: Decimal, form: _Pattern) -> str:
    places = form.integers + form.optional_integers
    significant = max(1, places + form.max_decimals)
    number = Context(prec=significant, rounding=ROUND_HALF_EVEN).plus(number)
    exponent = number.adjusted() if number else 0
    if form.optional_integers and places > 1:
        # With optional integer digits the exponent is a multiple of their number.
        exponent = exponent // places * places
    else:
        exponent -= max(form.integers, 1) - 1
    mantissa = number.scaleb(-exponent, Context(prec=2000))
    sign = "-" if exponent < 0 else ""
    return f"{_laid_out(format(mantissa, 'f'), form)}E{sign}{abs(exponent):0{form.exponent}}"
