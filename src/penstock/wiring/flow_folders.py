"""Folders of flow files that the server keeps in step with. Implements ENG-010, ENG-012, OPS-065, USE-B111.

A saved file is stored, a deleted one deletes its flow, and one whose namespace or id is changed does both. Files that
are wrong are told in the log and passed over; what was stored of them stays. Flows are not written back to files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog

from penstock.base.errors import NotFoundError, PenstockError
from penstock.model.yaml import split_documents
from penstock.ports.flows import Author, Way
from penstock.services.flows import FlowService

log = structlog.get_logger(__name__)
_SUFFIXES = (".yml", ".yaml")
_Name = tuple[str, str]


class FlowFolders:
    """Stores the flows of folders, once or as long as the server runs.

    Args:
        service: Stores flows.
        tenant: Whose flows they are.
        folders: Where the files are, at any depth.

    Raises:
        PenstockError: One of them is no folder.
    """

    def __init__(self, service: FlowService, tenant: str, folders: Sequence[Path]) -> None:
        for folder in folders:
            if not folder.is_dir():
                hint = "check --flow-path and micronaut.io.watch.paths"
                raise PenstockError(f"{folder} is no folder of flows", hint=hint)
        self._service = service
        self._tenant = tenant
        self._folders = [folder.resolve() for folder in folders]
        self._flows: dict[Path, list[_Name]] = {}

    async def load(self) -> None:
        """Store all flows there are."""
        for path in self._files():
            await self._store(path)

    def _files(self) -> Iterator[Path]:
        for folder in self._folders:
            yield from sorted(one for one in folder.rglob("*") if one.suffix in _SUFFIXES and one.is_file())

    async def follow(self) -> None:
        """Store and delete flows as files change; runs until it is cancelled."""
        from watchfiles import awatch

        async for changes in awatch(*self._folders, watch_filter=lambda _, path: path.endswith(_SUFFIXES)):
            for path in sorted({Path(name) for _, name in changes}):
                if path.is_file():
                    await self._store(path)
                else:
                    await self._forget(path, self._flows.pop(path, []))

    async def _store(self, path: Path) -> None:
        before, found = self._flows.get(path, []), []
        try:
            text = await asyncio.to_thread(path.read_text, encoding="utf-8")
            for source, _ in split_documents(text):
                stored = await self._service.put(self._tenant, source, Author(path.name, Way.FOLDER))
                found.append((stored.namespace, stored.id))
        except (PenstockError, OSError, UnicodeDecodeError) as error:
            log.warning("flow not loaded", action="flows.load", file=str(path), error=str(error))
            self._flows[path] = list(dict.fromkeys([*before, *found]))
            return
        self._flows[path] = found
        log.info("flow loaded", action="flows.load", file=str(path), flows=[".".join(name) for name in found])
        await self._forget(path, [name for name in before if name not in found])

    async def _forget(self, path: Path, names: Sequence[_Name]) -> None:
        for name in names:
            if any(name in others for others in self._flows.values()):
                continue  # it has moved to another file
            try:
                await self._service.delete(self._tenant, *name)
            except NotFoundError:
                continue
            log.info("flow deleted", action="flows.load", file=str(path), flow=".".join(name))
