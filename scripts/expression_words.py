"""Writes the filters and functions of expressions where the interface's editor completes them from.

Run it (`python -m scripts.expression_words`) after a change of the registries; a test compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path

from penstock.expressions import FILTERS, FUNCTIONS
from penstock.expressions.registry import REQUIRED, Entry

TARGET = Path(__file__).resolve().parent.parent / "ui" / "src" / "lib" / "expression-words.json"


def words() -> dict[str, dict[str, dict[str, str]]]:
    """Return what is registered: by name a summary, and how the call begins."""
    return {
        "filters": {name: _word(name, entry, is_filter=True) for name, entry in sorted(FILTERS.items())},
        "functions": {name: _word(name, entry, is_filter=False) for name, entry in sorted(FUNCTIONS.items())},
    }


def text() -> str:
    """Return the file's content."""
    return json.dumps(words(), indent=1, ensure_ascii=False) + "\n"


def _word(name: str, entry: Entry, *, is_filter: bool) -> dict[str, str]:
    takes = ", ".join(one.name if one.default is REQUIRED else f"{one.name}?" for one in entry.parameters)
    return {"call": name if is_filter and not takes else f"{name}({takes})", "summary": entry.summary}


def main() -> None:
    """Write the file."""
    TARGET.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
