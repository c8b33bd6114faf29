"""The beginning of a file as people can look at it: rows, text, a picture. Pure: bytes in, a preview out."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from penstock.base.errors import InvalidRequestError
from penstock.expressions.binary_ion import from_binary_ion, is_binary_ion
from penstock.expressions.errors import ExpressionError
from penstock.expressions.ion import from_ion

LIMIT = 2 * 1024 * 1024
"""Most bytes of a file a preview looks at."""
PICTURE_LIMIT = 8 * 1024 * 1024
_PICTURES = {"jpg", "jpeg", "png", "gif", "webp", "svg", "bmp", "ico"}


@dataclass(frozen=True, slots=True)
class Preview:
    """What is shown of a file."""

    extension: str
    type: str
    """`TEXT`, `LIST`, `IMAGE`, `MARKDOWN` or `PDF`."""
    content: Any
    truncated: bool


def limit_of(extension: str) -> int:
    """Return how many bytes of a file of that kind a preview needs."""
    return PICTURE_LIMIT if extension in _PICTURES or extension == "pdf" else LIMIT


def preview(data: bytes, extension: str, size: int, max_rows: int, encoding: str = "utf-8") -> Preview:
    """Return the preview of a file.

    Args:
        data: Its beginning.
        extension: Of its name, lower case.
        size: Of the whole file.
        max_rows: Lines or rows shown at most.
        encoding: Of its text.

    Raises:
        InvalidRequestError: There is no such encoding.
    """
    partial = len(data) < size
    if extension in _PICTURES or extension == "pdf":
        kind = "PDF" if extension == "pdf" else "IMAGE"
        content = None if partial else base64.b64encode(data).decode()
        return Preview(extension, kind, content, partial)
    rows = None if partial else _binary_rows(data)
    if rows is not None:
        return Preview(extension, "LIST", rows[:max_rows], len(rows) > max_rows)
    text = _text(data, encoding)
    if partial:  # the last line may be cut in the middle
        text = text[: text.rfind("\n") + 1] or text
    rows = _rows(text, extension)
    if rows is not None:
        return Preview(extension, "LIST", rows[:max_rows], partial or len(rows) > max_rows)
    lines = text.splitlines()
    kind = "MARKDOWN" if extension in ("md", "markdown") else "TEXT"
    return Preview(extension, kind, "\n".join(lines[:max_rows]), partial or len(lines) > max_rows)


def _binary_rows(data: bytes) -> list[Any] | None:
    try:
        return from_binary_ion(data) if is_binary_ion(data) else None
    except ExpressionError:
        return None


def _text(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding, "replace")
    except LookupError as error:
        raise InvalidRequestError(f"there is no encoding `{encoding}`", hint="such as UTF-8 or ISO-8859-1") from error


def _rows(text: str, extension: str) -> list[Any] | None:
    """Return a file of rows as rows; None when it is none, or not what its name says."""
    try:
        if extension in ("csv", "tsv"):
            reader = csv.DictReader(io.StringIO(text), delimiter="\t" if extension == "tsv" else ",")
            return [{key: value for key, value in row.items() if key is not None} for row in reader]
        if extension in ("jsonl", "ndjson"):
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        if extension == "json":
            value = json.loads(text)
            return value if isinstance(value, list) else None
        if extension == "ion":
            return from_ion(text)
    except (ValueError, csv.Error, ExpressionError):
        return None
    return None
