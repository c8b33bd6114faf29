"""Making pydantic's schemas fit for readers: no idle titles, no `null` for what is left out, no requirement ids."""

from __future__ import annotations

import inspect
import re
from typing import Any

_IDS = r"[A-Z]+-[A-Z]?\d+(?:(?:,\s|\sand\s|\sto\s)[A-Z]+-[A-Z]?\d+)*"
_IMPLEMENTS = re.compile(rf"(\s*)Implements\s(?:the\s\w+\spart\sof\s)?{_IDS}(?:\.|[:;] )(\s*)")
_MENTIONED = re.compile(rf"\s\({_IDS}\)")
_NULL = {"type": "null"}
_EXAMPLE = re.compile(r"(?:^|\n)(?P<title>[^\n]*)\n*\n?```(?P<lang>ya?ml)\n(?P<code>.*?)```", re.DOTALL)
_WHOLE = re.compile(r"^(?:id|namespace):", re.MULTILINE)


def tidy(value: Any) -> Any:
    """Return a schema as readers want it."""
    if isinstance(value, list):
        return [tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {key: _properties(item) if key == "properties" else tidy(item) for key, item in value.items()}
    if isinstance(result.get("description"), str):
        result["description"] = plain_text(result["description"])
    choices = result.get("anyOf")
    if isinstance(choices, list) and _NULL in choices:
        kept = [choice for choice in choices if choice != _NULL]
        del result["anyOf"]
        result.update(kept[0] if len(kept) == 1 else {"anyOf": kept})
    if "default" in result and result["default"] is None:
        del result["default"]
    return result


def _properties(value: Any) -> Any:
    """Return property schemas without the titles that repeat their names."""
    if not isinstance(value, dict):
        return tidy(value)
    return {name: {key: item for key, item in tidy(part).items() if key != "title"} for name, part in value.items()}


def plain_text(description: str) -> str:
    """Return a docstring without the requirements it implements or mentions in brackets."""

    def shorter(match: re.Match[str]) -> str:
        return "" if match.end() == len(description) else "\n\n" if "\n" in match[1] + match[2] else " "

    return _MENTIONED.sub("", _IMPLEMENTS.sub(shorter, description)).strip()


def examples_in(docstring: str) -> list[dict[str, Any]]:
    """Return the examples of a docstring: its fenced YAML blocks, each with the line before it as title (PLG-045)."""
    return [
        {
            "title": found["title"].strip().rstrip(":") or None,
            "full": _WHOLE.search(found["code"]) is not None,
            "lang": "yaml",
            "code": found["code"],
        }
        for found in _EXAMPLE.finditer(inspect.cleandoc(docstring))
    ]
