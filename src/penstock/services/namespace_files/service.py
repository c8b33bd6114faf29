"""The use cases of namespace files, for people and for tasks alike.

Every upload is a revision: the first has the number 0. Reads need no index, since the latest content always stands at
the file's own path. Within one server uploads to a namespace come one after another; two servers that write the same
file in the same moment may give their revisions one number, of which the later content stays.
"""

from __future__ import annotations

import asyncio
import posixpath
import tempfile
import zipfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

from penstock.base.clock import Instant
from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.ports.objects import ObjectInfo, ObjectStorage
from penstock.services.namespace_files.places import FILES, MARKER, Place, file_place, place, revision_number

Content = bytes | Path | AsyncIterator[bytes]
_CHUNK = 65_536
_EXECUTIONS = "executions"
"""The folder of a flow's executions; a namespace whose last part is this word hides those below it."""


@dataclass(frozen=True, slots=True)
class NamespaceFile:
    """What is known of a file or folder without reading it."""

    path: str
    """From the namespace's root, with a leading slash."""
    size: int
    modified: Instant
    is_directory: bool = False

    @property
    def name(self) -> str:
        """Its own name; empty for the root."""
        return posixpath.basename(self.path)


class NamespaceFileService:
    """Files of namespaces.

    Implements ENG-347, ENG-352, API-106, OPS-167.

    Args:
        storage: Where they are kept.
    """

    def __init__(self, storage: ObjectStorage) -> None:
        self._storage = storage
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        """Of namespaces that somebody changes now, or waits to change."""

    # -- reading

    async def paths(self, tenant: str, namespace: str) -> Sequence[str]:
        """Return the paths of all files, each with a leading slash, sorted."""
        return [file.path for file in await self._below(tenant, place(namespace, "")) if not file.is_directory]

    async def search(self, tenant: str, namespace: str, query: str) -> Sequence[str]:
        """Return the paths of the files that contain a text, in any case of letters."""
        wanted = query.casefold()
        return [path for path in await self.paths(tenant, namespace) if wanted in path.casefold()]

    async def directory(self, tenant: str, namespace: str, path: str) -> Sequence[NamespaceFile]:
        """Return what lies in a folder: folders first, each sorted by name.

        Raises:
            NotFoundError: There is no such folder.
        """
        where = place(namespace, path)
        found = await self._storage.list(tenant, where.content)
        if not found and where.path and not (await self.stats(tenant, namespace, path)).is_directory:
            raise NotFoundError(f"{where.shown} is a file, not a folder", hint="ask for the folder it lies in")
        files = [_file(where, info) for info in found if posixpath.basename(info.path) != MARKER]
        return sorted(files, key=lambda file: (not file.is_directory, file.path))

    async def stats(self, tenant: str, namespace: str, path: str) -> NamespaceFile:
        """Return what is known of a file or folder; the root is always there.

        Raises:
            NotFoundError: There is nothing.
        """
        where = place(namespace, path)
        info = await self._storage.info(tenant, where.content)
        if info is not None:
            return _file(where, info)
        if where.path:
            raise _missing(where)
        return NamespaceFile("/", 0, 0, is_directory=True)

    async def read(
        self, tenant: str, namespace: str, path: str, revision: int | None = None
    ) -> tuple[NamespaceFile, AsyncIterator[bytes]]:
        """Return a file with its content in pieces: the latest, or an earlier revision's.

        Raises:
            NotFoundError: There is no such file or revision.
        """
        where = file_place(namespace, path)
        stored = where.content
        if revision is not None and revision != (await self.revisions(tenant, namespace, path))[-1]:
            stored = where.revision(revision)
        info = await self._storage.info(tenant, stored)
        if info is None or info.is_directory:
            raise _missing(where, revision)
        found = NamespaceFile(where.shown, info.size, info.modified)
        return found, self._storage.stream(tenant, stored, _CHUNK)

    async def revisions(self, tenant: str, namespace: str, path: str) -> Sequence[int]:
        """Return the numbers of the revisions a file has, oldest first; the last one is what the file holds now.

        Raises:
            NotFoundError: There is no such file.
        """
        where = file_place(namespace, path)
        info = await self._storage.info(tenant, where.content)
        if info is None or info.is_directory:
            raise _missing(where)
        return await self._numbers(tenant, where) or [0]

    async def export(self, tenant: str, namespace: str) -> AsyncIterator[bytes]:
        """Return all files as a ZIP archive, in pieces.

        Raises:
            InvalidRequestError: There can be no such namespace; known before the first piece.
        """
        return self._archive(tenant, await self.paths(tenant, namespace), place(namespace, ""))

    async def _archive(self, tenant: str, paths: Sequence[str], root: Place) -> AsyncIterator[bytes]:
        with tempfile.TemporaryDirectory(prefix="penstock-export-") as folder:
            archive, one = Path(folder, "all.zip"), Path(folder, "one")
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
                for path in paths:
                    await self._storage.fetch(tenant, f"{root.content}{path}", one)
                    await asyncio.to_thread(file.write, one, path.lstrip("/"))
            with await asyncio.to_thread(archive.open, "rb") as finished:
                while piece := await asyncio.to_thread(finished.read, _CHUNK):
                    yield piece

    # -- writing

    async def put(self, tenant: str, namespace: str, path: str, content: Content) -> str:
        """Store a file as its newest revision and return its URI.

        Raises:
            InvalidRequestError: The path is that of a folder, or leads through a file.
        """
        where = file_place(namespace, path)
        async with self._lock(tenant, namespace):
            numbers = await self._numbers(tenant, where)
            present = await self._storage.info(tenant, where.content)
            if present is None and not numbers:
                return await self._storage.put(tenant, where.content, content)
            if present is not None and present.is_directory:
                raise InvalidRequestError(f"{where.shown} is a folder", hint="give the file another name")
            if present is not None and not numbers:
                await self._copy(tenant, where.content, where.revision(0))
                numbers = [0]
            newest = where.revision(numbers[-1] + 1)
            await self._storage.put(tenant, newest, content)
            return await self._copy(tenant, newest, where.content)

    async def create_directory(self, tenant: str, namespace: str, path: str) -> None:
        """Make a folder; nothing happens when it is there already.

        Raises:
            InvalidRequestError: A file is in the way.
        """
        where = file_place(namespace, path)
        present = await self._storage.info(tenant, where.content)
        if present is None:
            await self._storage.put(tenant, f"{where.content}/{MARKER}", b"")
        elif not present.is_directory:
            raise InvalidRequestError(f"{where.shown} is a file", hint="give the folder another name")

    async def move(self, tenant: str, namespace: str, source: str, target: str) -> None:
        """Move a file or folder, with its revisions.

        Raises:
            NotFoundError: There is nothing to move.
            ConflictError: The target exists.
            InvalidRequestError: A folder would move into itself.
        """
        old, new = file_place(namespace, source), file_place(namespace, target)
        if f"{new.path}/".startswith(f"{old.path}/"):
            raise InvalidRequestError(f"{old.shown} cannot move to {new.shown}", hint="choose another place")
        async with self._lock(tenant, namespace):
            if await self._storage.info(tenant, old.content) is None:
                raise _missing(old)
            if await self._storage.info(tenant, new.content) is not None:
                raise ConflictError(f"{new.shown} exists already", hint="delete it first, or choose another name")
            await self._copy_tree(tenant, old.revisions, new.revisions)
            await self._copy_tree(tenant, old.content, new.content)
            await self._remove(tenant, old)

    async def delete(self, tenant: str, namespace: str, path: str, *, empty_parents: bool = False) -> None:
        """Remove a file or a folder with all in it, and all their revisions.

        Args:
            tenant: Whose.
            namespace: Where.
            path: What.
            empty_parents: Whether folders that hold nothing any more go too.

        Raises:
            NotFoundError: There is nothing.
        """
        where = file_place(namespace, path)
        async with self._lock(tenant, namespace):
            if not await self._remove(tenant, where):
                raise _missing(where)
            if empty_parents:
                await self._remove_empty(tenant, where)

    async def delete_revisions(
        self, tenant: str, namespace: str, path: str, revision: int, *, older: bool = False
    ) -> int:
        """Remove a revision, or all older than it; returns how many.

        Raises:
            NotFoundError: There is no such file or revision.
            InvalidRequestError: It is the one the file holds.
        """
        where = file_place(namespace, path)
        async with self._lock(tenant, namespace):
            numbers = await self.revisions(tenant, namespace, path)
            if revision not in numbers:
                raise _missing(where, revision)
            if not older and revision == numbers[-1]:
                raise InvalidRequestError(
                    f"revision {revision} is what {where.shown} holds", hint="restore another revision first"
                )
            doomed = [number for number in numbers if number < revision] if older else [revision]
            for number in doomed:
                await self._storage.delete(tenant, where.revision(number))
            return len(doomed)

    async def purge_revisions(
        self, tenant: str, namespace: str, path: str, *, keep: int | None = None, before: Instant | None = None
    ) -> int:
        """Remove old revisions of a file; returns how many. The one that the file holds stays in any case.

        Args:
            tenant: Whose.
            namespace: Where.
            path: What.
            keep: How many of the newest stay.
            before: None from this date on is removed.

        Raises:
            NotFoundError: There is no such file.
        """
        where = file_place(namespace, path)
        async with self._lock(tenant, namespace):
            numbers = await self.revisions(tenant, namespace, path)
            removed = 0
            for number in numbers[: -max(keep or 1, 1)]:
                info = await self._storage.info(tenant, where.revision(number))
                if info is not None and (before is None or info.modified < before):
                    removed += await self._storage.delete(tenant, where.revision(number))
            return removed

    async def namespaces(self, tenant: str, given: Sequence[str], *, children: bool = True) -> list[str]:
        """Return the namespaces that have files, sorted.

        Args:
            tenant: Whose.
            given: Among these alone; among all when there are none.
            children: Whether the namespaces below those given count too.
        """
        found: set[str] = set()
        for namespace in given:
            root = place(namespace, "").content
            if not children and await self._storage.info(tenant, root) is not None:
                found.add(namespace)
        if children or not given:
            for folder in [f"/{namespace.replace('.', '/')}" for namespace in given] or ["/"]:
                found.update(await self._with_files(tenant, folder))
        return sorted(found)

    # -- inside

    def _lock(self, tenant: str, namespace: str) -> asyncio.Lock:
        return self._locks.setdefault((tenant, namespace), asyncio.Lock())

    async def _with_files(self, tenant: str, folder: str) -> list[str]:
        """Return the namespaces from a folder on that have files; files of executions are not looked at."""
        inner = [info.path for info in await self._storage.list(tenant, folder) if info.is_directory]
        found = []
        for path in inner:
            name = posixpath.basename(path)
            if name == FILES:
                found.append(folder.strip("/").replace("/", "."))
            elif name != _EXECUTIONS and not name.startswith("_"):
                found += await self._with_files(tenant, path)
        return found

    async def _numbers(self, tenant: str, where: Place) -> list[int]:
        found = await self._storage.list(tenant, where.revisions)
        numbers = (revision_number(posixpath.basename(info.path)) for info in found if not info.is_directory)
        return sorted(number for number in numbers if number is not None)

    async def _below(self, tenant: str, where: Place) -> list[NamespaceFile]:
        found = await self._storage.list(tenant, where.content, recursive=True)
        return [_file(where, info) for info in found if posixpath.basename(info.path) != MARKER]

    async def _copy(self, tenant: str, source: str, target: str) -> str:
        return await self._storage.put(tenant, target, self._storage.stream(tenant, source, _CHUNK))

    async def _copy_tree(self, tenant: str, source: str, target: str) -> None:
        info = await self._storage.info(tenant, source)
        if info is None:
            return
        if not info.is_directory:
            await self._copy(tenant, source, target)
            return
        for inner in await self._storage.list(tenant, source, recursive=True):
            if not inner.is_directory:
                await self._copy(tenant, inner.path, target + inner.path.removeprefix(source))

    async def _remove(self, tenant: str, where: Place) -> bool:
        """Remove a file or folder, its revisions first: a file left without them is whole, the reverse is not."""
        await self._storage.delete(tenant, where.revisions)
        return await self._storage.delete(tenant, where.content)

    async def _remove_empty(self, tenant: str, where: Place) -> None:
        parent = place(where.namespace, posixpath.dirname(where.path))
        while parent.path and not await self._storage.list(tenant, parent.content):
            await self._remove(tenant, parent)
            parent = place(where.namespace, posixpath.dirname(parent.path))


def _file(where: Place, info: ObjectInfo) -> NamespaceFile:
    return NamespaceFile(
        f"/{where.below(info.path)}" if info.path != where.content else where.shown,
        0 if info.is_directory else info.size,
        info.modified,
        is_directory=info.is_directory,
    )


def _missing(where: Place, revision: int | None = None) -> NotFoundError:
    what = f"revision {revision} of " if revision is not None else ""
    return NotFoundError(f"there is no {what}namespace file {where.shown} in {where.namespace}")
