"""Choosing files by patterns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penstock.builtin.scripts.patterns import namespace_regex
from penstock.sdk import RunContext


def matching(paths: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Return the paths that fit one of the patterns (ENG-350), without leading slash, sorted."""
    wanted = [namespace_regex(pattern) for pattern in patterns]
    names = (path.lstrip("/") for path in paths)
    return sorted(name for name in names if any(regex.fullmatch(name) for regex in wanted))


def namespace_of(context: RunContext, given: str | None) -> str:
    """Return the namespace given, or else the flow's."""
    return given or str(context.variables["flow"]["namespace"])
