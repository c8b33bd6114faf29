"""Which lines of a log are new when it is read anew after its connection was lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d) ?")


class LogLines:
    """Takes the lines of a log with their timestamps, and gives each of them once.

    A log can be read from a whole second on only, so lines come again. A line that comes again is told by its time:
    those before the last one's are known, and of those at the same time as many as there were.
    """

    def __init__(self) -> None:
        self._last = -1
        self._count = 0
        self._known = 0
        """How many more lines with the last one's time are known already."""
        self._is_again = False

    @property
    def since(self) -> str | None:
        """The time from which on the log is to be read, as the cluster takes it; None for all of it."""
        if self._last < 0:
            return None
        return datetime.fromtimestamp(self._last // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def restart(self) -> None:
        """Take what follows as another reading of the log."""
        self._is_again, self._known = True, self._count

    def new(self, line: bytes) -> bytes | None:
        """Return a line without its timestamp; None when it is known."""
        found = _STAMP.match(line)
        if found is None:
            return line
        time = _nanoseconds(*found.groups())
        if self._is_again:
            if time < self._last:
                return None
            if time == self._last and self._known:
                self._known -= 1
                return None
            self._is_again = False
        self._count = self._count + 1 if time == self._last else 1
        self._last = time
        return line[found.end() :]


def whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a text that comes in pieces, each with its end; the last one may have none.

    When the pieces end with an error, the part of a line that was there is not given: it comes again.
    """
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest


def _nanoseconds(seconds: bytes, fraction: bytes | None, zone: bytes) -> int:
    text = (seconds + zone.replace(b"Z", b"+00:00")).decode()
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000 + int((fraction or b"").ljust(9, b"0"))
