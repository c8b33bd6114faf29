"""Secrets never show up in what people read: their values and the usual encodings of them are masked here only.

A mask follows the value: every text that leaves a task (log lines, errors) passes through the masker of its execution,
whichever task of it the secret was handed to.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import threading
from collections.abc import Iterator, Sequence
from urllib.parse import quote, quote_plus

from penstock.base.recent import Recent

MASK = "******"
"""Of fixed length, so that it tells nothing about what it hides."""
_SHORTEST = 3
"""Shorter values cannot be told from ordinary text."""
_SHORTEST_PIECE = 6
_LINE_WIDTHS = (76, 64)
"""Of base64 text: that of mail and of the command `base64`, that of keys."""


class Masker:
    """Hides the values it knows. May be used by several threads at once.

    Implements ENG-373, BEY-061.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[str] = set()
        self._hidden: tuple[str, ...] = ()
        self._sources: dict[str, tuple[str, ...]] = {}

    def add(self, value: str) -> None:
        """Hide a value and its encodings from now on."""
        if value in self._values or len(value.strip()) < _SHORTEST:
            return
        with self._lock:
            self._values.add(value)
            found = {*self._hidden, *variants(value)}
            self._hidden = tuple(sorted(found, key=len, reverse=True))

    def add_source(self, call: str, value: str) -> None:
        """Remember the call that gives a value, so that it can be hidden elsewhere without being told."""
        if call not in self._sources and len(value.strip()) >= _SHORTEST:
            self._sources = {**self._sources, call: tuple(variants(value))}

    def knows(self, call: str) -> bool:
        """Return whether what a call gives is hidden already."""
        return call in self._sources

    def sources_in(self, text: str) -> tuple[str, ...]:
        """Return the calls that give values which a text holds in one form or another."""
        return tuple(call for call, forms in self._sources.items() if any(form in text for form in forms))

    def add_derived(self, value: str) -> None:
        """Hide what an expression made of a secret, where it is long enough not to be an ordinary word or number."""
        if len(value) >= _SHORTEST_PIECE and value not in self._values and not value.replace(".", "").isdigit():
            with self._lock:
                self._values.add(value)
                self._hidden = tuple(sorted({*self._hidden, *_encodings(value)}, key=len, reverse=True))

    @property
    def forms(self) -> Sequence[str]:
        """All values in all their forms, the longest first."""
        return self._hidden

    def hide(self, text: str) -> str:
        """Return the text with all known values masked."""
        for hidden in self._hidden:
            if hidden in text:
                text = text.replace(hidden, MASK)
        return text


class Maskers:
    """One masker per execution, the ones used longest ago forgotten."""

    def __init__(self, bound: int = 4096) -> None:
        self._maskers: Recent[str, Masker] = Recent(bound)

    def find(self, execution_id: str) -> Masker | None:
        """Return the masker of an execution that has used a secret."""
        return self._maskers.get(execution_id)

    def of(self, execution_id: str) -> Masker:
        """Return the masker of an execution, made when there is none."""
        return self._maskers.of(execution_id, Masker)


def variants(value: str) -> Iterator[str]:
    """Yield the forms in which a value may appear: itself, each of its lines and, of JSON, each text in it, encoded."""
    for plain in {value, value.strip(), *_parts(value)}:
        if len(plain) >= _SHORTEST:
            yield from _encodings(plain)


def _parts(value: str) -> Iterator[str]:
    if "\n" in value:
        yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= _SHORTEST_PIECE)
    if value.lstrip()[:1] in ("{", "["):
        try:
            yield from _texts(json.loads(value))
        except ValueError:
            return


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _encodings(plain: str) -> Iterator[str]:
    yield plain
    yield from (plain.upper(), plain.lower())
    yield from (quote(plain, safe=""), quote(plain), quote_plus(plain), html.escape(plain))
    for text in (json.dumps(plain), json.dumps(plain, ensure_ascii=False)):
        yield text[1:-1]
        yield json.dumps(text)[1:-1]
    yield shlex.quote(plain).strip("'")
    data = plain.encode()
    if len(data) * 2 >= _SHORTEST_PIECE:
        yield data.hex()
    for standard in _base64(data):
        yield standard
        yield standard.replace("+", "-").replace("/", "_")


def _base64(data: bytes) -> Iterator[str]:
    """Yield the base64 text of the data, alone and from within longer data, where it begins at one of three offsets."""
    whole = base64.b64encode(data).decode()
    yield whole
    yield whole.rstrip("=")
    yield from _wrapped(data)
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + data).decode()
        beginning = (0, 2, 3)[offset]
        uncertain = (0, 3, 2)[(offset + len(data)) % 3]
        piece = text[beginning : len(text) - uncertain]
        if len(piece) >= _SHORTEST_PIECE and not re.fullmatch("A*", piece):
            yield piece


def _wrapped(data: bytes) -> Iterator[str]:
    """Yield the lines of wrapped base64 text, of the data with and without the line end that `echo` adds."""
    for text in (base64.b64encode(data).decode(), base64.b64encode(data + b"\n").decode()):
        for width in _LINE_WIDTHS:
            lines = [text[start : start + width] for start in range(0, len(text), width)]
            yield from (line for line in lines if len(lines) > 1 and len(line.rstrip("=")) >= _SHORTEST_PIECE)
