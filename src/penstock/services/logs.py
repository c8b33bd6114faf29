"""Reading and removing log lines and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from penstock.base.errors import InvalidRequestError
from penstock.engine.records import LogLine, Metric
from penstock.ports.queries import ExecutionQueries, Filter, Page, PageRequest
from penstock.services.executions.following import missing_execution

LEVELS = ("ERROR", "WARN", "INFO", "DEBUG", "TRACE")
"""From the most to the least severe."""
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class LogSelection:
    """Which lines of an execution are wanted."""

    min_level: str | None = None
    task_run_id: str | None = None
    task_id: str | None = None
    attempt: int | None = None


class LogService:
    """Logs and metrics of a tenant.

    Implements API-103, API-104 (by execution).

    Args:
        queries: Where they are read.
    """

    def __init__(self, queries: ExecutionQueries) -> None:
        self._queries = queries

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[LogLine]:
        """Return a page of log lines."""
        return await self._queries.logs(tenant, filters, page)

    async def of(self, tenant: str, execution_id: str, wanted: LogSelection) -> AsyncIterator[Sequence[LogLine]]:
        """Return an execution's lines in order, in pieces.

        Raises:
            NotFoundError: There is no such execution.
        """
        _check_level(wanted.min_level)
        if await self._queries.head(tenant, execution_id) is None:
            raise missing_execution(execution_id)
        return self._pieces(execution_id, wanted)

    async def _pieces(self, execution_id: str, wanted: LogSelection) -> AsyncIterator[Sequence[LogLine]]:
        position = 0
        while True:
            lines, position = await self._queries.logs_of(
                execution_id,
                after=position,
                min_level=wanted.min_level,
                task_id=wanted.task_id,
                task_run_id=wanted.task_run_id,
                attempt=wanted.attempt,
                limit=_BATCH,
            )
            if lines:
                yield lines
            if len(lines) < _BATCH:
                return

    async def delete(self, tenant: str, execution_id: str, wanted: LogSelection) -> int:
        """Remove an execution's lines (all, or those of a level and above, or of a task run); returns how many.

        Raises:
            NotFoundError: There is no such execution.
        """
        _check_level(wanted.min_level)
        if await self._queries.head(tenant, execution_id) is None:
            raise missing_execution(execution_id)
        return await self._queries.delete_logs(tenant, execution_id, wanted.min_level, wanted.task_run_id)

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


def _check_level(level: str | None) -> None:
    if level is not None and level not in LEVELS:
        raise InvalidRequestError(f"`{level}` is no log level", hint=f"one of {', '.join(LEVELS)}")
