"""What tasks ask of namespace files beyond reading them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.services.arguments import Function, namespace_argument, reading, text_argument, writing
from penstock.services.file_access import Caller, FileAccess
from penstock.services.namespace_files.service import NamespaceFileService


class NamespaceFileFunctions:
    """The worker's door to namespace files (BEY-010).

    Implements the server's side of ENG-349, ENG-354.

    Args:
        files: The use cases.
        access: Knows which stored files an execution may read.
    """

    def __init__(self, files: NamespaceFileService, access: FileAccess) -> None:
        self._files = files
        self._access = access

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {
            "namespaceFiles": reading(self._list),
            "putNamespaceFile": writing(self._put),
            "deleteNamespaceFiles": writing(self._delete),
        }

    async def _list(self, caller: Caller, arguments: Mapping[str, Any]) -> Sequence[str]:
        return await self._files.paths(caller.tenant, namespace_argument(caller, arguments))

    async def _put(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        """Store a file the execution may read, or a text, as a namespace file."""
        namespace, path = namespace_argument(caller, arguments), text_argument(arguments, "path")
        uri, content = arguments.get("uri"), arguments.get("content")
        if isinstance(uri, str):
            return await self._files.put(caller.tenant, namespace, path, self._access.stream(caller, uri))
        if isinstance(content, str):
            return await self._files.put(caller.tenant, namespace, path, content.encode())
        raise InvalidRequestError("a namespace file needs `uri` or `content`")

    async def _delete(self, caller: Caller, arguments: Mapping[str, Any]) -> list[str]:
        """Remove files and return the paths of those there were."""
        namespace = namespace_argument(caller, arguments)
        deleted = []
        for path in arguments.get("paths") or ():
            try:
                await self._files.delete(
                    caller.tenant, namespace, str(path), empty_parents=bool(arguments.get("emptyParents"))
                )
            except NotFoundError:
                continue
            deleted.append(str(path))
        return deleted
