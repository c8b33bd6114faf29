"""Reading and removing log lines and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from penstock.base.errors import InvalidRequestError
from penstock.engine.records import Execution, LogLine, Metric, TaskRun
from penstock.ports.objects import ObjectStorage
from penstock.ports.queries import ExecutionQueries, Filter, LogSelection, Page, PageRequest
from penstock.services.executions.following import missing_execution
from penstock.services.log_files import LEVELS, file_lines, log_files

_BATCH = 5000


class LogService:
    """Logs and metrics of a tenant.

    Implements API-103, API-104 (by execution), ENG-051.

    Args:
        queries: Where they are read.
        storage: Where those are that are kept as files.
    """

    def __init__(self, queries: ExecutionQueries, storage: ObjectStorage) -> None:
        self._queries = queries
        self._storage = storage

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[LogLine]:
        """Return a page of log lines."""
        return await self._queries.logs(tenant, filters, page)

    async def of(self, tenant: str, execution_id: str, wanted: LogSelection) -> AsyncIterator[Sequence[LogLine]]:
        """Return an execution's lines in order, in pieces.

        Raises:
            NotFoundError: There is no such execution.
        """
        check_level(wanted.min_level)
        found = await self._queries.get(tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        return self._pieces(*found, wanted)

    async def _pieces(
        self, execution: Execution, runs: Sequence[TaskRun], wanted: LogSelection
    ) -> AsyncIterator[Sequence[LogLine]]:
        async for lines in self._stored(execution.id, wanted):
            yield lines
        for file in log_files(execution, runs, wanted):
            yield [line for _, line in await file_lines(self._storage, file, wanted)]

    async def _stored(self, execution_id: str, wanted: LogSelection) -> AsyncIterator[Sequence[LogLine]]:
        position = 0
        while True:
            lines, position = await self._queries.logs_of(execution_id, wanted, after=position, limit=_BATCH)
            if lines:
                yield lines
            if len(lines) < _BATCH:
                return

    async def delete(self, tenant: str, execution_id: str, wanted: LogSelection) -> int:
        """Remove an execution's lines (all, or those of a level and above, or of a task run); returns how many.

        Raises:
            NotFoundError: There is no such execution.
        """
        check_level(wanted.min_level)
        if await self._queries.head(tenant, execution_id) is None:
            raise missing_execution(execution_id)
        return await self._queries.delete_logs(tenant, execution_id, wanted.min_level, wanted.task_run_id)

    async def delete_of_trigger(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> int:
        """Remove the lines of a trigger itself; returns how many."""
        return await self._queries.delete_trigger_logs(tenant, namespace, flow_id, trigger_id)

    async def metrics(
        self, tenant: str, execution_id: str, task_run_id: str | None = None, task_id: str | None = None
    ) -> Sequence[Metric]:
        """Return the metrics of an execution, of one of its task runs, or of one of its tasks.

        Raises:
            NotFoundError: There is no such execution.
        """
        if await self._queries.head(tenant, execution_id) is None:
            raise missing_execution(execution_id)
        return [
            metric
            for metric in await self._queries.metrics_of(execution_id)
            if task_run_id in (None, metric.task_run_id) and task_id in (None, metric.task_id)
        ]


def check_level(level: str | None) -> None:
    """Refuse what is no level.

    Raises:
        InvalidRequestError: It is none.
    """
    if level is not None and level not in LEVELS:
        raise InvalidRequestError(f"`{level}` is no log level", hint=f"one of {', '.join(LEVELS)}")
