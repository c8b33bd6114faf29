"""Separators, character sets and names of files that are dealt with row by row."""

from __future__ import annotations

from penstock.sdk import file_name
from penstock.sdk.items import FileTaskError


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
    name = file_name(uri)
    return f"{prefix}{name[name.rindex('.') :]}" if "." in name[1:] else prefix
