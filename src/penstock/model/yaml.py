"""YAML text to plain data, with the place of every key and value.

Works on the event stream of libyaml: no recursion over the text's nesting, no objects made by tags, and scalars read
the way flows need them. Quoted text is always a string (ENG-176), dates stay strings, so do numbers with leading zeros
and `10:30`. Keys are always strings, as written. Nothing here raises for bad text; problems are returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from penstock.model.problems import Path, Problem, Severity, path_text
from penstock.model.scalars import resolve_scalar

MAX_DEPTH = 256
"""Levels of lists and maps; a hundred nested control-flow tasks need two or three each."""
MAX_NODES = 1_000_000
"""Values of one document, those that aliases repeat included."""
_TAG = "tag:yaml.org,2002:"
_MARKER = re.compile(r"^---(?=\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the text; lines and columns count from 1."""

    line: int
    column: int


class Mark:
    """Where a value stands, and where the values in it stand."""

    __slots__ = ("column", "entries", "items", "line", "style")

    def __init__(self, line: int, column: int, style: str | None = None) -> None:
        self.line = line
        self.column = column
        self.style = style
        self.entries: dict[str, tuple[int, int, Mark]] = {}
        self.items: list[Mark] = []


@dataclass(frozen=True)
class YamlDocument:
    """The data of a YAML text, and where everything in it stands."""

    text: str
    data: Any
    mark: Mark | None
    problems: tuple[Problem, ...]
    first_line: int = 1

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.splitlines()

    def position(self, path: Path) -> Position:
        """Return where a value's key (or the value, in a list) stands; for an unknown path, the nearest known above."""
        mark = self.mark
        if mark is None:
            return Position(self.first_line, 1)
        line, column = mark.line, mark.column
        for step in path:
            if isinstance(step, str) and step in mark.entries:
                line, column, mark = mark.entries[step]
            elif isinstance(step, int) and step < len(mark.items):
                mark = mark.items[step]
                line, column = mark.line, mark.column
            else:
                break
        return Position(line + self.first_line, column + 1)

    def position_within(self, path: Path, line: int, column: int) -> Position:
        """Return where a line and column of a text value stand; exact for plain, quoted and literal one-line values."""
        mark = self._mark_of(path)
        if mark is None or line < 1:
            return self.position(path)
        if mark.style in ("|", ">"):
            row = mark.line + line
            content = self._lines[row] if row < len(self._lines) else ""
            first = self._lines[mark.line + 1] if mark.line + 1 < len(self._lines) else content
            indent = len(first) - len(first.lstrip(" "))
            return Position(row + self.first_line, column + indent)
        quote = 1 if mark.style in ("'", '"') else 0
        return Position(mark.line + self.first_line, mark.column + quote + (column if line == 1 else 1))

    def _mark_of(self, path: Path) -> Mark | None:
        mark = self.mark
        for step in path:
            if mark is None:
                return None
            if isinstance(step, str):
                entry = mark.entries.get(step)
                mark = entry[2] if entry else None
            else:
                mark = mark.items[step] if step < len(mark.items) else None
        return mark


class _Refused(Exception):
    def __init__(self, message: str, hint: str, line: int, column: int) -> None:
        super().__init__(message)
        self.problem = (message, hint, line, column)


def read_yaml(text: str, first_line: int = 1) -> YamlDocument:
    """Return the data of a YAML text that holds one document.

    Args:
        text: The text.
        first_line: The line number its first line has for the reader, when it is a part of a larger text.
    """
    reader = _Reader(first_line)
    try:
        data, mark = reader.document(text)
    except _Refused as refused:
        reader.add(*refused.problem)
    except yaml.MarkedYAMLError as error:
        reader.add(*_explained(error, text))
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        column = len(before) - before.rfind("\n") - 1
        reader.add("the text holds a control character", "remove it", before.count("\n"), column)
    except UnicodeError:
        reader.add("the text holds half a character (a lone surrogate)", "save the file as UTF-8", 0, 0)
    else:
        return YamlDocument(text, data, mark, tuple(reader.problems), first_line)
    return YamlDocument(text, None, None, tuple(reader.problems), first_line)


