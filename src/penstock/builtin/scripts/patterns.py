"""Glob patterns for relative paths: `*`, `**`, `?`, `[a-z]`, `{a,b}`."""

from __future__ import annotations

import re
from functools import lru_cache

from penstock.sdk import PluginError

_SPECIAL = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]|[{},]|\\.|.", re.DOTALL)


class PatternError(PluginError):
    """A pattern that cannot be read."""

    code = "PATTERN_INVALID"


@lru_cache(maxsize=256)
def glob_regex(pattern: str) -> re.Pattern[str]:
    """Return what matches the same paths as the pattern; `**/` matches no folder too."""
    depth = 0
    parts: list[str] = []
    for piece in _SPECIAL.findall(pattern):
        if piece == "{" and "}" in pattern:
            depth += 1
        part = _translated(piece, depth)
        if piece == "}" and depth:
            depth -= 1
        parts.append(part)
    try:
        return re.compile("".join(parts) + (")" * depth), re.DOTALL)
    except re.error:
        return re.compile(re.escape(pattern))


def _translated(piece: str, depth: int) -> str:
    if piece == "**/":
        return "(?:.*/)?"
    if piece == "**":
        return ".*"
    if piece == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if depth and piece in "{},":
        return {"{": "(?:", "}": ")", ",": "|"}[piece]
    if piece[0] == "[" and len(piece) > 2:
        inside = re.sub(r"([\\\[^])", r"\\\1", piece[1:-1])
        return f"[^{inside[1:]}]" if inside[0] == "!" else f"[{inside}]"
    return re.escape(piece[1:] if piece[0] == "\\" and len(piece) > 1 else piece)


def namespace_regex(pattern: str) -> re.Pattern[str]:
    """Return what matches the same paths as a pattern for namespace files. Implements ENG-350.

    A leading `/` binds it to the root, `glob:` and `regex:` say what it is; anything else may match at any depth.
    """
    if pattern.startswith("regex:"):
        try:
            return re.compile(pattern.removeprefix("regex:"))
        except re.error as error:
            raise PatternError(f"`{pattern}` is no regular expression: {error}") from None
    if pattern.startswith("glob:"):
        return glob_regex(pattern.removeprefix("glob:").removeprefix("/"))
    if pattern.startswith("/"):
        return glob_regex(pattern.removeprefix("/"))
    return glob_regex(f"**/{pattern}")
