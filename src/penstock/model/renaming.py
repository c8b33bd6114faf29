"""Flow sources in today's words: older names of types and properties replaced where they stand. Implements BEY-051."""

from __future__ import annotations

import re
from collections.abc import Iterable

from penstock.model.problems import Problem


def renamed(text: str, problems: Iterable[Problem]) -> str:
    """Return a text with every older name that was found in it replaced; all else stays as it was written."""
    lines = text.splitlines(keepends=True)
    places = {(one.line, one.column, *one.rename) for one in problems if one.rename is not None and one.line}
    for line, column, old, new in sorted(places, reverse=True):
        row = lines[line - 1]
        found = re.compile(rf"(?<![\w.]){re.escape(old)}(?![\w.])").search(row, column - 1)
        if found is not None:
            lines[line - 1] = row[: found.start()] + new + row[found.end() :]
    return "".join(lines)
