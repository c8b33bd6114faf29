"""Filters for JSON, Ion and jq. Implements EXP-085 to EXP-088."""

from __future__ import annotations

from typing import Any

from penstock.expressions.errors import ExpressionError, ExpressionTypeError
from penstock.expressions.frame import Frame
from penstock.expressions.ion import to_ion
from penstock.expressions.jq_grammar import is_harmless
from penstock.expressions.jq_programs import run_program
from penstock.expressions.registry import Entry, Parameter


def to_json(frame: Frame, value: Any) -> str:
    """Return the value as JSON text (EXP-085)."""
    return frame.json(value)


def apply_jq(frame: Frame, value: Any, expression: Any) -> list[Any]:
    """Return all results of a jq program; text is parsed as JSON first (EXP-087, EXP-014)."""
    if not isinstance(expression, str):
        raise ExpressionTypeError("the program of `jq` must be a string")
    text = value if isinstance(value, str) else frame.json(value)
    if is_harmless(expression):
        results = run_program(expression, text, frame.limits.elements)
    elif frame.settings.jq is not None:
        results = frame.settings.jq(expression, text, frame.settings.jq_timeout)
    else:
        raise ExpressionError(
            "this jq program may run for ever, so it is not run here",
            hint="paths, `map`, `select` and the like can be used; the server runs other programs too",
        )
    frame.budget.elements(len(results))
    return results


ENTRIES = [
    Entry(
        "toJson",
        to_json,
        "Writes any value as JSON.",
        examples=(
            ("{{ [1, 2, 3] | toJson }}", "[1,2,3]"),
            ("{{ true | toJson }}", "true"),
            ('{{ "foo" | toJson }}', '"foo"'),
        ),
        aliases=("json", "jsonEncode"),
        context=True,
        accepts_null=True,
    ),
    Entry(
        "toIon",
        to_ion,
        "Writes any value as Ion text.",
        examples=(('{{ {"name": "Ada", "id": 1} | toIon }}', '{name:"Ada",id:1}'),),
        accepts_null=True,
    ),
    Entry(
        "jq",
        apply_jq,
        "Applies a jq program; always returns the list of its results.",
        (Parameter("expression"),),
        examples=(
            ("{{ [1, 2, 3] | jq('.') }}", "[[1,2,3]]"),
            ("{{ [1, 2, 3] | jq('.[0]') | first }}", "1"),
        ),
        context=True,
    ),
]
