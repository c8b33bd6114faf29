"""CSV: `CsvToIon`, `IonToCsv`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

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
from penstock.builtin.serdes.texts import TextConversion
from penstock.sdk import Property, RunContext

_LONGEST_FIELD = 256 * 1024 * 1024
_ESCAPES = {r"\t": "\t", r"\n": "\n", r"\r": "\r", r"\r\n": "\r\n"}
_SEPARATOR = "What stands between two fields: one character."
_DELIMITER = "What stands around a field that would be misread without."


class CsvToIon(Conversion):
    """Make a CSV file into items: one for each row, a map by the names of the header.

    All values are text. Without a header, items are lists.

    Read a file whose fields are parted by semicolons:

    ```yaml
    tasks:
      - id: orders
        type: io.kestra.plugin.core.http.Download
        uri: https://example.com/orders.csv
      - id: rows
        type: io.kestra.plugin.serdes.csv.CsvToIon
        from: "{{ outputs.orders.uri }}"
        fieldSeparator: ";"
    ```

    Implements ENG-338, ENG-397.
    """

    type_name = "io.kestra.plugin.serdes.csv.CsvToIon"
    type_aliases = ("io.kestra.plugin.serdes.csv.CsvReader",)

    header: Property[bool] = Field(Property.of(True), description="Whether the first row names the fields.")
    field_separator: Property[str] = Field(Property.of(","), description=_SEPARATOR)
    text_delimiter: Property[str] = Field(Property.of('"'), description=_DELIMITER)
    skip_empty_rows: Property[bool] = Field(Property.of(False), description="Whether empty rows are passed over.")
    skip_rows: Property[int] = Field(Property.of(0), description="How many rows to pass over before the header.")
    error_on_different_field_count: Property[bool] = Field(
        Property.of(False), description="Whether a row with more or fewer fields than the first fails the task."
    )
    charset: Property[str] = Field(Property.of("UTF-8"), description="The character set of the file.")

    def run(self, context: RunContext) -> ConvertedFile:
        """Read row by row."""
        uri = context.render(self.from_)
        with text_of(context, uri, context.render(self.charset)) as source:
            try:
                stored, number = store_items(context, self._items(context, self._rows(context, source)))
            except (csv.Error, UnicodeDecodeError) as error:
                raise FormatError(f"{uri} cannot be read as CSV: {error}", hint="see `charset`") from None
        context.logger.debug(f"{number} rows read")
        return ConvertedFile(uri=stored)

    def _rows(self, context: RunContext, source: Iterator[str]) -> Iterator[list[str]]:
        csv.field_size_limit(_LONGEST_FIELD)  # the library's own limit is too low for fields with documents in them
        reader = csv.reader(
            source,
            delimiter=_character(context, self.field_separator, "fieldSeparator"),
            quotechar=_character(context, self.text_delimiter, "textDelimiter"),
        )
        skips_empty = context.render(self.skip_empty_rows)
        for row in islice(reader, context.render(self.skip_rows), None):
            if row or not skips_empty:
                yield row or [""]

    def _items(self, context: RunContext, rows: Iterator[list[str]]) -> Iterator[Any]:
        """Yield the items; rows with too few fields are filled with nothing, surplus fields are left out."""
        names = next(rows, []) if context.render(self.header) else None
        strict, width = context.render(self.error_on_different_field_count), len(names or ())
        uneven = 0
        for number, row in enumerate(rows, 1):
            width = width or len(row)
            if len(row) != width:
                if strict:
                    raise FormatError(f"row {number} has {len(row)} fields, the first has {width}")
                uneven += 1
            if names is None:
                yield row
            else:
                yield dict.fromkeys(names) | dict(zip(names, row, strict=False))
        if uneven and names is not None:
            context.logger.warning(f"{uneven} rows have more or fewer fields than the header")


class IonToCsv(TextConversion):
    """Make items into a CSV file. The names of the first item's fields are the header.

    Export the rows of a query as CSV:

    ```yaml
    tasks:
      - id: orders
        type: io.kestra.plugin.jdbc.sqlite.Query
        url: jdbc:sqlite:/data/shop.db
        sql: SELECT * FROM orders
        fetchType: STORE
      - id: csv
        type: io.kestra.plugin.serdes.csv.IonToCsv
        from: "{{ outputs.orders.uri }}"
    ```

    Implements ENG-338, ENG-397.
    """

    type_name = "io.kestra.plugin.serdes.csv.IonToCsv"
    type_aliases = ("io.kestra.plugin.serdes.csv.CsvWriter",)

    header: Property[bool] = Field(Property.of(True), description="Whether the first row names the fields.")
    field_separator: Property[str] = Field(Property.of(","), description=_SEPARATOR)
    line_delimiter: Property[str] = Field(Property.of("\n"), description="What ends a row.")
    text_delimiter: Property[str] = Field(Property.of('"'), description=_DELIMITER)
    always_delimit_text: Property[bool] = Field(Property.of(False), description="Whether it stands around every field.")
    charset: Property[str] = Field(Property.of("UTF-8"), description="The character set of the file.")

    def run(self, context: RunContext) -> ConvertedFile:
        """Write row by row."""
        ending = context.render(self.line_delimiter)
        options: dict[str, Any] = {
            "delimiter": _character(context, self.field_separator, "fieldSeparator"),
            "quotechar": _character(context, self.text_delimiter, "textDelimiter"),
            "lineterminator": _ESCAPES.get(ending, ending),
            "quoting": csv.QUOTE_ALL if context.render(self.always_delimit_text) else csv.QUOTE_MINIMAL,
        }
        charset = charset_of(context.render(self.charset))
        local = new_file(context, "rows.csv")
        with local.open("w", encoding=charset, newline="") as target:
            writer = csv.writer(target, **options)
            try:
                writer.writerows(self._rows(context))
            except UnicodeEncodeError as error:
                raise FormatError(f"a row cannot be written in {charset}: {error.reason}") from None
        return ConvertedFile(uri=context.put_file(local, "rows.csv"))

    def _rows(self, context: RunContext) -> Iterator[list[str]]:
        formats, names = self.formats(context), None
        with_header = context.render(self.header)
        for number, item in enumerate(items(context, context.render(self.from_)), 1):
            if isinstance(item, Mapping):
                if names is None:
                    names = list(item)
                    if with_header:
                        yield names
                yield [formats.text(item.get(name)) for name in names]
            elif isinstance(item, list):
                yield [formats.text(value) for value in item]
            else:
                raise FormatError(f"item {number} is neither a map nor a list", hint="CSV has rows of fields")


def _character(context: RunContext, value: Property[str], name: str) -> str:
    given = context.render(value)
    character = _ESCAPES.get(given, given)
    if len(character) != 1:
        raise FormatError(f"`{name}` is `{given}`, and must be one character", hint=r'write "," or "\t"')
    return character
