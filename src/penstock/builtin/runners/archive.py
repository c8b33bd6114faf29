"""Folders packed to go to another machine, and what comes back unpacked without leading anywhere else."""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_IN_MEMORY = 8 * 1024 * 1024
_FOR_EVERYBODY = 0o666
_FOLDER_FOR_EVERYBODY = 0o777


@contextmanager
def buffer() -> Iterator[IO[bytes]]:
    """Give a file for a packed folder, in memory while it is small."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        yield file


@contextmanager
def packed(folder: Path, name: str) -> Iterator[IO[bytes]]:
    """Give a folder with all that is in it, packed under a name, for any user to read and to write."""
    with buffer() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(folder, arcname=name, filter=_for_everybody)
        file.seek(0)
        yield file


def unpack(file: IO[bytes], folder: Path, *, is_joined: bool = False) -> None:
    """Unpack what is below the first folder of a packed one; devices and links that lead out are left.

    Args:
        file: The packed folder.
        folder: Where it goes.
        is_joined: Whether there may be several, one after the other.

    Raises:
        tarfile.TarError: It is not whole.
    """
    with tarfile.open(fileobj=file, ignore_zeros=is_joined) as archive:
        # Early releases of Python 3.11 have no filters; what leads out is left out before either way.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda entry, _: entry)
        archive.extractall(folder, members=_below_the_first(archive))  # noqa: S202


def _for_everybody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Let the container's user, whoever that is, use an entry: it is the task's own copy."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode |= _FOLDER_FOR_EVERYBODY if entry.isdir() else _FOR_EVERYBODY
    if entry.mode & 0o100:
        entry.mode |= 0o111
    return entry


def _below_the_first(archive: tarfile.TarFile) -> Iterable[tarfile.TarInfo]:
    for entry in archive:
        _, _, name = entry.name.partition("/")
        if not name or _leads_out("", name) or not (entry.isfile() or entry.isdir() or entry.issym() or entry.islnk()):
            continue
        if entry.issym() and (os.path.isabs(entry.linkname) or _leads_out(name, entry.linkname)):
            continue
        changed = entry.replace(name=name, deep=False)
        if entry.islnk():
            changed = changed.replace(linkname=entry.linkname.partition("/")[2], deep=False)
        yield changed


def _leads_out(name: str, target: str) -> bool:
    return os.path.normpath(os.path.join(os.path.dirname(name), target)).startswith("..")
