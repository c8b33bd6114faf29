"""What all formats share: a stored file as a stream, items written as Ion, and libraries that may not be there.

Nothing here holds more than a few rows at a time, so that files may be of any size (ENG-331).
"""

from __future__ import annotations

import base64
import codecs
import importlib
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from penstock.sdk import MetricNote, Output, PluginError, Property, RunContext, Task, ion_text
from penstock.sdk.items import stop_if_killed, stored_rows

BadLines = Literal["ERROR", "WARN", "SKIP"]
_OFTEN = 1_000


class FormatError(PluginError):
    """A file is not in the format it is read as, or an item cannot be written in the format that is wanted."""

    code = "FILE_FORMAT_INVALID"


class LibraryMissing(PluginError):
    """A format needs a library that is not installed."""

    code = "LIBRARY_MISSING"


class ConvertedFile(Output):
    """What a conversion gives."""

    uri: str = Field(description="The file in internal storage.")


class Conversion(Task):
    """A file of internal storage made into another one."""

    output_type: ClassVar[type[Output] | None] = ConvertedFile
    type_metrics = (MetricNote("records", "counter", "How many items were read or written."),)

    from_: Property[str] = Field(alias="from", description="The file in internal storage.")


class Pieces(io.RawIOBase):
    """The pieces of a file as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer with what comes next; 0 at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        length = min(len(buffer), len(self._rest))
        buffer[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        return length


def stream_of(context: RunContext, uri: str) -> io.BufferedReader:
    """Return a stored file to read from its beginning to its end."""
    return io.BufferedReader(Pieces(context.stream_file(uri)))


def text_of(context: RunContext, uri: str, charset: str) -> io.TextIOWrapper:
    """Return a stored file's text, line ends as they are; a byte order mark is no part of it."""
    encoding = charset_of(charset)
    return io.TextIOWrapper(stream_of(context, uri), "utf-8-sig" if encoding == "utf-8" else encoding, newline="")


def charset_of(name: str) -> str:
    """Return the name of a character set as the standard library knows it.

    Raises:
        FormatError: There is no such character set.
    """
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise FormatError(f"`{name}` is no character set", hint="use a name such as UTF-8 or ISO-8859-1") from None


def local_file(context: RunContext, uri: str, name: str) -> Path:
    """Return a copy of a stored file on the local disk, for formats that are not read from front to back."""
    local = context.resolve(f".penstock/{name}")
    context.get_file(uri, local)
    return local


def new_file(context: RunContext, name: str) -> Path:
    """Return the path of a file to write."""
    local = context.resolve(f".penstock/{name}")
    local.parent.mkdir(parents=True, exist_ok=True)
    return local


def items(context: RunContext, uri: str) -> Iterator[Any]:
    """Yield the items of a file and count them as the metric `records`."""
    number = 0
    for _, item in stored_rows(context, uri):
        number += 1
        yield item
    context.counter("records", number)


def store_items(context: RunContext, found: Iterable[Any], name: str = "items.ion") -> tuple[str, int]:
    """Store items as Ion, one each row, and return the file's URI and how many there are."""
    number = 0
    local = new_file(context, "items.ion")
    with local.open("w", encoding="utf-8", newline="\n") as target:
        for item in found:
            if number % _OFTEN == 0:
                stop_if_killed(context)
            target.write(item_line(item))
            number += 1
    context.counter("records", number)
    return context.put_file(local, name), number


def item_line(item: Any) -> str:
    """Return an item as a row of a file."""
    return ion_text(_plain(item)) + "\n"


def library(name: str, extra: str) -> ModuleType:
    """Return a library that comes with an extra of the installation.

    Raises:
        LibraryMissing: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise LibraryMissing(
            f"the library {name.partition('.')[0]} is not installed", hint=f"pip install 'penstock[{extra}]'"
        ) from None


def bytes_of(value: Any) -> bytes:
    """Return the bytes of a value: Base64 text is what becomes of bytes in Ion; other text stands for itself."""
    if isinstance(value, bytes):
        return value
    text = str(value)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text.encode()


def _plain(item: Any) -> Any:
    """Return an item with identifiers as text."""
    if isinstance(item, Mapping):
        return {key: _plain(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [_plain(value) for value in item]
    return str(item) if isinstance(item, UUID) else item
