"""Filters with regular expressions. Implements EXP-120 to EXP-123."""

from __future__ import annotations

from typing import Any

from penstock.expressions import regexes
from penstock.expressions.errors import ExpressionError, ExpressionTypeError
from penstock.expressions.frame import Frame
from penstock.expressions.registry import Entry, Parameter
from penstock.expressions.values import text_of


def regex_match(frame: Frame, value: Any, regex: Any) -> bool:
    """Return whether any part of the text matches (EXP-120)."""
    return regexes.search(text_of(regex), text_of(value), frame.settings.regex_timeout) is not None


def regex_replace(frame: Frame, value: Any, regex: Any, replacement: Any) -> str:
    """Return the text with all matches replaced, `$1` standing for a group (EXP-121)."""
    return regexes.replace(
        text_of(regex),
        text_of(value),
        text_of(replacement),
        frame.settings.regex_timeout,
        frame.limits.output,
    )


def regex_extract(frame: Frame, value: Any, regex: Any, group: Any = 0) -> str | None:
    """Return the first match or one of its groups, null without a match (EXP-122)."""
    if not isinstance(group, int) or isinstance(group, bool):
        raise ExpressionTypeError("argument `group` of `regexExtract` must be an integer")
    match = regexes.search(text_of(regex), text_of(value), frame.settings.regex_timeout)
    if match is None:
        return None
    try:
        found: str | None = match[group]
    except IndexError:
        raise ExpressionError(f"the regular expression has no group {group}") from None
    return found


ENTRIES = [
    Entry(
        "regexMatch",
        regex_match,
        "Whether a part of the text matches a regular expression.",
        (Parameter("regex"),),
        examples=(('{{ "hello world" | regexMatch("w[a-z]+") }}', "true"),),
        context=True,
    ),
    Entry(
        "regexReplace",
        regex_replace,
        "Replaces all matches; `$1` stands for a group.",
        (Parameter("regex"), Parameter("replacement")),
        examples=(
            (
                '{{ "2024-01-15" | regexReplace("(\\\\d{4})-(\\\\d{2})-(\\\\d{2})", "$3/$2/$1") }}',
                "15/01/2024",
            ),
        ),
        context=True,
    ),
    Entry(
        "regexExtract",
        regex_extract,
        "The first match, or one of its groups.",
        (Parameter("regex"), Parameter("group", 0)),
        examples=(
            ('{{ "order-12345-done" | regexExtract("\\\\d+") }}', "12345"),
            ('{{ "2024-01-15" | regexExtract("(\\\\d{4})-(\\\\d{2})-(\\\\d{2})", 1) }}', "2024"),
        ),
        context=True,
    ),
]
