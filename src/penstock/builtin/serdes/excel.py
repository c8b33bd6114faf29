"""Excel workbooks: `ExcelToIon`, `IonToExcel`. Needs the extra `excel`."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, ClassVar, Literal

from pydantic import Field

from penstock.builtin.serdes.files import (
    Conversion,
    ConvertedFile,
    FormatError,
    items,
    library,
    local_file,
    new_file,
    store_items,
)
from penstock.builtin.serdes.json_text import compact
from penstock.sdk import Output, Property, RunContext, Task

_LONGEST_TITLE = 31
_MOST_ROWS = 1_048_576


class Sheets(Output):
    """What `ExcelToIon` gives."""

    uris: dict[str, str] = Field(description="The files in internal storage by the title of the sheet.")
    size: int = Field(description="How many rows there are in all.")


class ExcelToIon(Conversion):
    """Make the sheets of an Excel workbook into files of items: one for each row, a map by the names of the header.

    Read one sheet of a workbook:

    ```yaml
    inputs:
      - id: workbook
        type: FILE
    tasks:
      - id: rows
        type: io.kestra.plugin.serdes.excel.ExcelToIon
        from: "{{ inputs.workbook }}"
        sheetsTitle:
          - Orders
    ```

    Implements ENG-338.
    """

    type_name = "io.kestra.plugin.serdes.excel.ExcelToIon"
    output_type: ClassVar[type[Output] | None] = Sheets

    sheets_title: Property[list[str]] | None = Field(None, description="The sheets to read; all by default.")
    header: Property[bool] = Field(Property.of(True), description="Whether the first row names the fields.")
    skip_rows: Property[int] = Field(Property.of(0), description="How many rows to pass over before the header.")
    skip_empty_rows: Property[bool] = Field(Property.of(False), description="Whether empty rows are passed over.")
    value_render: Property[Literal["UNFORMATTED_VALUE", "FORMATTED_VALUE", "FORMULA"]] = Field(
        Property.of("UNFORMATTED_VALUE"),
        description="What is read of a cell: its value, the value's text, or its formula where there is one.",
    )

    def run(self, context: RunContext) -> Sheets:
        """Read row by row."""
        openpyxl = library("openpyxl", "excel")
        uri, rendering = context.render(self.from_), context.render(self.value_render)
        local = local_file(context, uri, "book.xlsx")
        try:
            book = openpyxl.load_workbook(local, read_only=True, data_only=rendering != "FORMULA")
        except (openpyxl.utils.exceptions.InvalidFileException, zipfile.BadZipFile, KeyError) as error:
            raise FormatError(f"{uri} cannot be read as a workbook: {error}", hint="save it as .xlsx") from None
        try:
            titles = context.render(self.sheets_title) or book.sheetnames
            missing = sorted(set(titles) - set(book.sheetnames))
            if missing:
                raise FormatError(f"there is no sheet `{missing[0]}`", hint=f"there is {', '.join(book.sheetnames)}")
            uris: dict[str, str] = {}
            size = 0
            for title in titles:
                rows = book[title].iter_rows(values_only=True)
                found = self._items(context, rows, as_text=rendering == "FORMATTED_VALUE")
                uris[title], number = store_items(context, found, f"sheet-{len(uris) + 1}.ion")
                size += number
            return Sheets(uris=uris, size=size)
        finally:
            book.close()

    def _items(self, context: RunContext, rows: Iterator[tuple[Any, ...]], *, as_text: bool) -> Iterator[Any]:
        rows = islice(rows, context.render(self.skip_rows), None)
        names = [str(name) for name in next(rows, ()) if name is not None] if context.render(self.header) else None
        skips_empty = context.render(self.skip_empty_rows)
        for row in rows:
            if skips_empty and all(value in (None, "") for value in row):
                continue
            values = ["" if value is None else str(value) for value in row] if as_text else list(row)
            yield values if names is None else dict.fromkeys(names) | dict(zip(names, values, strict=False))


class WrittenBook(ConvertedFile):
    """What `IonToExcel` gives."""

    size: int = Field(description="How many rows were written, headers left out.")


class IonToExcel(Task):
    """Make items into an Excel workbook: one sheet, or one for each of several files.

    Write rows into a workbook:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: workbook
        type: io.kestra.plugin.serdes.excel.IonToExcel
        from: "{{ inputs.orders }}"
        sheetsTitle: Orders
    ```

    Implements ENG-338.
    """

    type_name = "io.kestra.plugin.serdes.excel.IonToExcel"
    output_type: ClassVar[type[Output] | None] = WrittenBook

    from_: Property[str | dict[str, str]] = Field(
        alias="from", description="The file in internal storage, or a map of sheet titles to files."
    )
    sheets_title: Property[str] = Field(Property.of("Sheet"), description="The title of the sheet of a single file.")
    header: Property[bool] = Field(Property.of(True), description="Whether the first row names the fields.")
    date_format: Property[str] = Field(Property.of("yyyy-mm-dd"), description="How cells show dates.")
    date_time_format: Property[str] = Field(
        Property.of("yyyy-mm-dd hh:mm:ss"), description="How cells show dates with a time; the time is in UTC."
    )

    def run(self, context: RunContext) -> WrittenBook:
        """Write row by row."""
        openpyxl = library("openpyxl", "excel")
        given = context.render(self.from_)
        sheets = given if isinstance(given, Mapping) else {context.render(self.sheets_title): given}
        book = openpyxl.Workbook(write_only=True)
        size = 0
        for title, uri in sheets.items():
            sheet = book.create_sheet(title[:_LONGEST_TITLE])
            size += self._fill(context, sheet, openpyxl.cell.WriteOnlyCell, uri)
        local = new_file(context, "book.xlsx")
        book.save(local)
        return WrittenBook(uri=context.put_file(local, "book.xlsx"), size=size)

    def _fill(self, context: RunContext, sheet: Any, cell_class: Any, uri: str) -> int:
        formats = context.render(self.date_format), context.render(self.date_time_format)
        names: list[str] | None = None
        number = 0
        for number, item in enumerate(items(context, uri), 1):
            if number >= _MOST_ROWS:
                raise FormatError(f"a sheet has room for {_MOST_ROWS} rows", hint="split the file first")
            if isinstance(item, Mapping):
                if names is None:
                    names = list(item)
                    if context.render(self.header):
                        sheet.append(names)
                values = [item.get(name) for name in names]
            else:
                values = list(item) if isinstance(item, list) else [item]
            sheet.append([_cell(sheet, cell_class, value, *formats) for value in values])
        return number


def _cell(sheet: Any, cell_class: Any, value: Any, date_format: str, date_time_format: str) -> Any:
    """Return what stands for a value in a row; text stays text, also where it looks like a formula."""
    if isinstance(value, Mapping | list):
        return compact(value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        cell = cell_class(sheet, moment)
        cell.number_format = date_time_format
        return cell
    if isinstance(value, date):
        cell = cell_class(sheet, value)
        cell.number_format = date_format
        return cell
    if isinstance(value, str) and value.startswith("="):
        cell = cell_class(sheet, value)
        cell.data_type = "s"
        return cell
    return value
