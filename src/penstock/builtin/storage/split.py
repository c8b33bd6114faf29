"""One file into several: `Split`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from penstock.builtin.storage.rows import separator_of, stored_name
from penstock.sdk import Output, Property, RunContext, Task
from penstock.sdk.items import FileTaskError, rows_of, stop_if_killed

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[KMGT]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_MOST_PARTITIONS = 500


class Parts(Output):
    """What `Split` gives."""

    uris: list[str] = Field(description="The files, in order.")


class Split(Task):
    """Cut a file into several: of so many bytes, of so many rows, or into so many files. Rows stay whole.

    Cut a file into pieces of a thousand rows:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: pieces
        type: io.kestra.plugin.core.storage.Split
        from: "{{ inputs.orders }}"
        rows: 1000
    ```

    Implements ENG-335.
    """

    type_name = "io.kestra.plugin.core.storage.Split"
    type_aliases = ("io.kestra.core.tasks.storages.Split",)
    output_type: ClassVar[type[Output] | None] = Parts

    from_: Property[str] = Field(alias="from", description="The file in internal storage.")
    bytes: Property[str] | None = Field(None, description="The largest size of a file, such as `10MB`.")
    rows: Property[int] | None = Field(None, description="How many rows a file has at most.")
    partitions: Property[int] | None = Field(None, description="How many files; rows are dealt out to them in turn.")
    separator: Property[str] = Field(Property.of("\n"), description="What ends a row.")

    def run(self, context: RunContext) -> Parts:
        """Cut the file row by row."""
        uri = context.render(self.from_)
        size, count = context.render(self.bytes), context.render(self.rows)
        partitions = context.render(self.partitions)
        if [size, count, partitions].count(None) != 2:
            raise FileTaskError("say in one way how to split", hint="set one of `bytes`, `rows` and `partitions`")
        rows = rows_of(context.stream_file(uri), separator_of(context.render(self.separator)))
        folder = context.resolve(".penstock/split")
        folder.mkdir(parents=True, exist_ok=True)
        if partitions is not None:
            parts: Iterable[Path] = _dealt(context, rows, folder, _positive(partitions, "partitions"))
        elif count is not None:
            parts = _written(context, _by_count(rows, _positive(count, "rows")), folder)
        else:
            parts = _written(context, _by_size(rows, _bytes(str(size))), folder)
        return Parts(uris=[context.put_file(part, stored_name(uri, part.name)) for part in parts])


def _by_count(rows: Iterator[bytes], count: int) -> Iterator[Iterator[bytes]]:
    for first in rows:
        yield _chain(first, islice(rows, count - 1))


def _by_size(rows: Iterator[bytes], size: int) -> Iterator[Iterator[bytes]]:
    """Yield groups of rows that fit together; a row that is too large alone is a group of its own."""
    waiting = next(rows, None)

    def group() -> Iterator[bytes]:
        nonlocal waiting
        taken = 0
        while waiting is not None and (not taken or taken + len(waiting) <= size):
            taken += len(waiting)
            yield waiting
            waiting = next(rows, None)

    while waiting is not None:
        yield group()


def _written(context: RunContext, groups: Iterator[Iterator[bytes]], folder: Path) -> Iterator[Path]:
    for number, group in enumerate(groups):
        stop_if_killed(context)
        part = folder / f"part-{number}"
        with part.open("wb") as file:
            file.writelines(group)
        yield part


def _dealt(context: RunContext, rows: Iterator[bytes], folder: Path, count: int) -> list[Path]:
    if count > _MOST_PARTITIONS:
        raise FileTaskError(f"{count} partitions are too many", hint=f"use at most {_MOST_PARTITIONS}, or `rows`")
    parts = [folder / f"part-{number}" for number in range(count)]
    with ExitStack() as stack:
        files = [stack.enter_context(part.open("wb")) for part in parts]
        for number, row in enumerate(rows):
            if number % 10_000 == 0:
                stop_if_killed(context)
            files[number % count].write(row)
    return [part for part in parts if part.stat().st_size]


def _chain(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _positive(value: int, name: str) -> int:
    if value < 1:
        raise FileTaskError(f"`{name}` must be 1 or more, not {value}")
    return value


def _bytes(text: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise FileTaskError(f"`{text}` is no size", hint="write bytes, or a size such as 10MB")
    return _positive(int(float(match["number"]) * _UNITS[match["unit"].upper()]), "bytes")
