"""Deleting executions with what belongs to them: task runs, logs, metrics, files."""

from __future__ import annotations

import asyncio

from penstock.base.errors import ConflictError
from penstock.engine.events import Abandon
from penstock.ports.dispatch import Dispatcher
from penstock.ports.objects import ObjectStorage
from penstock.ports.queries import ExecutionQueries
from penstock.services.executions.following import missing_execution
from penstock.services.file_access import execution_folder

_PATIENCE = 10.0
_LOOK = 0.05


class Deleting:
    """Removes executions.

    Implements API-025, ENG-256: one that has not ended is ended first, so that it keeps no slot and no worker.

    Args:
        queries: Where executions are.
        objects: Where their files are.
        dispatcher: The door to the executor.
        patience: Seconds to wait for the end of one that another process decides for.
    """

    def __init__(
        self, queries: ExecutionQueries, objects: ObjectStorage, dispatcher: Dispatcher, *, patience: float = _PATIENCE
    ) -> None:
        self._queries = queries
        self._objects = objects
        self._dispatcher = dispatcher
        self._patience = patience

    async def delete(
        self,
        tenant: str,
        execution_id: str,
        *,
        logs: bool = True,
        metrics: bool = True,
        storage: bool = True,
        non_terminated: bool = False,
        by: str | None = None,
    ) -> None:
        """Remove an execution with what belongs to it.

        Args:
            tenant: Whose execution it is.
            execution_id: The execution.
            logs: Whether its log lines go too.
            metrics: Whether its metrics go too.
            storage: Whether its files go too.
            non_terminated: Whether one that has not ended is ended and removed.
            by: Who asks for it.

        Raises:
            NotFoundError: There is none.
            ConflictError: It has not ended.
        """
        execution = await self._queries.head(tenant, execution_id)
        if execution is None:
            raise missing_execution(execution_id)
        if not execution.state.is_terminal and not non_terminated:
            raise ConflictError(
                f"execution {execution_id} is {execution.state.current} and has not ended",
                hint="kill it first, or wait for its end",
            )
        if non_terminated and execution.cursor.phase != "done":
            await self._end(tenant, execution_id, by)
        await self._queries.delete(tenant, execution_id, logs=logs, metrics=metrics)
        if storage:
            await self._objects.delete(tenant, execution_folder(execution.namespace, execution.flow_id, execution.id))

    async def _end(self, tenant: str, execution_id: str, by: str | None) -> None:
        """End an execution here and now; another process may have to decide it."""
        if await self._dispatcher.send(execution_id, Abandon(by)) is not None:
            return
        deadline = asyncio.get_running_loop().time() + self._patience
        while asyncio.get_running_loop().time() < deadline:
            execution = await self._queries.head(tenant, execution_id)
            if execution is None or execution.cursor.phase == "done":
                return
            await asyncio.sleep(_LOOK)
