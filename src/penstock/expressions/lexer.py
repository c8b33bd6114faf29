"""From template text to tokens.

The lexer knows the delimiters, whitespace control and literals. It tracks open braces, so that the braces of map
literals and the delimiters inside strings are never taken for the end of an expression (EXP-004, EXP-005).
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Any, NamedTuple

from penstock.expressions.errors import ExpressionSyntaxError


class Kind(Enum):
    """What a token is."""

    TEXT = auto()
    OUTPUT_OPEN = auto()
    OUTPUT_CLOSE = auto()
    TAG_OPEN = auto()
    TAG_CLOSE = auto()
    NAME = auto()
    NUMBER = auto()
    STRING = auto()
    OPERATOR = auto()
    END = auto()


class Token(NamedTuple):
    """A piece of the template; `value` is already unescaped and converted."""

    kind: Kind
    value: Any
    offset: int

    def describe(self) -> str:
        """Return how a message names this token."""
        if self.kind in _CLOSING:
            return f"`{_CLOSING[self.kind]}`"
        if self.kind is Kind.END:
            return "the end of the template"
        return "a string" if self.kind is Kind.STRING else f"`{self.value}`"


_CLOSING = {Kind.OUTPUT_CLOSE: "}}", Kind.TAG_CLOSE: "%}"}
_OPENING = re.compile(r"\{[{%#]")
_RAW = re.compile(r"\{%-?\s*(raw|verbatim)\s*-?%\}")
_END_RAW = {name: re.compile(rf"\{{%(-?)\s*end{name}\s*(-?)%\}}") for name in ("raw", "verbatim")}
_SPACE = re.compile(r"\s+")
_NAME = re.compile(r"[^\W\d]\w*")
_ATTRIBUTE = re.compile(r"\w+")
_NUMBER = re.compile(r"(\d+)(?:(\.\d+)|([lL])(?!\w))?")
_OPERATOR = re.compile(r"\?\?\?|\?\?|==|!=|>=|<=|\.\.|[-+*/%~|()\[\]{},:?=.<>]")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t"}
_MAX_DIGITS = 1000


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a template, ending with one of kind END. Implements EXP-001, EXP-004, EXP-005, EXP-070."""
    return _Lexer(text).run()


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.tokens: list[Token] = []
        self.trim_next = False

    def run(self) -> list[Token]:
        while self.position < len(self.text):
            opening = _OPENING.search(self.text, self.position)
            if opening is None:
                self.add_text(len(self.text))
                break
            start = opening.start()
            trims = self.text.startswith("-", start + 2)
            self.add_text(start, trim_end=trims)
            self.position = start + (3 if trims else 2)
            self.open(start)
        self.tokens.append(Token(Kind.END, None, len(self.text)))
        return self.tokens

    def add_text(self, end: int, *, trim_end: bool = False) -> None:
        start, piece = self.position, self.text[self.position : end]
        if self.trim_next:
            piece = piece.lstrip()
            self.trim_next = False
        if trim_end:
            piece = piece.rstrip()
        if piece:
            self.tokens.append(Token(Kind.TEXT, piece, start))
        self.position = end

    def open(self, start: int) -> None:
        mark = self.text[start + 1]
        if mark == "#":
            self.skip_comment(start)
        elif mark == "%" and (raw := _RAW.match(self.text, start)):
            self.add_raw(start, raw)
        elif mark == "%":
            self.tokens.append(Token(Kind.TAG_OPEN, "{%", start))
            self.add_expression(start, "%}", Kind.TAG_CLOSE)
        else:
            self.tokens.append(Token(Kind.OUTPUT_OPEN, "{{", start))
            self.add_expression(start, "}}", Kind.OUTPUT_CLOSE)

    def skip_comment(self, start: int) -> None:
        end = self.text.find("#}", self.position)
        if end < 0:
            raise self.error("the comment is not closed", start, "close it with `#}`")
        self.trim_next = end > self.position and self.text[end - 1] == "-"
        self.position = end + 2

    def add_raw(self, start: int, opening: re.Match[str]) -> None:
        name = opening[1]
        closing = _END_RAW[name].search(self.text, opening.end())
        if closing is None:
            raise self.error(f"`{name}` is not closed", start, f"close it with `{{% end{name} %}}`")
        self.position = opening.end()
        self.trim_next = opening.group().endswith("-%}")
        self.add_text(closing.start(), trim_end=bool(closing[1]))
        self.trim_next = bool(closing[2])
        self.position = closing.end()

    def add_expression(self, start: int, closing: str, kind: Kind) -> None:
        text, depth = self.text, 0
        while True:
            if space := _SPACE.match(text, self.position):
                self.position = space.end()
            position = self.position
            if position >= len(text):
                raise self.error(f"the expression is not closed with `{closing}`", start)
            if depth == 0 and text.startswith((closing, "-" + closing), position):
                self.trim_next = text[position] == "-"
                self.position = position + len(closing) + self.trim_next
                self.tokens.append(Token(kind, closing, position))
                return
            value = self.add_token()
            if value == "{":
                depth += 1
            elif value == "}":
                depth = max(0, depth - 1)

    def add_token(self) -> str | None:
        """Add the next token of an expression; return it when it is an operator."""
        text, position = self.text, self.position
        if text[position] in "'\"":
            self.add_string()
            return None
        after_dot = bool(self.tokens) and self.tokens[-1].kind is Kind.OPERATOR and self.tokens[-1].value == "."
        if name := (_ATTRIBUTE if after_dot else _NAME).match(text, position):
            self.add(Kind.NAME, name.group(), name.end())
            return None
        if number := _NUMBER.match(text, position):
            self.add_number(number)
            return None
        if operator := _OPERATOR.match(text, position):
            value = operator.group()
            self.add(Kind.OPERATOR, value, operator.end())
            return value
        raise self.error(f"unexpected character `{text[position]}`", position)

    def add(self, kind: Kind, value: Any, end: int) -> None:
        self.tokens.append(Token(kind, value, self.position))
        self.position = end

    def add_number(self, match: re.Match[str]) -> None:
        if len(match.group()) > _MAX_DIGITS:
            raise self.error("the number has too many digits", match.start())
        value = float(match.group()) if match[2] else int(match[1])
        self.add(Kind.NUMBER, value, match.end())

    def add_string(self) -> None:
        start, quote = self.position, self.text[self.position]
        end = start + 1
        while True:
            end = self.text.find(quote, end)
            if end < 0:
                raise self.error("the string is not closed", start, f"close it with {quote}")
            backslashes = end - len(self.text[start + 1 : end].rstrip("\\")) - start - 1
            if backslashes % 2 == 0:
                break
            end += 1
        body = self.text[start + 1 : end]
        value = _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), body) if "\\" in body else body
        self.add(Kind.STRING, value, end + 1)

    def error(self, reason: str, offset: int, hint: str | None = None) -> ExpressionSyntaxError:
        error = ExpressionSyntaxError(reason, hint=hint)
        error.at(self.text, offset)
        return error
