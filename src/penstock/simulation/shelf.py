"""Internal storage in a simulation: files in memory that all machines share, and what can go wrong on the way there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random

from penstock.base.clock import SECOND, Instant
from penstock.base.errors import NotFoundError, UnavailableError
from penstock.ports.objects import ObjectInfo, uri_of
from penstock.simulation.disk import Line
from penstock.simulation.loop import SimulatedLoop

Files = dict[tuple[str, str], tuple[bytes, Instant]]
"""What is stored, by tenant and path, with the time it was stored at."""


class SimulatedStorage:
    """A machine's way to the files (`ObjectStorage`).

    Args:
        files: What is stored.
        line: What is wrong with the way there.
        loop: The loop.
        chance: Decides how long things take, and whether a write that fails has been done.
    """

    def __init__(self, files: Files, line: Line, loop: SimulatedLoop, chance: Random) -> None:
        self._files = files
        self._line = line
        self._loop = loop
        self._chance = chance

    async def put(self, tenant: str, path: str, content: bytes | Path | AsyncIterator[bytes]) -> str:
        """Store a file whole, or not at all, and return its URI."""
        if isinstance(content, Path):
            content = content.read_bytes()  # noqa: ASYNC240  # there is no time to lose in a simulation
        elif not isinstance(content, bytes):
            content = b"".join([piece async for piece in content])
        await self._travel()
        fails = self._loop.now < self._line.unwritable_until
        if not fails or self._chance.random() < 0.5:
            self._files[tenant, path] = (content, self._loop.now)
        if fails:
            raise UnavailableError("internal storage cannot be written")
        await self._travel()
        return uri_of(path)

    async def read(self, tenant: str, path: str) -> bytes:
        """Return a whole file."""
        await self._travel()
        if self._loop.now < self._line.unreadable_until:
            raise UnavailableError("internal storage cannot be read")
        if (tenant, path) not in self._files:
            raise NotFoundError(f"there is no file {path}")
        return self._files[tenant, path][0]

    async def stream(self, tenant: str, path: str, chunk: int = 65_536) -> AsyncIterator[bytes]:
        """Return a file's bytes in pieces."""
        content = await self.read(tenant, path)
        for start in range(0, len(content), chunk):
            yield content[start : start + chunk]

    async def fetch(self, tenant: str, path: str, target: Path) -> None:
        """Copy a file to the local disk."""
        content = await self.read(tenant, path)
        target.write_bytes(content)  # noqa: ASYNC240

    async def info(self, tenant: str, path: str) -> ObjectInfo | None:
        """Return what is known of a path."""
        await self._travel()
        if (tenant, path) in self._files:
            return self._info(tenant, path)
        inside = any(one.startswith(f"{path.rstrip('/')}/") for owner, one in self._files if owner == tenant)
        return ObjectInfo(path, 0, 0, is_directory=True) if inside else None

    async def list(self, tenant: str, path: str, *, recursive: bool = False) -> Sequence[ObjectInfo]:
        """Return what lies under a folder, sorted by path."""
        await self._travel()
        folder = f"{path.rstrip('/')}/"
        inner = sorted(one for owner, one in self._files if owner == tenant and one.startswith(folder))
        found: dict[str, ObjectInfo] = {}
        for one in inner:
            parts = one.removeprefix(folder).split("/")
            for depth in range(1, len(parts) if recursive else 1):
                above = folder + "/".join(parts[:depth])
                found.setdefault(above, ObjectInfo(above, 0, 0, is_directory=True))
            if recursive or len(parts) == 1:
                found[one] = self._info(tenant, one)
            else:
                found.setdefault(folder + parts[0], ObjectInfo(folder + parts[0], 0, 0, is_directory=True))
        return [found[one] for one in sorted(found)]

    async def delete(self, tenant: str, path: str) -> bool:
        """Remove a file, or a folder with all below it."""
        await self._travel()
        gone = [key for key in self._files if key == (tenant, path) or _is_below(key, tenant, path)]
        for key in gone:
            del self._files[key]
        return bool(gone)

    def _info(self, tenant: str, path: str) -> ObjectInfo:
        content, stored = self._files[tenant, path]
        return ObjectInfo(path, len(content), stored)

    async def _travel(self) -> None:
        slow = self._loop.now < self._line.files_slow_until
        await asyncio.sleep(self._chance.randrange(8 * SECOND if slow else 2_000) / SECOND)


def _is_below(key: tuple[str, str], tenant: str, path: str) -> bool:
    return key[0] == tenant and key[1].startswith(f"{path.rstrip('/')}/")
