"""Log lines as a text file, and back: the form of logs that are kept in internal storage (`logToFile`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from penstock.base.clock import from_iso, to_iso
from penstock.engine.records import LogLine

_HEAD = re.compile(r"^(\d{4}-\d\d-\d\dT\S+Z) (ERROR|WARN|INFO|DEBUG|TRACE) +", re.MULTILINE)


def line_text(line: LogLine) -> str:
    """Return a line as it stands in the file."""
    return f"{to_iso(line.date)} {line.level:<5} {line.message}\n"


def lines_of(text: str, like: LogLine) -> Iterator[LogLine]:
    """Yield the lines of a file; what the file does not say is taken from `like`."""
    heads = list(_HEAD.finditer(text))
    for number, head in enumerate(heads):
        end = heads[number + 1].start() if number + 1 < len(heads) else len(text)
        date, level = head.groups()
        message = text[head.end() : end].removesuffix("\n")
        yield msgspec.structs.replace(like, date=from_iso(date), level=level, message=message)
