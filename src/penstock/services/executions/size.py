"""How much room one execution takes: in the database, and in internal storage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.ports.objects import ObjectStorage
from penstock.ports.queries import ExecutionQueries
from penstock.ports.sizes import Part, SizeStore
from penstock.services.executions.following import missing_execution
from penstock.services.file_access import execution_folder


@dataclass(frozen=True, slots=True)
class ExecutionSize:
    """What an execution takes."""

    execution_id: str
    records: Sequence[Part]
    """Of each kind of record: how many rows, and the bytes in them; indexes come on top."""
    files: Part
    """Its files."""

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.files.bytes + sum(part.bytes for part in self.records)


class ExecutionSizes:
    """Tells the size of an execution. Implements BEY-021 for one execution.

    Args:
        queries: Knows the execution.
        sizes: Knows its records.
        storage: Holds its files.
    """

    def __init__(self, queries: ExecutionQueries, sizes: SizeStore, storage: ObjectStorage) -> None:
        self._queries = queries
        self._sizes = sizes
        self._storage = storage

    async def of(self, tenant: str, execution_id: str) -> ExecutionSize:
        """Return what an execution takes.

        Raises:
            NotFoundError: There is none.
        """
        execution = await self._queries.head(tenant, execution_id)
        if execution is None:
            raise missing_execution(execution_id)
        folder = execution_folder(execution.namespace, execution.flow_id, execution_id)
        found = await self._storage.list(tenant, folder, recursive=True)
        sizes = [one.size for one in found if not one.is_directory]
        return ExecutionSize(execution_id, await self._sizes.of(execution_id), Part("files", len(sizes), sum(sizes)))
