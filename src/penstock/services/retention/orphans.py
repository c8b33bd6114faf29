"""Files that nobody knows of: folders of executions that were never stored, or are gone.

Uploads are stored before their execution is, and a server may die in between. A folder is an orphan when it has been
there for a day and no execution has its name.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

from penstock.base.clock import SECOND, Clock, Micros
from penstock.ports.objects import ObjectInfo, ObjectStorage
from penstock.ports.purging import PurgeStore

_GRACE: Micros = 24 * 3600 * SECOND
_AT_ONCE = 500
_EXECUTIONS = "/executions"
_ID = re.compile(r"[0-9A-Za-z]{22}")


class OrphanFiles:
    """Sweeps folders without an execution. Implements BEY-020 (orphan files).

    Args:
        store: Knows the executions.
        objects: Holds the folders.
        clock: Tells how old they are.
        grace: How old they must be.
    """

    def __init__(self, store: PurgeStore, objects: ObjectStorage, clock: Clock, grace: Micros = _GRACE) -> None:
        self._store = store
        self._objects = objects
        self._clock = clock
        self._grace = grace

    async def sweep(self, tenant: str) -> int:
        """Remove all orphans of a tenant; returns how many folders there were."""
        removed = 0
        async for folders in self._folders(tenant):
            for start in range(0, len(folders), _AT_ONCE):
                removed += await self._remove(tenant, folders[start : start + _AT_ONCE])
        return removed

    async def _remove(self, tenant: str, folders: Sequence[ObjectInfo]) -> int:
        names = {_name(folder): folder.path for folder in folders}
        orphans = names.keys() - await self._store.known(tenant, sorted(names))
        for orphan in sorted(orphans):
            await self._objects.delete(tenant, names[orphan])
        return len(orphans)

    async def _folders(self, tenant: str) -> AsyncIterator[list[ObjectInfo]]:
        """Yield the folders of executions that are old enough, flow by flow."""
        before = self._clock.now() - self._grace
        waiting = ["/"]
        while waiting:
            path = waiting.pop()
            inner = [one for one in await self._objects.list(tenant, path) if one.is_directory]
            executions = [one for one in inner if path.endswith(_EXECUTIONS) and _ID.fullmatch(_name(one))]
            yield [one for one in executions if one.modified < before]
            # What begins with `_` is no part of a namespace: files, caches.
            waiting += [one.path for one in inner if one not in executions and not _name(one).startswith("_")]


def _name(info: ObjectInfo) -> str:
    return info.path.rpartition("/")[2]
