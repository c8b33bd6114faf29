"""What tasks ask of internal storage beyond reading and storing files: removing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.base.errors import UnauthorizedError
from penstock.ports.objects import ObjectStorage, uri_of
from penstock.services.arguments import Function, path_argument, writing
from penstock.services.file_access import Caller, FileAccess, execution_folder


class FileFunctions:
    """The worker's door to removing files (BEY-010).

    Implements the server's side of ENG-335 (Delete), ENG-336.

    Args:
        storage: Where files are kept.
        access: Knows which of them belong to an execution.
    """

    def __init__(self, storage: ObjectStorage, access: FileAccess) -> None:
        self._storage = storage
        self._access = access

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {"deleteFile": writing(self._delete), "purgeExecutionFiles": writing(self._purge)}

    async def _delete(self, caller: Caller, arguments: Mapping[str, Any]) -> bool:
        uri = path_argument(arguments, "uri")
        path = await self._access.locate(caller, uri)
        own = execution_folder(caller.namespace, caller.flow_id, caller.execution_id)
        if "/_files/" in path and not path.startswith(f"{own}/"):
            raise UnauthorizedError(
                f"{uri} is a namespace file", hint="delete it with the task `namespace.DeleteFiles`"
            )
        found = await self._storage.info(caller.tenant, path)
        return found is not None and not found.is_directory and await self._storage.delete(caller.tenant, path)

    async def _purge(self, caller: Caller, arguments: Mapping[str, Any]) -> list[str]:
        """Remove all files of the execution and return their URIs."""
        folder = execution_folder(caller.namespace, caller.flow_id, caller.execution_id)
        found = await self._storage.list(caller.tenant, folder, recursive=True)
        await self._storage.delete(caller.tenant, folder)
        return [uri_of(info.path) for info in found if not info.is_directory]
