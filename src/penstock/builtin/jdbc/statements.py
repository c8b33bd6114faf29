"""SQL as far as it must be understood here: where a statement ends, and where its parameters are. Pure.

Text in quotes and comments is passed over, in the way of each database. What the statements mean is the database's
business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.sdk import PluginError

_ROUTINES = frozenset({"TRIGGER", "FUNCTION", "PROCEDURE", "EVENT"})
_LOOPS = frozenset({"IF", "LOOP", "WHILE", "REPEAT", "FOR"})
_READING = frozenset({"SELECT", "VALUES", "TABLE", "SHOW", "EXPLAIN", "FETCH"})
_WRITING = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_HEAD = 8
_COMMON = r"""
    (?P<blank>\s+|(?:--{dash})[^\n]*{hash})
  | (?P<comment>/\*)
  | (?P<quoted>{quoted})
  | (?P<word>[^\W\d][\w$]*)
  | (?P<cast>::|:=|\?\?)
  | (?P<name>:[^\W\d]\w*)
  | (?P<mark>\?)
  | (?P<end>;)
  | (?P<other>\d[\w.]*|.)
"""
_PLAIN = r"""'(?:[^']|'')*(?:'|$) | "(?:[^"]|"")*(?:"|$) """
_TICKS = r"""| `(?:[^`]|``)*(?:`|$) """
_DOLLARS = r"""| (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?:(?P=tag)|$) """
_ESCAPES = r"""[eE]'(?:[^'\\]|''|\\.)*(?:'|$) | """
_SLASHES = r"""'(?:[^'\\]|''|\\.)*(?:'|$) | "(?:[^"\\]|""|\\.)*(?:"|$) """


class SqlError(PluginError):
    """The SQL of a task cannot be used as it is."""

    code = "SQL_INVALID"


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a database reads SQL, and how its driver wants parameters to be written."""

    tokens: re.Pattern[str]
    nested_comments: bool
    named: Callable[[str], str]
    """Writes a parameter that has a name."""
    mark: str
    """Stands for a parameter without one."""
    doubles_percent: bool = False
    """Whether a per cent sign has a meaning for the driver."""


def _tokens(quoted: str, dash: str = "", hashes: str = "") -> re.Pattern[str]:
    return re.compile(_COMMON.format(quoted=quoted, dash=dash, hash=hashes), re.VERBOSE | re.DOTALL)


SQLITE = Syntax(_tokens(_PLAIN + _TICKS), False, lambda name: f":{name}", "?")
DUCKDB = Syntax(_tokens(_PLAIN + _DOLLARS), False, lambda name: f"${name}", "?")
POSTGRESQL = Syntax(_tokens(_ESCAPES + _PLAIN + _DOLLARS), True, lambda name: f"%({name})s", "%s", True)
MYSQL = Syntax(_tokens(_SLASHES + _TICKS, r"(?=\s|$)", r"|\#[^\n]*"), False, lambda name: f"%({name})s", "%s", True)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a statement and its kind."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, without the semicolon at its end."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The statement as it was written."""
        return "".join(part.text for part in self.parts).strip()

    @property
    def words(self) -> tuple[str, ...]:
        """Its words outside of quotes, in capitals."""
        return tuple(part.text.upper() for part in self.parts if part.kind == "word")

    @property
    def gives_rows(self) -> bool:
        """Whether it looks like one that answers with rows."""
        words = self.words
        if "RETURNING" in words or words[:1] == ("WITH",):
            return "RETURNING" in words or not _WRITING & set(words)
        return bool(words) and words[0] in _READING and "INTO" not in words

    def bound(self, syntax: Syntax, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the statement with its named parameters as the driver wants them, and their values.

        Raises:
            SqlError: A parameter has no value.
        """
        used: dict[str, Any] = {}

        def write(part: Part) -> str:
            if part.kind != "name":
                return _literal(part, syntax)
            name = part.text[1:]
            if name not in values:
                known = ", ".join(f"`{one}`" for one in values) or "nothing"
                raise SqlError(
                    f"`sql` names the parameter `:{name}`, and `parameters` holds {known}",
                    hint="give it a value there; a text in quotes is no parameter",
                )
            used[name] = values[name]
            return syntax.named(name)

        return "".join(map(write, self.parts)).strip(), used

    def marked(self, syntax: Syntax) -> tuple[str, int]:
        """Return the statement with its `?` as the driver wants them, and how many there are; `??` is an operator."""
        count = sum(part.kind == "mark" for part in self.parts)
        pieces = (syntax.mark if part.kind == "mark" else _literal(part, syntax) for part in self.parts)
        return "".join(pieces).strip(), count


def statements_of(sql: str, syntax: Syntax) -> list[Statement]:
    """Return the statements of a text; those of nothing but comments are left out.

    The bodies of triggers, functions and procedures hold semicolons that end nothing.
    """
    found: list[Statement] = []
    parts: list[Part] = []
    depth = _Depth()
    for part in _parts(sql, syntax):
        if part.kind == "end" and not depth.is_inside:
            found.append(Statement(tuple(parts)))
            parts, depth = [], _Depth()
            continue
        parts.append(part)
        if part.kind == "word":
            depth.take(part.text.upper())
    found.append(Statement(tuple(parts)))
    return [one for one in found if any(part.kind not in ("blank", "comment") for part in one.parts)]


def only_statement(sql: str, syntax: Syntax) -> Statement:
    """Return the statement of a text. Implements MIG-054.

    Raises:
        SqlError: There is none, or more than one.
    """
    found = statements_of(sql, syntax)
    if len(found) > 1:
        raise SqlError(
            "Query task supports only a single SQL statement. Use the Queries task to run multiple statements.",
            hint="a trigger and a query can run others in `afterSQL`",
        )
    return some(found)[0]


def some(found: Sequence[Statement]) -> Sequence[Statement]:
    """Return statements, of which there must be one at least.

    Raises:
        SqlError: There is none.
    """
    if not found:
        raise SqlError("`sql` holds no statement", hint="see what its expression renders to")
    return found


class _Depth:
    """How deep in the body of a routine a statement is."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._depth = 0
        self._ended = False

    @property
    def is_inside(self) -> bool:
        return self._depth > 0

    def take(self, word: str) -> None:
        """Look at the next word."""
        after_end, self._ended = self._ended, word == "END" and self._depth > 0
        if len(self._head) < _HEAD:
            self._head.append(word)
        if after_end and word in _LOOPS:
            self._depth += 1  # END IF and the like close nothing that was counted
        elif word == "BEGIN":
            self._depth += self._head[0] == "CREATE" and bool(_ROUTINES & set(self._head))
        elif word == "CASE":
            self._depth += self._depth > 0 and not after_end
        elif word == "END" and self._depth:
            self._depth -= 1


def _parts(sql: str, syntax: Syntax) -> Iterator[Part]:
    position = 0
    while position < len(sql):
        match = syntax.tokens.match(sql, position)
        assert match is not None, "some token fits every character"
        kind = match.lastgroup or "other"
        end = _comment_end(sql, match.end(), syntax.nested_comments) if kind == "comment" else match.end()
        yield Part(kind, sql[position:end])
        position = end


def _comment_end(sql: str, position: int, nested: bool) -> int:
    """Return where a comment ends that begins before a position."""
    depth = 1
    for match in re.compile(r"/\*|\*/").finditer(sql, position):
        if match[0] == "*/":
            depth -= 1
        elif nested:
            depth += 1
        if not depth:
            return match.end()
    return len(sql)


def _literal(part: Part, syntax: Syntax) -> str:
    """Return a piece that is no parameter."""
    text = "?" if part.text == "??" else part.text
    return text.replace("%", "%%") if syntax.doubles_percent else text
