"""Reading executions, and removing them."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.base.errors import ConflictError
from penstock.engine.records import Execution
from penstock.ports.objects import ObjectStorage
from penstock.ports.queries import ExecutionQueries, Filter, Page, PageRequest
from penstock.services.executions.following import ExecutionView, missing_execution
from penstock.services.file_access import execution_folder

_PAGE = 500


class ExecutionReader:
    """Reads and removes executions.

    Implements API-025, API-101 (get, search, latest, delete), ENG-133.

    Args:
        queries: Where executions are read.
        objects: Where their files are.
    """

    def __init__(self, queries: ExecutionQueries, objects: ObjectStorage) -> None:
        self._queries = queries
        self._objects = objects

    async def get(self, tenant: str, execution_id: str) -> ExecutionView:
        """Return an execution with its task runs.

        Raises:
            NotFoundError: There is none.
        """
        found = await self._queries.get(tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        return ExecutionView(*found)

    async def head(self, tenant: str, execution_id: str) -> Execution:
        """Return an execution without its task runs.

        Raises:
            NotFoundError: There is none.
        """
        found = await self._queries.head(tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        return found

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[Execution]:
        """Return a page of executions without their task runs."""
        return await self._queries.search(tenant, filters, page)

    async def matching(self, tenant: str, filters: Sequence[Filter]) -> list[Execution]:
        """Return all executions that meet the filters."""
        found: list[Execution] = []
        page = 1
        while True:
            # Newest first would shift the pages while executions are created; oldest first does not.
            request = PageRequest(page=page, size=_PAGE, sort=(("id", True),))
            results = await self._queries.search(tenant, filters, request)
            found.extend(results.results)
            if len(results.results) < _PAGE:
                return found
            page += 1

    async def latest(self, tenant: str, flows: Sequence[tuple[str, str]]) -> Sequence[Execution]:
        """Return the newest execution of each (namespace, flow id) that has one."""
        return await self._queries.latest(tenant, flows) if flows else ()

    async def delete(
        self,
        tenant: str,
        execution_id: str,
        *,
        logs: bool = True,
        metrics: bool = True,
        storage: bool = True,
        non_terminated: bool = False,
    ) -> None:
        """Remove an ended execution with what belongs to it.

        Raises:
            NotFoundError: There is none.
            ConflictError: It has not ended.
        """
        execution = await self.head(tenant, execution_id)
        if not (execution.state.is_terminal or non_terminated):
            raise ConflictError(
                f"execution {execution_id} is {execution.state.current} and has not ended",
                hint="kill it first, or wait for its end",
            )
        await self._queries.delete(tenant, execution_id, logs=logs, metrics=metrics)
        if storage:
            await self._objects.delete(tenant, execution_folder(execution.namespace, execution.flow_id, execution.id))
