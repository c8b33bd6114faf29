"""Files of an execution, for people: only those it owns or was handed, whatever the address says."""

from __future__ import annotations

import posixpath
from collections.abc import AsyncIterator
from dataclasses import dataclass

from penstock.base.errors import NotFoundError
from penstock.ports.objects import ObjectInfo
from penstock.ports.queries import ExecutionQueries
from penstock.services.executions.following import missing_execution
from penstock.services.file_access import Caller, FileAccess


@dataclass(frozen=True, slots=True)
class ExecutionFile:
    """A file that may be read."""

    caller: Caller
    uri: str
    info: ObjectInfo

    @property
    def name(self) -> str:
        """The file's own name."""
        return posixpath.basename(self.info.path)


class ExecutionFiles:
    """Finds and reads files of executions.

    Implements the file part of API-101.

    Args:
        queries: Reads executions.
        access: Knows which files an execution may read.
    """

    def __init__(self, queries: ExecutionQueries, access: FileAccess) -> None:
        self._queries = queries
        self._access = access

    async def find(self, tenant: str, execution_id: str, uri: str) -> ExecutionFile:
        """Return a file of an execution.

        Raises:
            NotFoundError: There is no such execution or file.
            InvalidRequestError: The URI leads out of internal storage.
            UnauthorizedError: The file is another execution's.
        """
        head = await self._queries.head(tenant, execution_id)
        if head is None:
            raise missing_execution(execution_id)
        caller = Caller(head.tenant, head.namespace, head.flow_id, head.id)
        info = await self._access.info(caller, uri)
        if info is None:
            raise NotFoundError(f"there is no file {uri}", hint="it may have been purged")
        return ExecutionFile(caller, uri, info)

    def stream(self, file: ExecutionFile) -> AsyncIterator[bytes]:
        """Return a file's bytes in pieces."""
        return self._access.stream(file.caller, file.uri)

    async def beginning(self, file: ExecutionFile, limit: int) -> bytes:
        """Return the first bytes of a file."""
        pieces: list[bytes] = []
        size = 0
        async for piece in self.stream(file):
            pieces.append(piece)
            size += len(piece)
            if size >= limit:
                break
        return b"".join(pieces)[:limit]
