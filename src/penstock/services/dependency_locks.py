"""Which versions of packages the scripts of a flow's revision were given, so that every worker gives them the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.ports.objects import ObjectStorage
from penstock.services.arguments import Function, reading, text_argument, writing
from penstock.services.file_access import Caller, locks_folder

_KEY = re.compile(r"[0-9a-f]{16,64}")
_LONGEST = 1_000_000


class DependencyLockFunctions:
    """The worker's door to the locks of its flow. Implements the server's side of BEY-036.

    Args:
        storage: Where they are kept, beside the flow's executions.
    """

    def __init__(self, storage: ObjectStorage) -> None:
        self._storage = storage

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {"dependencyLock": reading(self._find), "keepDependencyLock": writing(self._keep)}

    async def _find(self, caller: Caller, arguments: Mapping[str, Any]) -> str | None:
        """Return the lock that was kept for these dependencies."""
        try:
            return (await self._storage.read(caller.tenant, _place(caller, arguments))).decode()
        except NotFoundError:
            return None

    async def _keep(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        """Keep a lock, unless there is one, and return the one that counts."""
        found = await self._find(caller, arguments)
        if found is not None:
            return found
        text = text_argument(arguments, "text")
        if len(text) > _LONGEST:
            raise InvalidRequestError("the lock of the dependencies is too long", hint="name fewer packages")
        await self._storage.put(caller.tenant, _place(caller, arguments), text.encode())
        return text


def _place(caller: Caller, arguments: Mapping[str, Any]) -> str:
    revision, key = arguments.get("revision"), text_argument(arguments, "key")
    if not isinstance(revision, int) or not _KEY.fullmatch(key):
        raise InvalidRequestError("a lock is found by the flow's revision and a hash")
    return f"{locks_folder(caller.namespace, caller.flow_id)}/{revision}/{key}.txt"
