"""JSON: `JsonToIon`, `IonToJson`; one value each line, or one array."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ijson  # type: ignore[import-untyped]
from pydantic import Field

from penstock.builtin.serdes.files import (
    Conversion,
    ConvertedFile,
    FormatError,
    charset_of,
    items,
    new_file,
    store_items,
    text_of,
)
from penstock.builtin.serdes.json_text import compact, plain
from penstock.builtin.serdes.texts import zone_of
from penstock.sdk import Property, RunContext

_LINES = "Whether each line is a value of its own; else the file is one array."


class JsonToIon(Conversion):
    """Make a JSON file into items: its lines, or the elements of its array.

    Read what an API answers as rows:

    ```yaml
    tasks:
      - id: orders
        type: io.kestra.plugin.core.http.Download
        uri: https://example.com/api/orders
      - id: rows
        type: io.kestra.plugin.serdes.json.JsonToIon
        from: "{{ outputs.orders.uri }}"
        newLine: false
    ```

    Implements ENG-338.
    """

    type_name = "io.kestra.plugin.serdes.json.JsonToIon"
    type_aliases = ("io.kestra.plugin.serdes.json.JsonReader",)

    new_line: Property[bool] = Field(Property.of(True), description=_LINES)
    charset: Property[str] = Field(Property.of("UTF-8"), description="The character set of the file.")

    def run(self, context: RunContext) -> ConvertedFile:
        """Read value by value."""
        uri = context.render(self.from_)
        with text_of(context, uri, context.render(self.charset)) as source:
            found = _lines(source) if context.render(self.new_line) else _elements(source)
            try:
                return ConvertedFile(uri=store_items(context, found)[0])
            except (ijson.JSONError, ValueError) as error:
                hint = "an array over several lines needs `newLine: false`"
                raise FormatError(f"{uri} cannot be read as JSON: {error}", hint=hint) from None


def _lines(source: io.TextIOWrapper) -> Iterator[Any]:
    for number, line in enumerate(source, 1):
        if line.strip():
            try:
                yield json.loads(line, parse_float=Decimal)
            except json.JSONDecodeError as error:
                raise ValueError(f"line {number}: {error.msg}") from None


def _elements(source: io.TextIOWrapper) -> Iterator[Any]:
    """Yield the elements of an array, or the values of a file without one."""
    first = source.read(1)
    while first.isspace():
        first = source.read(1)
    if not first:
        return
    within = {"prefix": "item"} if first == "[" else {"prefix": "", "multiple_values": True}
    yield from ijson.items(_Rest(first, source), **within)


class _Rest:
    """A text of which the first character has been read, as bytes to read."""

    def __init__(self, first: str, source: io.TextIOWrapper) -> None:
        self._first = first
        self._source = source

    def read(self, size: int = -1) -> bytes:
        if not size:
            return b""
        # A size counts bytes and a text characters; whoever reads takes what comes.
        text, self._first = self._first + self._source.read(size), ""
        return text.encode()


class IonToJson(Conversion):
    """Make items into a JSON file: one each line, or one array.

    Write rows as one JSON list:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: json
        type: io.kestra.plugin.serdes.json.IonToJson
        from: "{{ inputs.orders }}"
        newLine: false
    ```

    Implements ENG-338.
    """

    type_name = "io.kestra.plugin.serdes.json.IonToJson"
    type_aliases = ("io.kestra.plugin.serdes.json.JsonWriter",)

    new_line: Property[bool] = Field(Property.of(True), description=_LINES)
    should_keep_null: Property[bool] = Field(
        Property.of(False), description="Whether fields that hold nothing are written, as `null`."
    )
    time_zone_id: Property[str] | None = Field(
        None, description="The zone that dates with a time are shown in; each in its own by default."
    )
    charset: Property[str] = Field(Property.of("UTF-8"), description="The character set of the file.")

    def run(self, context: RunContext) -> ConvertedFile:
        """Write item by item."""
        zone, keeps_null = zone_of(context.render(self.time_zone_id)), context.render(self.should_keep_null)
        by_line = context.render(self.new_line)
        local = new_file(context, "items.json")
        with local.open("w", encoding=charset_of(context.render(self.charset)), newline="\n") as target:
            opening, between, closing = ("", "\n", "\n") if by_line else ("[", ",", "]")
            target.write(opening)
            number = 0
            for item in items(context, context.render(self.from_)):
                target.write((between if number else "") + compact(plain(item, zone=zone, keeps_null=keeps_null)))
                number += 1
            target.write("" if by_line and not number else closing)
        return ConvertedFile(uri=context.put_file(local, "items.jsonl" if by_line else "items.json"))
