"""Text files that commands are given."""

from __future__ import annotations

from pathlib import Path

from penstock.base.errors import InvalidRequestError


def text_of(path: Path) -> str:
    """Return what a text file holds.

    Raises:
        InvalidRequestError: It cannot be read, or is no text in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidRequestError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except UnicodeDecodeError as error:
        raise InvalidRequestError(
            f"{path} is no text in UTF-8 (see byte {error.start + 1})", hint="check the path, or save the file as UTF-8"
        ) from None
