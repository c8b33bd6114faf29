"""Reading and removing log lines and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.engine.records import Execution, LogLine, Metric, TaskRun
from penstock.ports.objects import ObjectStorage, path_of
from penstock.ports.queries import ExecutionQueries, Filter, Page, PageRequest
from penstock.services.executions.following import missing_execution
from penstock.services.log_text import lines_of

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

    def takes(self, run: TaskRun, attempt: int) -> bool:
        """Return whether lines of an attempt are wanted."""
        return (
            self.task_run_id in (None, run.id)
            and self.task_id in (None, run.task_id)
            and self.attempt in (None, attempt)
        )


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
        _check_level(wanted.min_level)
        found = await self._queries.get(tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        return self._pieces(*found, wanted)

    async def _pieces(
        self, execution: Execution, runs: Sequence[TaskRun], wanted: LogSelection
    ) -> AsyncIterator[Sequence[LogLine]]:
        async for lines in self._stored(execution.id, wanted):
            yield lines
        for run in runs:
            for number, attempt in enumerate(run.attempts, 1):
                if attempt.log_file is not None and wanted.takes(run, number):
                    yield await self._filed(execution, run, number, attempt.log_file, wanted)

    async def _filed(
        self, execution: Execution, run: TaskRun, number: int, uri: str, wanted: LogSelection
    ) -> Sequence[LogLine]:
        """Return the lines of an attempt whose log is a file; none when the file has been removed."""
        try:
            content = await self._storage.read(execution.tenant, path_of(uri))
        except NotFoundError:
            return ()
        like = LogLine(
            tenant=execution.tenant,
            namespace=execution.namespace,
            flow_id=execution.flow_id,
            date=0,
            level="INFO",
            message="",
            execution_id=execution.id,
            task_id=run.task_id,
            task_run_id=run.id,
            attempt=number,
            kind=execution.kind,
        )
        levels = LEVELS[: LEVELS.index(wanted.min_level) + 1] if wanted.min_level else LEVELS
        return [line for line in lines_of(content.decode(errors="replace"), like) if line.level in levels]

    async def _stored(self, execution_id: str, wanted: LogSelection) -> AsyncIterator[Sequence[LogLine]]:
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


def _check_level(level: str | None) -> None:
    if level is not None and level not in LEVELS:
        raise InvalidRequestError(f"`{level}` is no log level", hint=f"one of {', '.join(LEVELS)}")
