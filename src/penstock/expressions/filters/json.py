"""Filters for JSON, Ion and jq. Implements EXP-085 to EXP-088."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from penstock.expressions.errors import ExpressionError, ExpressionTypeError
from penstock.expressions.frame import Frame
from penstock.expressions.ion import to_ion
from penstock.expressions.registry import Entry, Parameter

_SAFE_REASON = re.compile(r"Cannot (?:index|iterate over|check whether|use) [a-z ]+")


# Programs see their input alone: not the server's environment variables, files or process.
_FENCE = (
    '{} as $ENV | def env: {}; def input: error("no input"); def inputs: empty; def debug: .; def debug(f): .;'
    ' def stderr: .; def input_filename: null; def halt: error("halt"); def halt_error: error("halt");'
    ' def halt_error(f): error("halt"); def modulemeta: error("no modules"); def get_search_list: []; (\n'
)


def to_json(frame: Frame, value: Any) -> str:
    """Return the value as JSON text (EXP-085)."""
    return frame.json(value)


@lru_cache(maxsize=256)
def _program(program: str) -> Any:
    try:
        import jq  # type: ignore[import-not-found]
    except ImportError:
        raise ExpressionError("the filter `jq` is not installed", hint="pip install jq") from None
    try:
        return jq.compile(f"{_FENCE}{program}\n)")
    except ValueError as error:
        reason = str(error).splitlines()[0].removeprefix("jq: error: ").partition(" at <")[0]
        raise ExpressionError(f"the jq program is malformed: {reason or 'it does not compile'}") from None


def apply_jq(frame: Frame, value: Any, expression: Any) -> list[Any]:
    """Return all results of a jq program; text is parsed as JSON first (EXP-087)."""
    if not isinstance(expression, str):
        raise ExpressionTypeError("the program of `jq` must be a string")
    program = _program(expression)
    text = value if isinstance(value, str) else frame.json(value)
    results: list[Any] = []
    try:
        for result in program.input_text(text):
            results.append(result)
            if len(results) > frame.limits.elements:
                frame.budget.elements(len(results))
    except ValueError as error:
        message = str(error)
        if message.startswith("parse error"):
            raise ExpressionError("the input of `jq` is text, but no JSON") from None
        # jq quotes the value it failed at; only the part before it may be shown.
        found = _SAFE_REASON.match(message)
        raise ExpressionError(f"the jq program failed: {found.group().strip() if found else 'see its input'}") from None
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
