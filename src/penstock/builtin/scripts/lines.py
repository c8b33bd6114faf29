"""Lines out of a stream of bytes, as they come and within bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without its end."""

    text: str
    cut: int = 0
    """How many bytes at its end were dropped."""


class LineSplitter:
    """Splits a stream at line feeds, carriage returns (as progress bars write them) or both.

    Args:
        bound: Most bytes of a line that are kept.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._kept = bytearray()
        self._cut = 0
        self._after_return = False

    def feed(self, data: bytes) -> Iterator[Line]:
        """Take a piece of the stream and return the lines that end in it."""
        if self._after_return and data.startswith(b"\n"):
            data = data[1:]
        self._after_return = data.endswith(b"\r")
        for piece in data.splitlines(keepends=True):
            content = piece.rstrip(b"\r\n")
            room = self._bound - len(self._kept)
            self._kept += content[:room]
            self._cut += max(0, len(content) - room)
            if len(content) != len(piece):
                yield self._take()

    def finish(self) -> Iterator[Line]:
        """Return what is left at the end of the stream."""
        if self._kept or self._cut:
            yield self._take()

    def _take(self) -> Line:
        line = Line(printable(self._kept.decode("utf-8", errors="replace")), self._cut)
        self._kept.clear()
        self._cut = 0
        return line


def printable(text: str) -> str:
    """Return a text that every database can keep: without NUL and without halves of characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", errors="replace").decode()
