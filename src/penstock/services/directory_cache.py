"""Archives that `WorkingDirectory` tasks keep for their next run, one per task of a flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.ports.objects import ObjectStorage, uri_of
from penstock.services.arguments import Function, path_argument, reading, text_argument, writing
from penstock.services.file_access import Caller, FileAccess, cache_folder


class DirectoryCacheFunctions:
    """The worker's door to the archives of its flow. Implements the server's side of ENG-328, ENG-329.

    Args:
        storage: Where they are kept.
        access: Knows which files belong to an execution.
        clock: Tells how old an archive is.
    """

    def __init__(self, storage: ObjectStorage, access: FileAccess, clock: Clock) -> None:
        self._storage = storage
        self._access = access
        self._clock = clock

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {"findDirectoryCache": reading(self._find), "keepDirectoryCache": writing(self._keep)}

    async def _find(self, caller: Caller, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the URI of a task's archive and its age in microseconds."""
        path = _place(caller, arguments)
        info = await self._storage.info(caller.tenant, path)
        return None if info is None else {"uri": uri_of(path), "age": self._clock.now() - info.modified}

    async def _keep(self, caller: Caller, arguments: Mapping[str, Any]) -> None:
        """Make a file of the execution the task's archive."""
        source = await self._access.locate(caller, path_argument(arguments, "uri"))
        await self._storage.put(caller.tenant, _place(caller, arguments), self._storage.stream(caller.tenant, source))
        await self._storage.delete(caller.tenant, source)


def _place(caller: Caller, arguments: Mapping[str, Any]) -> str:
    task_id = text_argument(arguments, "task")
    if "/" in task_id or task_id.startswith("."):
        raise InvalidRequestError(f"`{task_id}` is no task id")
    return f"{cache_folder(caller.namespace, caller.flow_id)}/{task_id}.tar.gz"
