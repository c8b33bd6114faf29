"""Names of files and objects, picked by a regular expression that a flow gives."""

from __future__ import annotations

import regex

from penstock.sdk import PluginError

_LONGEST_SECONDS = 1.0


class NamePattern:
    """Fits the names that a regular expression describes from end to end; all names without one.

    Args:
        text: The expression.
        where: The property it is given in, for errors.
        error: What is raised when it cannot be used.

    Raises:
        PluginError: It is no regular expression.
    """

    def __init__(self, text: str | None, where: str, error: type[PluginError]) -> None:
        self._where = where
        self._error = error
        try:
            self._pattern = None if text is None else regex.compile(text)
        except (regex.error, RecursionError) as cause:
            raise error(f"`{where}` is no regular expression: {cause}", hint=r"such as .*\.csv") from None

    def fits(self, name: str) -> bool:
        """Return whether a name is one of those that are meant.

        Raises:
            PluginError: The expression takes too long to tell.
        """
        try:
            return self._pattern is None or self._pattern.fullmatch(name, timeout=_LONGEST_SECONDS) is not None
        except TimeoutError:
            raise self._error(f"`{self._where}` takes too long", hint="write a simpler one") from None
