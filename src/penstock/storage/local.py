"""`ObjectStorage` in a folder: one sub-folder per tenant, files under their own names.

A file is there whole or not at all: it is written aside, synced and renamed. No path and no link leads out of a
tenant's folder.
"""

from __future__ import annotations

import asyncio
import builtins
import errno
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

from penstock.base.errors import InvalidRequestError, NotFoundError, UnavailableError
from penstock.base.ids import new_id
from penstock.ports.objects import ObjectInfo, uri_of

P = ParamSpec("P")
T = TypeVar("T")
_ASIDE = ".aside"
"""Files being written and folders being removed; on the same disk, so that a rename is atomic."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class LocalStorage:
    """Files of any size on this machine's disk. Implements ENG-331.

    Args:
        root: The folder; made when it is missing.
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))
        self._aside = self._root / _ASIDE
        self._aside.mkdir(parents=True, exist_ok=True)

    async def put(self, tenant: str, path: str, content: bytes | Path | AsyncIterator[bytes]) -> str:
        """Store a file whole or not at all and return its URI."""
        target = self._locate(tenant, path)
        aside = self._aside / new_id()
        try:
            if isinstance(content, AsyncIterator):
                await self._write_stream(aside, content)
            else:
                await _in_thread(_write, aside, content)
            await _in_thread(self._move_in, tenant, path, aside, target)
        finally:
            await asyncio.to_thread(aside.unlink, missing_ok=True)
        return uri_of(_normal(path))

    async def read(self, tenant: str, path: str) -> bytes:
        """Return a whole file."""
        return await _in_thread(self._existing(tenant, path).read_bytes)

    async def stream(self, tenant: str, path: str, chunk: int = 65_536) -> AsyncIterator[bytes]:
        """Return a file's bytes in pieces."""
        file: IO[bytes] = await _in_thread(self._existing(tenant, path).open, "rb")
        try:
            while piece := await _in_thread(file.read, chunk):
                yield piece
        finally:
            file.close()

    async def fetch(self, tenant: str, path: str, target: Path) -> None:
        """Copy a file to the local disk."""
        await _in_thread(shutil.copyfile, self._existing(tenant, path), target)

    async def info(self, tenant: str, path: str) -> ObjectInfo | None:
        """Return what is known of a path."""
        return await _in_thread(self._info, self._locate(tenant, path), _normal(path))

    async def list(self, tenant: str, path: str, *, recursive: bool = False) -> Sequence[ObjectInfo]:
        """Return what lies under a folder, sorted by path."""
        folder = self._locate(tenant, path)
        found = await _in_thread(self._walk, folder, _normal(path).rstrip("/"), recursive)
        return sorted(found, key=lambda info: info.path)

    async def delete(self, tenant: str, path: str) -> bool:
        """Remove a file, or a folder with all below it, at once."""
        target = self._locate(tenant, path)
        if _normal(path) == "/":
            raise InvalidRequestError("the root of a tenant cannot be deleted")
        return await _in_thread(self._remove, target)

    # -- inside; in threads from here on

    def _locate(self, tenant: str, path: str) -> Path:
        """Return the place of a path on the disk.

        Raises:
            InvalidRequestError: It leads out of the tenant's folder, by name or by link.
        """
        if not tenant or tenant in (".", "..", _ASIDE) or "/" in tenant or "\0" in tenant:
            raise InvalidRequestError(f"`{tenant}` is no name of a tenant")
        root = self._root / tenant
        target = root / _normal(path).lstrip("/")
        real = Path(os.path.realpath(target))
        if real != root and root not in real.parents:
            raise InvalidRequestError(f"path `{path}` leads out of the storage")
        return target

    def _existing(self, tenant: str, path: str) -> Path:
        target = self._locate(tenant, path)
        if not target.is_file():
            raise NotFoundError(f"there is no file {_normal(path)} in internal storage")
        return target

    async def _write_stream(self, aside: Path, content: AsyncIterator[bytes]) -> None:
        file: IO[bytes] = await _in_thread(aside.open, "wb")
        try:
            async for piece in content:
                await _in_thread(file.write, piece)
            await _in_thread(_sync, file)
        finally:
            file.close()

    def _move_in(self, tenant: str, path: str, aside: Path, target: Path) -> None:
        made = target.parent
        while not made.exists():
            made = made.parent
        target.parent.mkdir(parents=True, exist_ok=True)
        self._locate(tenant, path)  # once more: a link may have come into the way since
        if target.is_dir():
            raise InvalidRequestError(f"`{path}` is a folder")
        os.replace(aside, target)
        folder = target.parent
        while True:
            _sync_folder(folder)
            if folder in (made, self._root):
                return
            folder = folder.parent

    def _info(self, target: Path, path: str) -> ObjectInfo | None:
        try:
            status = target.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return ObjectInfo(path, status.st_size, status.st_mtime_ns // 1000, is_directory=target.is_dir())

    def _walk(self, folder: Path, path: str, recursive: bool) -> Sequence[ObjectInfo]:
        try:
            names = os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        found: builtins.list[ObjectInfo] = []
        for name in names:
            inner = folder / name
            if inner.is_symlink():
                continue
            info = self._info(inner, f"{path}/{name}")
            if info is None:
                continue
            found.append(info)
            if recursive and info.is_directory:
                found.extend(self._walk(inner, info.path, recursive))
        return found

    def _remove(self, target: Path) -> bool:
        aside = self._aside / new_id()
        try:
            os.rename(target, aside)
        except (FileNotFoundError, NotADirectoryError):
            return False
        _sync_folder(target.parent)
        if aside.is_dir() and not aside.is_symlink():
            shutil.rmtree(aside)
        else:
            aside.unlink()
        return True


def _normal(path: str) -> str:
    """Return an absolute, normalised path.

    Raises:
        InvalidRequestError: It is relative, or climbs by `..`, or no file system could hold it.
    """
    parts = path.split("/")
    if not path.startswith("/") or ".." in parts or "\0" in path:
        raise InvalidRequestError(f"`{path}` is no path of internal storage", hint="use an absolute path without `..`")
    return "/" + "/".join(part for part in parts if part not in ("", "."))


def _write(aside: Path, content: bytes | Path) -> None:
    with aside.open("wb") as file:
        if isinstance(content, Path):
            with content.open("rb") as source:
                shutil.copyfileobj(source, file, 1024 * 1024)
        else:
            file.write(content)
        _sync(file)


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def _in_thread(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run a blocking function in a thread, and say what an error of the disk means."""
    try:
        return await asyncio.to_thread(function, *arguments, **named)
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no file {Path(error.filename or '').name}") from None
    except OSError as error:
        if error.errno in _FULL:
            raise UnavailableError("internal storage is full", hint="free space on its disk or enlarge it") from None
        if error.errno in (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ):
            raise InvalidRequestError(
                "the path is one the disk cannot hold", hint="use shorter, plainer names"
            ) from None
        if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
            raise InvalidRequestError("a file is in the way of a folder, or a folder of a file") from None
        raise UnavailableError(f"internal storage cannot be used: {error.strerror}") from None
