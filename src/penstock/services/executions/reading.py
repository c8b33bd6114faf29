"""Reading executions."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.engine.records import Execution
from penstock.ports.queries import ExecutionQueries, Filter, Page, PageRequest
from penstock.services.executions.following import ExecutionView, execution_view, missing_execution


class ExecutionReader:
    """Reads executions.

    Implements API-101 (get, search, latest), ENG-133.

    Args:
        queries: Where executions are read.
    """

    def __init__(self, queries: ExecutionQueries) -> None:
        self._queries = queries

    async def get(self, tenant: str, execution_id: str) -> ExecutionView:
        """Return an execution with its task runs; raises NotFoundError."""
        return await execution_view(self._queries, tenant, execution_id)

    async def head(self, tenant: str, execution_id: str) -> Execution:
        """Return an execution without its task runs.

        Raises:
            NotFoundError: There is none.
        """
        found = await self._queries.head(tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        return found

    async def search(
        self, tenant: str, filters: Sequence[Filter], page: PageRequest, *, bodies: bool = True
    ) -> Page[Execution]:
        """Return a page of executions without their task runs, with or without inputs, outputs and the like."""
        return await self._queries.search(tenant, filters, page, bodies=bodies)

    async def latest(self, tenant: str, flows: Sequence[tuple[str, str]], count: int = 1) -> Sequence[Execution]:
        """Return the newest executions of each (namespace, flow id), newest first."""
        return await self._queries.latest(tenant, flows, count) if flows else ()
