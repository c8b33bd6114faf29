"""Secrets that are printed in pieces, a line each: told from ordinary lines when the pieces fit together (BEY-061)."""

from __future__ import annotations

from collections.abc import Sequence

_SHORTEST = 6
"""Fewer characters in a row are nothing that only a secret could have."""


class Pieces:
    """Follows lines, and says how many of the last ones together are a piece of a secret.

    One line alone may be an ordinary word that a secret happens to hold. Lines that follow one another in a secret as
    they do in the log are no chance, once they are half of it.
    """

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: list[str] = []

    def take(self, line: str, secrets: Sequence[str]) -> int:
        """Take the next line and return how many of the last lines, with this one, are to be hidden.

        Args:
            line: The line.
            secrets: Values to hide, in all their forms.
        """
        lines = [*self._lines, line.strip()]
        holding: list[str] = []
        while lines and not (holding := _holding("".join(lines), secrets)):
            del lines[0]
        self._lines = lines if lines and lines[-1] else []
        if len(self._lines) < 2:
            return 0
        size = len("".join(self._lines))
        return len(self._lines) if size >= max(_SHORTEST, min(map(len, holding)) / 2) else 0


def _holding(text: str, secrets: Sequence[str]) -> list[str]:
    return [secret for secret in secrets if len(text) <= len(secret) and text in secret]
