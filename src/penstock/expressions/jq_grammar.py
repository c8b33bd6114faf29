"""Knowing a jq program that is sure to end soon, by a small grammar."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"[^"\\]*")|(?P<number>\d{1,15})|(?P<path>\.[A-Za-z_]\w*)|(?P<name>[A-Za-z_]\w*)'
    r"|(?P<sign>==|!=|<=|>=|//|[.|,:?()\[\]{}<>+-]))"
)
_LONGEST = 500
_DEEPEST = 20
_MOST_GROWTH = 64
_COMPARING = frozenset({"==", "!=", "<", "<=", ">", ">=", "and", "or", "//", "+"})
_CONSTANTS = frozenset({"true", "false", "null"})
_PLAIN = frozenset(
    {"add", "all", "any", "ascii_downcase", "ascii_upcase", "empty", "first", "flatten", "from_entries", "keys"}
    | {"last", "length", "max", "min", "not", "reverse", "sort", "to_entries", "tonumber", "tostring", "type"}
    | {"unique", "values"}
)
_WITH_TEXT = frozenset({"contains", "endswith", "has", "join", "ltrimstr", "rtrimstr", "startswith"})
_WITH_ONE = frozenset({"select", "sort_by", "group_by", "unique_by", "min_by", "max_by"})
_WITH_MANY = frozenset({"map", "any", "all", "first", "last"})


class _Doubtful(Exception):  # says what is known
    """The program is not in the grammar of those that are sure to end soon."""


@lru_cache(maxsize=1024)
def is_harmless(program: str) -> bool:
    """Return whether a program's time and memory are surely bounded by a small multiple of its input."""
    if len(program) > _LONGEST:
        return False
    try:
        _Reader(program).program()
    except _Doubtful:
        return False
    return True


class _Reader:
    """Reads a program by the grammar. Each rule returns whether the part read may give several results.

    Where results of two such parts would be combined, the work would multiply; such programs are in doubt. What makes
    copies of its input (`{a: ., b: .}`, `. + .`) counts as growth.
    """

    def __init__(self, program: str) -> None:
        self._tokens = _tokens(program)
        self._at = 0
        self._growth = 1
        self._depth = 0

    def program(self) -> None:
        """Read all of it."""
        self._pipe()
        if self._at < len(self._tokens):
            raise _Doubtful

    def _pipe(self) -> bool:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Doubtful
        several = self._listed()
        while self._take("|"):
            several |= self._listed()
        self._depth -= 1
        return several

    def _listed(self) -> bool:
        several, parts = self._combined(), 1
        while self._take(","):
            self._combined()
            parts += 1
            several = True
        self._grow(parts)
        return several

    def _combined(self) -> bool:
        several = self._term()
        while self._peek() in _COMPARING:
            if self._next() == "+":
                self._grow(2)
            is_multiple = self._term()
            if is_multiple and several:
                raise _Doubtful
            several |= is_multiple
        return several

    def _term(self) -> bool:
        word = self._next()
        if word.startswith('"') or word.isdigit():
            return False
        if word == "-":
            if not self._next().isdigit():
                raise _Doubtful
            return False
        if word == "(":
            several = self._pipe()
            self._expect(")")
        elif word == "[":
            several = False
            if not self._take("]"):
                self._pipe()
                self._expect("]")
        elif word == "{":
            several = self._object()
        elif word.startswith("."):
            several = False
            if word == "." and self._peek().startswith('"'):
                self._next()
        else:
            several = self._named(word)
        return self._suffixes() or several

    def _suffixes(self) -> bool:
        several = False
        while True:
            if self._take("["):
                several |= self._index()
            elif self._take("?"):
                continue
            elif self._continues_path():
                self._next()
            else:
                return several

    def _continues_path(self) -> bool:
        return (self._peek() == "." and self._after() == "[") or (self._peek().startswith(".") and self._peek() != ".")

    def _index(self) -> bool:
        """Read what follows `[` after a term: nothing, an index, a key or a slice."""
        if self._take("]"):
            return True
        while not self._take("]"):
            word = self._next()
            if not (word in ("-", ":") or word.isdigit() or word.startswith('"')):
                raise _Doubtful
        return False

    def _object(self) -> bool:
        entries = 0
        while not self._take("}"):
            key = self._next()
            if not (key.startswith('"') or key.isidentifier()):
                raise _Doubtful
            if self._take(":") and self._term():
                raise _Doubtful
            entries += 1
            if self._peek() != "}":
                self._expect(",")
        self._grow(max(entries, 1))
        return False

    def _named(self, name: str) -> bool:
        if name in _CONSTANTS:
            return False
        if not self._take("("):
            if name not in _PLAIN:
                raise _Doubtful
            return False
        if name in _WITH_TEXT:
            given = self._next()
            if not given.startswith('"') and not (name == "has" and given.isdigit()):
                raise _Doubtful
            if name == "join":
                self._grow(max(len(given) - 1, 1))
        elif name in _WITH_ONE:
            if self._pipe():
                raise _Doubtful
        elif name in _WITH_MANY:
            self._pipe()
        else:
            raise _Doubtful
        self._expect(")")
        return False

    def _grow(self, factor: int) -> None:
        self._growth *= factor
        if self._growth > _MOST_GROWTH:
            raise _Doubtful

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _after(self) -> str:
        return self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else ""

    def _next(self) -> str:
        word = self._peek()
        if not word:
            raise _Doubtful
        self._at += 1
        return word

    def _take(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise _Doubtful


def _tokens(program: str) -> list[str]:
    tokens: list[str] = []
    position, text = 0, program.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _Doubtful
        tokens.append(found.group().strip())
        position = found.end()
    return tokens
