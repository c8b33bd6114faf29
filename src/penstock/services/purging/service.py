"""The use cases of purging: batch after batch, so that whoever orders one can tell how far it is, and stop it.

What belongs to an execution goes first and the execution last. A purge that is interrupted leaves executions that the
next one finds again, and never files or lines that nobody knows of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from penstock.base.clock import Instant
from penstock.ports.objects import ObjectStorage
from penstock.ports.purging import BEGINNING, EndedExecution, Position, PurgeStore
from penstock.ports.queries import Filter
from penstock.services.file_access import execution_folder

ROWS = 1_000
"""The most rows one transaction removes."""
_EXECUTIONS = 50
"""The most executions one transaction removes: their labels and the rest of their rows stay below `ROWS`."""
_FOLDERS = 20
"""Folders looked through at once: one after another, each would wait for its turn on a busy loop."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which executions, or which log lines, are to go. What is not given does not matter."""

    namespace: str | None = None
    """Where, with the namespaces below it; this one alone when there is a flow id."""
    flow_id: str | None = None
    start: Instant | None = None
    """Nothing from before."""
    end: Instant | None = None
    """Nothing from after."""
    states: Sequence[str] = ()
    levels: Sequence[str] = ()
    execution_id: str | None = None

    def _place(self) -> list[Filter]:
        found = []
        if self.namespace:
            found.append(Filter("namespace", "EQUALS" if self.flow_id else "PREFIX", self.namespace))
        if self.flow_id:
            found.append(Filter("flowId", "EQUALS", self.flow_id))
        if self.execution_id:
            found.append(Filter("executionId", "EQUALS", self.execution_id))
        if self.start is not None:
            found.append(Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", self.start))
        return found

    def of_executions(self) -> list[Filter]:
        """Return the filters of executions, apart from their end."""
        return [*self._place(), *([Filter("state", "IN", list(self.states))] if self.states else ())]

    def of_logs(self) -> list[Filter]:
        """Return the filters of log lines."""
        found = self._place()
        if self.end is not None:
            found.append(Filter("endDate", "LESS_THAN_OR_EQUAL_TO", self.end))
        if self.levels:
            found.append(Filter("level", "IN", list(self.levels)))
        return found


@dataclass(frozen=True, slots=True)
class Parts:
    """What of an execution is to go."""

    execution: bool = True
    logs: bool = True
    metrics: bool = True
    files: bool = True


@dataclass(frozen=True, slots=True)
class Purged:
    """What one batch removed."""

    executions: int = 0
    logs: int = 0
    metrics: int = 0
    files: int = 0
    position: Position | None = None
    """Where the next batch begins; None when there is nothing left."""


class PurgeService:
    """Removes records and files for good.

    Implements ENG-336, OPS-166, OPS-169, USE-B098.

    Args:
        store: Where records are.
        objects: Where files are.
    """

    def __init__(self, store: PurgeStore, objects: ObjectStorage) -> None:
        self._store = store
        self._objects = objects

    async def executions(
        self, tenant: str, selection: Selection, parts: Parts, *, after: Position = BEGINNING, limit: int = 100
    ) -> Purged:
        """Remove some of the executions that have ended, with what belongs to them.

        Args:
            tenant: Whose.
            selection: Which.
            parts: What of them.
            after: The position the batch before gave.
            limit: How many executions at most.
        """
        found = await self._store.ended(tenant, selection.of_executions(), selection.end, after, limit)
        purged = await self.remove(tenant, found, parts)
        return replace(purged, position=found[-1].position) if found and len(found) == limit else purged

    async def remove(self, tenant: str, executions: Sequence[EndedExecution], parts: Parts) -> Purged:
        """Remove these executions, with what belongs to them."""
        if not executions:
            return Purged()
        ids = [execution.id for execution in executions]
        files = await self._files(tenant, executions) if parts.files else 0
        logs = await _all(lambda: self._store.remove_logs_of(ids, ROWS)) if parts.logs else 0
        metrics = await _all(lambda: self._store.remove_metrics_of(ids, ROWS)) if parts.metrics else 0
        removed = await self._remove(tenant, ids) if parts.execution else 0
        return Purged(removed, logs, metrics, files)

    async def logs(self, tenant: str, selection: Selection) -> int:
        """Remove some of the log lines that fit; returns how many, 0 when there are no more."""
        return await self._store.remove_logs(tenant, selection.of_logs(), ROWS)

    async def _remove(self, tenant: str, ids: Sequence[str]) -> int:
        await _all(lambda: self._store.remove_task_runs_of(ids, ROWS))
        removed = 0
        for start in range(0, len(ids), _EXECUTIONS):
            removed += await self._store.remove(tenant, ids[start : start + _EXECUTIONS])
        return removed

    async def _files(self, tenant: str, executions: Sequence[EndedExecution]) -> int:
        folders = [execution_folder(one.namespace, one.flow_id, one.id) for one in executions]
        # Most flows store no files: they have no folder in which those of executions are.
        above = {folder.rpartition("/")[0] for folder in folders}
        present = {folder for folder in above if await self._objects.info(tenant, folder) is not None}
        folders = [folder for folder in folders if folder.rpartition("/")[0] in present]
        number = 0
        for start in range(0, len(folders), _FOLDERS):
            some = folders[start : start + _FOLDERS]
            number += sum(await asyncio.gather(*(self._remove_folder(tenant, folder) for folder in some)))
        return number

    async def _remove_folder(self, tenant: str, folder: str) -> int:
        found = await self._objects.list(tenant, folder, recursive=True)
        await self._objects.delete(tenant, folder)
        return sum(1 for info in found if not info.is_directory)


async def _all(remove: Callable[[], Awaitable[int]]) -> int:
    """Remove rows, `ROWS` at a time, until none is left; returns how many there were."""
    removed = number = await remove()
    while number >= ROWS:
        number = await remove()
        removed += number
    return removed
