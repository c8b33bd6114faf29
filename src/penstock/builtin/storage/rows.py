"""Files row by row, however large: cutting a stream at a separator, and reading rows of items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from penstock.sdk import PluginError, RunContext, ion_values

_ROW = b"\n"


class FileTaskError(PluginError):
    """A file cannot be dealt with as the task asks."""

    code = "FILE_TASK_INVALID"


def rows_of(pieces: Iterable[bytes], separator: bytes) -> Iterator[bytes]:
    """Yield the rows of a file, each with its separator; the last one may have none."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(separator)
        for row in whole:
            yield row + separator
    if rest:
        yield rest


def items_of(context: RunContext, uri: str) -> Iterator[tuple[bytes, Any]]:
    """Yield the rows of a file with the item each holds as Ion or JSON; empty rows are passed over.

    Raises:
        FileTaskError: A row holds none, or several; or the task is to end.
    """
    for number, row in enumerate(rows_of(context.stream_file(uri), _ROW)):
        if number % 1_000 == 0:
            stop_if_killed(context)
        if not row.strip():
            continue
        try:
            values = ion_values(row.decode())
        except (PluginError, UnicodeDecodeError) as error:
            raise FileTaskError(f"row {number + 1} of {uri} cannot be read: {error}") from error
        if len(values) != 1:
            raise FileTaskError(f"row {number + 1} of {uri} holds {len(values)} items", hint="write one item each row")
        yield row if row.endswith(_ROW) else row + _ROW, values[0]


def separator_of(text: str, charset: str = "utf-8") -> bytes:
    """Return a separator's bytes.

    Raises:
        FileTaskError: It is empty, or the character set is not known.
    """
    if not text:
        raise FileTaskError("the separator is empty", hint=r'write one, such as "\n"')
    return encoded(text, charset)


def encoded(text: str, charset: str) -> bytes:
    """Return a text's bytes.

    Raises:
        FileTaskError: The character set is not known, or has no such characters.
    """
    try:
        return text.encode(charset)
    except (LookupError, UnicodeError):
        raise FileTaskError(f"the text cannot be written in {charset}", hint="use a name such as UTF-8") from None


def stored_name(uri: str, prefix: str) -> str:
    """Return a name for a file made from another: its extension stays."""
    name = uri.rsplit("/", 1)[-1]
    return f"{prefix}{name[name.rindex('.') :]}" if "." in name[1:] else prefix


def stop_if_killed(context: RunContext) -> None:
    """Raise when the task is to end: a loop over a large file must not outlive its kill."""
    if context.is_killed:
        raise FileTaskError("the task was stopped")