class _Reader:
    """Builds data and marks of one document from events."""

    def __init__(self, first_line: int) -> None:
        self._first_line = first_line
        self._anchors: dict[str, tuple[Any, Mark, int]] = {}
        self._nodes = 0
        self._path: list[str | int] = []
        self.problems: list[Problem] = []

    def add(self, message: str, hint: str, line: int, column: int) -> None:
        """Note an error at a place that counts from 0."""
        path = path_text(tuple(self._path[:20]))
        self.problems.append(
            Problem(Severity.ERROR, path, message, hint, line + self._first_line, column + 1, "INVALID_YAML")
        )

    def document(self, text: str) -> tuple[Any, Mark | None]:
        """Return data and marks of the one document."""
        parser = yaml.CSafeLoader(text)
        try:
            events = _events(parser)
            data, mark = None, None
            count = 0
            for event in events:
                if isinstance(event, DocumentStartEvent):
                    count += 1
                    if count > 1:
                        self._path.clear()
                        hint = "give each flow a file of its own, or use a command that takes several"
                        place: Any = event.start_mark
                        self.add("the text holds more than one document", hint, place.line, place.column)
                        break
                    data, mark = self._value(next(events), events, 0)
            return data, mark
        finally:
            parser.dispose()

    def _value(self, event: Any, events: Iterator[Any], depth: int) -> tuple[Any, Mark]:
        place = event.start_mark
        line, column = place.line, place.column
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _Refused("the document holds too many values", "do aliases multiply them?", line, column)
        if isinstance(event, AliasEvent):
            return self._alias(event, line, column)
        before = self._nodes
        mark = Mark(line, column)
        data: Any
        if isinstance(event, ScalarEvent):
            mark.style = event.style
            data = self._scalar(event, line, column)
        elif depth >= MAX_DEPTH:
            raise _Refused("lists and maps are nested too deeply", f"{MAX_DEPTH} levels at most", line, column)
        elif isinstance(event, SequenceStartEvent):
            data = self._list(mark, events, depth)
        else:
            assert isinstance(event, MappingStartEvent)
            data = self._map(mark, events, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (data, mark, self._nodes - before + 1)
        return data, mark

    def _alias(self, event: AliasEvent, line: int, column: int) -> tuple[Any, Mark]:
        found = self._anchors.get(event.anchor or "")
        if found is None:
            hint = f"write `&{event.anchor}` before the value it stands for; a value cannot hold itself"
            raise _Refused(f"the alias `*{event.anchor}` stands for nothing", hint, line, column)
        data, mark, size = found
        # An alias costs what it stands for, so that aliases of aliases cannot grow without bound.
        self._nodes += size
        return data, mark

    def _list(self, mark: Mark, events: Iterator[Any], depth: int) -> list[Any]:
        result: list[Any] = []
        for event in events:
            if isinstance(event, CollectionEndEvent):
                break
            self._path.append(len(result))
            data, inner = self._value(event, events, depth + 1)
            self._path.pop()
            result.append(data)
            mark.items.append(inner)
        return result

    def _map(self, mark: Mark, events: Iterator[Any], depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[tuple[Any, Mark]] = []
        for event in events:
            if isinstance(event, CollectionEndEvent):
                break
            line, column = event.start_mark.line, event.start_mark.column
            key, is_merge = self._key(event, events, line, column, depth)
            self._path.append(key)
            data, inner = self._value(next(events), events, depth + 1)
            if is_merge:
                self._merge(data, inner, merged, line, column)
            elif key in result:
                first = mark.entries[key][0] + self._first_line
                self.add(f"`{key}` is given twice (first in line {first})", "keep one of the two", line, column)
            else:
                result[key] = data
                mark.entries[key] = (line, column, inner)
            self._path.pop()
        for source, marks in merged:
            for key, data in source.items():
                if key not in result:
                    result[key] = data
                    mark.entries[key] = marks.entries[key]
        return result

    def _key(self, event: Any, events: Iterator[Any], line: int, column: int, depth: int) -> tuple[str, bool]:
        if isinstance(event, ScalarEvent):
            text: str = event.value
            if event.implicit[0]:
                if text == "<<":
                    return text, True
                if text in ("True", "TRUE", "False", "FALSE"):
                    return text.lower(), False
            return text, False
        if isinstance(event, AliasEvent):
            data = self._alias(event, line, column)[0]
            if isinstance(data, str):
                return data, False
        else:
            self._value(event, events, depth + 1)
            if isinstance(event, MappingStartEvent):
                self.add("an expression that begins a value must be quoted", 'write "{{ ... }}"', line, column)
                return "", False
        self.add("a key must be text", "quote it", line, column)
        return "", False

    def _merge(self, data: Any, mark: Mark, merged: list[tuple[Any, Mark]], line: int, column: int) -> None:
        sources = list(zip(data, mark.items, strict=True)) if isinstance(data, list) else [(data, mark)]
        for source, inner in sources:
            if isinstance(source, dict):
                merged.append((source, inner))
            else:
                self.add("`<<` merges maps only", "write an alias of a map, such as `<<: *common`", line, column)

    def _scalar(self, event: ScalarEvent, line: int, column: int) -> Any:
        tag = event.tag
        text: str = event.value
        if tag is None or tag == "!":
            return resolve_scalar(text) if event.implicit[0] else text
        if tag == _TAG + "str":
            return text
        if tag in (_TAG + "int", _TAG + "float", _TAG + "bool", _TAG + "null"):
            return resolve_scalar(text)
        self.add(f"the tag `{tag.removeprefix(_TAG)}` means nothing here", "leave it out", line, column)
        return text


def _events(parser: Any) -> Iterator[Any]:
    while True:
        event = parser.get_event()
        if isinstance(event, StreamEndEvent):
            return
        yield event


def _explained(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str, int, int]:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.split("\n")
    row = lines[line] if line < len(lines) else ""
    if "\t" in row[: column + 1]:
        return "a tab stands where only spaces may", "indent with spaces", line, row.index("\t")
    problem = error.problem or "this is not YAML"
    hint = ""
    if "mapping values are not allowed" in problem:
        hint = "quote a text that holds a colon and a space; look at the indentation"
    elif "could not find expected ':'" in problem:
        hint = "a key ends in a colon and a space; look at the indentation of the line before"
    elif "expected <block end>" in problem or "did not find expected key" in problem:
        hint = "look at the indentation here and in the lines above"
    elif "cannot start any token" in problem:
        hint = "quote the text"
    elif "unexpected end of stream" in problem:
        hint = "a quote is opened and not closed"
    return f"this is not YAML: {problem}", hint, line, column


def split_documents(text: str) -> list[tuple[str, int]]:
    """Return the documents of a text apart, each with the number of its first line; empty ones are left out.

    The parts hold the original text byte for byte, without the `---` lines between them.
    """
    parts: list[tuple[str, int]] = []
    begin = 0
    for match in [*_MARKER.finditer(text), None]:
        end = match.start() if match else len(text)
        part = text[begin:end]
        if any(line.strip() and not line.lstrip().startswith("#") for line in part.splitlines()):
            parts.append((part, text.count("\n", 0, begin) + 1))
        if match:
            newline = text.find("\n", match.end())
            rest = text[match.end() : newline if newline >= 0 else len(text)].split("#", 1)[0]
            # `--- value` begins the document in the same line.
            begin = match.end() if rest.strip() else (newline + 1 if newline >= 0 else len(text))
    return parts
