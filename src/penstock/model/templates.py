"""What a text that is rendered some time says: its references, the secrets and keys it names, its mistakes.

A mistake in one expression does not hide what the others of the same text say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.expressions import ExpressionError
from penstock.expressions.analysis import Analysis
from penstock.expressions.template import Renderer

_COMPILER = Renderer(cache_size=0)
"""Keeps nothing, so that reading a large flow does not push out what running flows need."""
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_HYPHENATED = re.compile(r"(?<![\w'\"])(inputs|outputs|tasks|vars)\.(\w+(?:-\w+)+)")
_ASKING = frozenset(("secret", "kv"))


@dataclass(frozen=True, slots=True)
class TemplateError:
    """A mistake, and where in the text it is (from 1)."""

    reason: str
    hint: str
    code: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A path that the text reads."""

    path: tuple[str, ...]
    is_certain: bool
    """Every rendering reads it, without a fallback."""
    text: str
    offset: int

    def place_of(self, name: str) -> tuple[int, int]:
        """Return line and column of one of the path's names."""
        found = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)").search(self.text, self.offset)
        return place(self.text, found.start() if found else self.offset)


@dataclass(frozen=True, slots=True)
class Mention:
    """A secret or key that the text cannot do without."""

    function: str
    name: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says."""

    errors: tuple[TemplateError, ...] = ()
    references: tuple[Reference, ...] = ()
    mentions: tuple[Mention, ...] = ()
    hyphenated: tuple[tuple[str, str, int, int], ...] = ()
    """(root, name, line, column) of names with hyphens behind a dot, which are read as subtractions."""


def place(text: str, offset: int) -> tuple[int, int]:
    """Return line and column of an offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def read_template(text: str) -> Reading:
    """Return what a text says; never raises."""
    errors: list[TemplateError] = []
    parts: list[tuple[Analysis, int]] = []
    try:
        parts.append((_COMPILER.compile(text).analysis, 0))
    except ExpressionError as error:
        if "{%" not in text:
            for match in _EXPRESSION.finditer(text):
                try:
                    parts.append((_COMPILER.compile(match.group()).analysis, match.start()))
                except ExpressionError as inner:
                    errors.append(_error(inner, text, match.start()))
        if not errors:
            errors.append(_error(error, text, 0))
    references = [one for analysis, base in parts for one in _references(analysis, text, base)]
    mentions = [
        Mention(function, name, *place(text, base + offset))
        for analysis, base in parts
        for function, name, offset in sorted(analysis.asked)
        if function in _ASKING
    ]
    hyphenated = [(match[1], match[2], *place(text, match.start(2))) for match in _HYPHENATED.finditer(text)]
    return Reading(tuple(errors), tuple(references), tuple(mentions), tuple(hyphenated) if parts else ())


def _references(analysis: Analysis, text: str, base: int) -> Iterator[Reference]:
    for path in sorted(analysis.references):
        if path in analysis.offsets:  # what a function reads by itself is its own business
            yield Reference(path, path in analysis.certain, text, base + analysis.offsets[path])


def _error(error: ExpressionError, text: str, base: int) -> TemplateError:
    lines, column = max(error.line, 1) - 1, max(error.column, 1)
    offset = base
    for _ in range(lines):
        offset = text.find("\n", offset) + 1
    return TemplateError(error.reason, error.hint, error.code, *place(text, offset + column - 1))
