"""Functions that read structured text. Implements EXP-152 to EXP-154."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.expressions.errors import ExpressionError
from penstock.expressions.frame import Frame
from penstock.expressions.ion import from_ion as read_ion
from penstock.expressions.registry import Entry, Parameter
from penstock.expressions.values import is_truthy
from penstock.expressions.yaml_text import from_yaml


def from_json(value: Any) -> Any:
    """Return the value of a JSON text; what is no text is returned unchanged (EXP-152)."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (ValueError, RecursionError):
        raise ExpressionError("the text is no valid JSON") from None


def from_ion(value: Any, all_rows: Any = False) -> Any:
    """Return the first row of an Ion text, or the list of all (EXP-153)."""
    if not isinstance(value, str):
        return value
    rows = read_ion(value)
    return rows if is_truthy(all_rows) else rows[0] if rows else None


def yaml(frame: Frame, value: Any) -> Any:
    """Return the value of a YAML text; what is no text is returned unchanged (EXP-154)."""
    return from_yaml(value, frame.limits.elements) if isinstance(value, str) else value


ENTRIES = [
    Entry(
        "fromJson",
        from_json,
        "The value of a JSON text.",
        (Parameter("json"),),
        examples=(("{{ fromJson('[1, 2, 3]')[0] }}", "1"),),
        aliases=("json", "jsonDecode"),
    ),
    Entry(
        "fromIon",
        from_ion,
        "The first row of an Ion text, or with `allRows=true` the list of all.",
        (Parameter("ion"), Parameter("allRows", False)),
        examples=(("{{ fromIon('{id:1,name:\"Ada\"}').name }}", "Ada"),),
    ),
    Entry(
        "yaml",
        yaml,
        "The value of a YAML text.",
        (Parameter("yaml"),),
        examples=(("{{ yaml('foo: [666, 1, 2]').foo[0] }}", "666"),),
        context=True,
    ),
]
