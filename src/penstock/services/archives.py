"""Files of YAML sources, alone or packed into a ZIP archive: how many of them come in and go out at once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from penstock.base.errors import InvalidRequestError

_SUFFIXES = (".yml", ".yaml")
_MAX_UNPACKED = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that brings sources."""

    name: str
    content: bytes


def packed(files: Iterable[SourceFile]) -> bytes:
    """Return files as a ZIP archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for one in files:
            file.writestr(one.name, one.content)
    return archive.getvalue()


def unpacked(given: SourceFile) -> list[SourceFile]:
    """Return the YAML files of a ZIP archive, or the file itself when it is none.

    Raises:
        InvalidRequestError: The archive is broken, encrypted, or too large when unpacked.
    """
    if not given.content.startswith(b"PK\x03\x04"):
        return [given]
    try:
        with zipfile.ZipFile(io.BytesIO(given.content)) as archive:
            entries = [one for one in archive.infolist() if one.filename.endswith(_SUFFIXES) and not one.is_dir()]
            if sum(one.file_size for one in entries) > _MAX_UNPACKED:
                raise InvalidRequestError("the archive is too large", hint="import it in several parts")
            return [SourceFile(one.filename, archive.read(one)) for one in entries]
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InvalidRequestError(f"the archive cannot be read: {error}") from error
