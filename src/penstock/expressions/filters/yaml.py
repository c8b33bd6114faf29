"""Filters for YAML and indentation. Implements EXP-130, EXP-131."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.expressions.errors import ExpressionTypeError
from penstock.expressions.frame import Frame
from penstock.expressions.registry import Entry, Parameter
from penstock.expressions.values import Written, is_list, text_of
from penstock.expressions.yaml_text import YamlList, YamlMap, from_yaml, to_yaml

_MAX_INDENT = 1000


def yaml(frame: Frame, value: Any) -> Any:
    """Return text parsed as YAML, or a map or list as block YAML text (EXP-130)."""
    if isinstance(value, str):
        parsed = from_yaml(value, frame.limits.elements)
        if isinstance(parsed, dict):
            return YamlMap(parsed)
        return YamlList(parsed) if isinstance(parsed, list) else parsed
    if isinstance(value, Written):
        return value.text()
    return to_yaml(value) if isinstance(value, Mapping) or is_list(value) else value


def _indented(frame: Frame, value: Any, amount: Any, prefix: Any, *, first: bool) -> str:
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount <= _MAX_INDENT:
        raise ExpressionTypeError(f"the amount of an indentation must be an integer from 0 to {_MAX_INDENT}")
    text, margin = frame.text(value), text_of(prefix) * amount
    frame.budget.spend(len(text) + (text.count("\n") + 1) * len(margin))
    lines = text.splitlines(keepends=True)
    start = 0 if first else 1
    return "".join([*lines[:start], *(margin + line for line in lines[start:])])


def indent(frame: Frame, value: Any, amount: Any, prefix: Any = " ") -> str:
    """Return the text with every line but the first moved to the right (EXP-131)."""
    return _indented(frame, value, amount, prefix, first=False)


def nindent(frame: Frame, value: Any, amount: Any, prefix: Any = " ") -> str:
    """Return the text on a new line, with every line moved to the right (EXP-131)."""
    return "\n" + _indented(frame, value, amount, prefix, first=True)


_AMOUNT = (Parameter("amount"), Parameter("prefix", " "))

ENTRIES = [
    Entry(
        "yaml",
        yaml,
        "Parses YAML text; writes a map or list as block YAML.",
        examples=(
            ('{{ ("foo: bar" | yaml).foo }}', "bar"),
            ('{{ {"key": "value"} | yaml }}', "key: value"),
        ),
        context=True,
    ),
    Entry(
        "indent",
        indent,
        "Indents every line but the first.",
        _AMOUNT,
        examples=(('{{ {"a": 1, "b": 2} | yaml | indent(4) }}', "a: 1\n    b: 2"),),
        context=True,
    ),
    Entry(
        "nindent",
        nindent,
        "Starts a new line and indents every line.",
        _AMOUNT,
        examples=(('{{ {"a": 1, "b": 2} | yaml | nindent(2) }}', "\n  a: 1\n  b: 2"),),
        context=True,
    ),
]
