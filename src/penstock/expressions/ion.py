"""Ion text, the row format of internal storage: writing and reading. Implements EXP-086, EXP-153.

Ion is JSON with more types. Written are the types that values of templates have; read is all of Ion's text form, with
annotations dropped, symbols and clobs as strings, blobs as Base64 text.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from penstock.expressions.errors import ExpressionError
from penstock.expressions.values import is_list, number_text, text_of

_SYMBOL = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_KEYWORDS = frozenset(("null", "true", "false", "nan"))
_MAX_DEPTH = 200


def to_ion(value: Any) -> str:
    """Return the value as one line of Ion text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Decimal):
        text = number_text(value)
        return text if "." in text else text + "."
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z") if value.tzinfo else value.isoformat() + "-00:00"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | time):
        return _quoted(text_of(value), '"')
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_symbol(text_of(key))}:{to_ion(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bytes):
        return "{{" + base64.b64encode(value).decode() + "}}"
    if is_list(value):
        return "[" + ",".join(to_ion(item) for item in value) + "]"
    return text_of(value)


def _float(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return "nan" if value != value else "+inf" if value > 0 else "-inf"
    text = float.__repr__(value)
    return text if "e" in text else text + "e0"


def _symbol(name: str) -> str:
    return name if _SYMBOL.fullmatch(name) and name not in _KEYWORDS else _quoted(name, "'")


def _quoted(text: str, quote: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    escaped = escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return quote + "".join(char if char >= " " else f"\\x{ord(char):02x}" for char in escaped) + quote


def from_ion(text: str) -> list[Any]:
    """Return the values of an Ion text, one for each row.

    Raises:
        ExpressionError: The text is no Ion.
    """
    reader = _Reader(text)
    values: list[Any] = []
    while not reader.at_end():
        value = reader.value(0)
        if value != "$ion_1_0" or reader.last_was_text:
            values.append(value)
    return values


_SKIP = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_TIMESTAMP = re.compile(
    r"\d{4}(?:-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})|-\d{2}-\d{2}T?|-\d{2}T|T)"
)
_NUMBER = re.compile(r"[+-]inf|-?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eEdD][+-]?\d+)?)")
_LONG = re.compile(r"'''(.*?)(?<!\\)'''", re.DOTALL)
_LOB = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\r?\n)|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ANNOTATION = re.compile(r"(?:[A-Za-z_$][\w$]*|'(?:[^'\\]|\\.)*')\s*::", re.DOTALL)
_OPERATOR = re.compile(r"[!#%&*+\-./;<=>?@^`|~]+")


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.last_was_text = False

    def at_end(self) -> bool:
        self._skip()
        return self.position >= len(self.text)

    def value(self, depth: int, *, in_sexp: bool = False) -> Any:
        self._skip()
        if depth > _MAX_DEPTH:
            raise self._error("is nested too deeply")
        self.last_was_text = False
        while annotation := _ANNOTATION.match(self.text, self.position):
            self.position = annotation.end()
            self._skip()
        char = self.text[self.position : self.position + 1]
        if lob := _LOB.match(self.text, self.position):
            self.position = lob.end()
            return self._lob(lob[1].strip())
        if char == "{":
            return self._struct(depth)
        if char in ("[", "("):
            return self._sequence(depth, "]" if char == "[" else ")")
        if char in ('"', "'"):
            return self._text()
        return self._scalar(in_sexp=in_sexp)

    def _skip(self) -> None:
        match = _SKIP.match(self.text, self.position)
        if match is not None:
            self.position = match.end()

    def _accept(self, char: str) -> bool:
        self._skip()
        if self.text.startswith(char, self.position):
            self.position += 1
            return True
        return False

    def _struct(self, depth: int) -> dict[str, Any]:
        self.position += 1
        found: dict[str, Any] = {}
        while not self._accept("}"):
            self._skip()
            quoted = self.text[self.position : self.position + 1] in ('"', "'")
            symbol = None if quoted else _SYMBOL.match(self.text, self.position)
            if symbol:
                self.position = symbol.end()
            elif not quoted:
                raise self._error("has a map without a name where one is needed")
            name = symbol.group() if symbol else self._text()
            if not self._accept(":"):
                raise self._error("has a map without `:` where one is needed")
            found[name] = self.value(depth + 1)
            if not self._accept(",") and not self.text.startswith("}", self.position):
                raise self._error("has a map that is not closed")
        return found

    def _sequence(self, depth: int, closing: str) -> list[Any]:
        self.position += 1
        items: list[Any] = []
        while not self._accept(closing):
            items.append(self.value(depth + 1, in_sexp=closing == ")"))
            if closing == "]" and not self._accept(",") and not self.text.startswith("]", self.position):
                raise self._error("has a list that is not closed")
        return items

    def _text(self) -> str:
        self.last_was_text = True
        if self.text.startswith("'''", self.position):
            parts: list[str] = []
            while match := _LONG.match(self.text, self.position):
                parts.append(_unescaped(match[1]))
                self.position = match.end()
                self._skip()
            if parts:
                return "".join(parts)
        quote, end = self.text[self.position], self.position + 1
        while end < len(self.text) and self.text[end] != quote:
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise self._error("has a string that is not closed")
        body = self.text[self.position + 1 : end]
        self.position = end + 1
        return _unescaped(body)

    def _lob(self, body: str) -> str:
        self.last_was_text = True
        if body.startswith(('"', "'")):
            inner = _Reader(body)
            return inner._text()
        return "".join(body.split())

    def _scalar(self, *, in_sexp: bool) -> Any:
        text, position = self.text, self.position
        if match := _TIMESTAMP.match(text, position):
            self.position = match.end()
            return _timestamp(match.group())
        if match := _NUMBER.match(text, position):
            self.position = match.end()
            return _number(match.group())
        if match := _SYMBOL.match(text, position):
            self.position = match.end()
            return self._word(match.group())
        if in_sexp and (match := _OPERATOR.match(text, position)):
            self.position = match.end()
            return match.group()
        raise self._error("has something unexpected")

    def _word(self, word: str) -> Any:
        if word == "null":
            if typed := re.compile(r"\.\w+").match(self.text, self.position):
                self.position = typed.end()
            return None
        if word in ("true", "false"):
            return word == "true"
        return float("nan") if word == "nan" else word

    def _error(self, problem: str) -> ExpressionError:
        line = self.text.count("\n", 0, self.position) + 1
        return ExpressionError(f"the Ion text {problem} (in its line {line})")


def _unescaped(body: str) -> str:
    def replace(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code:
            return chr(int(code, 16))
        return "" if match[4] else _ESCAPES.get(match[5], match[5])

    return _ESCAPE.sub(replace, body) if "\\" in body else body


def _timestamp(text: str) -> Any:
    body = text.removesuffix("T")
    try:
        if "T" in body:
            whole = re.sub(r"(\.\d{6})\d+", r"\1", body)
            moment = datetime.fromisoformat(whole)
            return moment.replace(tzinfo=None) if whole.endswith("-00:00") else moment
        return date.fromisoformat(body) if len(body) == 10 else body
    except ValueError:
        raise ExpressionError("the Ion text has a date that does not exist") from None


def _number(text: str) -> Any:
    digits = text.replace("_", "")
    if digits in ("+inf", "-inf"):
        return float(digits)
    try:
        lowered = digits.lower()
        if lowered.lstrip("-").startswith(("0x", "0b")):
            return int(lowered, 0)
        if "e" in lowered:
            return float(lowered)
        if "." in lowered or "d" in lowered:
            return Decimal(lowered.replace("d", "e"))
        return int(lowered)
    except (ValueError, InvalidOperation):
        raise ExpressionError("the Ion text has a number that cannot be read") from None
