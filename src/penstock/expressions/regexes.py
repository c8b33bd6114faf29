"""Java regular expressions, bounded in time. Implements EXP-123.

The `regex` library knows nearly all of the Java syntax (possessive quantifiers, atomic groups, class intersections);
this module translates the rest. In Java `\\d`, `\\w` and `\\s` mean ASCII characters only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeVar

import regex

from penstock.expressions.errors import ExpressionError, LimitExceededError

T = TypeVar("T")

_CLASSES = {"d": "0-9", "w": "a-zA-Z0-9_", "s": r" \t\n\x0b\f\r"}
_BLOCKS = {"javaLowerCase": "Ll", "javaUpperCase": "Lu", "javaWhitespace": "IsWhiteSpace", "IsAlphabetic": "Alphabetic"}
_FLAGS = regex.VERSION1


@lru_cache(maxsize=256)
def compiled(pattern: str) -> regex.Pattern[str]:
    """Return the compiled form of a Java pattern.

    Raises:
        ExpressionError: The pattern is malformed.
    """
    try:
        return regex.compile(_translated(pattern), _FLAGS)
    except (regex.error, RecursionError, OverflowError, ValueError):
        raise ExpressionError(
            "the regular expression is malformed", hint="backslashes stand doubled in strings: '\\\\d+'"
        ) from None


def _translated(pattern: str) -> str:
    parts: list[str] = []
    index, depth = 0, 0
    while index < len(pattern):
        char = pattern[index]
        if char == "\\" and index + 1 < len(pattern):
            piece, index = _escape(pattern, index, in_class=depth > 0)
            parts.append(piece)
            continue
        if char == "[":
            depth += 1
        elif char == "]" and depth:
            depth -= 1
        parts.append(char)
        index += 1
    return "".join(parts)


def _escape(pattern: str, index: int, *, in_class: bool) -> tuple[str, int]:
    """Return the translation of the escape at `index`, and the index after it."""
    letter, after = pattern[index + 1], index + 2
    if letter in _CLASSES:
        return (_CLASSES[letter] if in_class else f"[{_CLASSES[letter]}]"), after
    if letter.lower() in _CLASSES:
        return f"[^{_CLASSES[letter.lower()]}]", after
    if letter == "Q":
        end = pattern.find("\\E", after)
        literal = pattern[after : end if end >= 0 else len(pattern)]
        return regex.escape(literal), (end + 2 if end >= 0 else len(pattern))
    if letter == "z":
        return r"\Z", after
    if letter == "Z":
        return r"(?=\n?\Z)", after
    if letter in "pP" and pattern.startswith("{", after):
        end = pattern.find("}", after)
        name = pattern[after + 1 : end]
        return f"\\{letter}{{{_BLOCKS.get(name, name)}}}", end + 1
    if letter == "x" and pattern.startswith("{", after):
        end = pattern.find("}", after)
        return regex.escape(chr(int(pattern[after + 1 : end], 16))), end + 1
    return pattern[index:after], after


def search(pattern: str, text: str, timeout: float) -> regex.Match[str] | None:
    """Return the first match.

    Raises:
        ExpressionError: The pattern is malformed, or took longer than `timeout` seconds.
    """
    return _timed(lambda: compiled(pattern).search(text, timeout=timeout), timeout)


def matches(pattern: str, text: str, timeout: float) -> Iterator[regex.Match[str]]:
    """Yield all matches, left to right.

    Raises:
        ExpressionError: As for `search`.
    """
    found = compiled(pattern).finditer(text, timeout=timeout)
    while (match := _timed(lambda: next(found, None), timeout)) is not None:
        yield match


def _timed(action: Callable[[], T], timeout: float) -> T:
    try:
        return action()
    except TimeoutError:
        raise LimitExceededError(
            f"the regular expression took longer than {timeout:g} s",
            hint="anchor it, avoid nested repetition such as `(a+)+`, or raise `kestra.regex.timeout`",
        ) from None


def replace(pattern: str, text: str, replacement: str, timeout: float, limit: int) -> str:
    """Return the text with all matches replaced; `$1` and `${name}` stand for groups (EXP-121)."""
    expand = _replacement(replacement)
    parts: list[str] = []
    end = size = 0
    for match in matches(pattern, text, timeout):
        parts += (text[end : match.start()], expand(match))
        size += len(parts[-1])
        if size > limit:
            raise LimitExceededError(f"the replaced text is longer than {limit} characters")
        end = match.end()
    return "".join([*parts, text[end:]])


_REFERENCE = regex.compile(r"\\(.)|\$(\d)|\$\{(\w+)\}|\$", regex.DOTALL)


def _replacement(template: str) -> Callable[[regex.Match[str]], str]:
    """Return what expands a Java replacement for a match."""
    if "$" not in template and "\\" not in template:
        return lambda _match: template

    def expand(match: regex.Match[str]) -> str:
        def group(reference: regex.Match[str]) -> str:
            if reference[1] is not None:
                return str(reference[1])
            key = reference[2] or reference[3]
            if key is None:
                raise ExpressionError("the replacement has a `$` without group", hint="write a literal one as `\\\\$`")
            try:
                return match[int(key) if key.isdigit() else key] or ""
            except IndexError:
                raise ExpressionError(f"the regular expression has no group `{key}`") from None

        return _REFERENCE.sub(group, template)

    return expand


def split(pattern: str, text: str, limit: int, timeout: float) -> list[str]:
    """Return the pieces between the matches, with Java's rules for the limit. Implements EXP-097."""
    pieces: list[str] = []
    end = 0
    for match in matches(pattern, text, timeout):
        if limit > 0 and len(pieces) == limit - 1:
            break
        # An empty match at the very start gives no empty first piece.
        if match.end() == 0:
            continue
        pieces.append(text[end : match.start()])
        end = match.end()
    pieces.append(text[end:])
    if limit == 0:
        while len(pieces) > 1 and not pieces[-1]:
            pieces.pop()
    return pieces
