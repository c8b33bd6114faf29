"""Waiting for an execution's end, and following its changes. Never a busy poll."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from penstock.base.clock import SECOND, Micros
from penstock.base.errors import NotFoundError
from penstock.engine.records import Execution, LogLine, TaskRun
from penstock.ports.queries import ExecutionQueries, LogMarks, LogSelection
from penstock.services.executions.followers import Followers, Watch

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """An execution with its task runs, as read at one moment."""

    execution: Execution
    task_runs: Sequence[TaskRun]

    @property
    def progress(self) -> int:
        """A number that grows with every change of the execution or of one of its task runs."""
        runs = sum(len(run.state.histories) + len(run.attempts) for run in self.task_runs)
        return self.execution.version + runs

    @property
    def is_over(self) -> bool:
        """Whether nothing will change by itself any more: ended, and `afterExecution` too."""
        return is_over(self.execution)


def is_over(execution: Execution) -> bool:
    """Return whether an execution has ended and its `afterExecution` tasks too."""
    return execution.state.is_terminal and (execution.cursor.phase == "done" or execution.cursor.active == 0)


def missing_execution(execution_id: str) -> NotFoundError:
    """Return the error for an execution that does not exist."""
    return NotFoundError(f"there is no execution {execution_id}")


async def execution_view(queries: ExecutionQueries, tenant: str, execution_id: str) -> ExecutionView:
    """Return an execution with its task runs.

    Raises:
        NotFoundError: There is none.
    """
    found = await queries.get(tenant, execution_id)
    if found is None:
        raise missing_execution(execution_id)
    return ExecutionView(*found)


class Following:
    """Waits for and follows executions.

    Implements API-020 (`wait`), API-023, API-024.

    Args:
        queries: Reads executions and logs.
        followers: Wakes when something changed.
        poll: Seconds after which one looks without having been woken.
        pause: Seconds between two views of the same execution at least; changes in between are seen as one.
    """

    def __init__(
        self, queries: ExecutionQueries, followers: Followers, *, poll: float = 5.0, pause: float = 0.1
    ) -> None:
        self._queries = queries
        self._followers = followers
        self._poll = poll
        self._pause = pause

    def watch(self, execution_id: str) -> AbstractContextManager[Watch]:
        """Watch for the end of an execution within a context; it need not exist yet."""
        return self._followers.watch(execution_id, "ended")

    async def end(self, tenant: str, execution_id: str, watch: Watch, timeout: Micros | None = None) -> ExecutionView:
        """Return the execution once it has ended; as it is then, when `timeout` or the process's end comes first.

        Args:
            tenant: Whose execution it is.
            execution_id: The execution.
            watch: Opened before the execution was created, so that nothing is missed.
            timeout: How long to wait at most.

        Raises:
            NotFoundError: There is none, or no more.
        """
        try:
            async with asyncio.timeout(None if timeout is None else timeout / SECOND):
                while not self._followers.leaving:
                    if await watch.changed(self._poll) or await self._is_to_look(tenant, execution_id):
                        view = await self.view(tenant, execution_id)
                        if view.execution.state.is_terminal:
                            return view
        except TimeoutError:
            pass
        return await self.view(tenant, execution_id)

    async def _is_to_look(self, tenant: str, execution_id: str) -> bool:
        """Return whether it has ended or is gone; nobody has said so, and it may have many task runs."""
        head = await self._queries.head(tenant, execution_id)
        return head is None or head.state.is_terminal

    async def end_of(
        self, execution: Execution, awaited_id: str, watch: Watch, timeout: Micros | None = None
    ) -> ExecutionView:
        """Return the execution that a launch answered with once it has ended.

        That of a repeated launch is another one than was watched for, and may have ended long ago.
        """
        if execution.id == awaited_id:
            return await self.end(execution.tenant, execution.id, watch, timeout)
        with self.watch(execution.id) as other:
            other.wake()
            return await self.end(execution.tenant, execution.id, other, timeout)

    async def view(self, tenant: str, execution_id: str) -> ExecutionView:
        """Return the execution with its task runs; raises NotFoundError."""
        return await execution_view(self._queries, tenant, execution_id)

    async def changes(
        self, tenant: str, execution_id: str, *, seen: int = -1, idle: float = 15.0
    ) -> AsyncGenerator[ExecutionView | None, None]:
        """Yield the execution now and after each change until it is over; None when nothing happened for `idle` s.

        Args:
            tenant: Whose execution it is.
            execution_id: The execution.
            seen: The progress the reader knows already; a view that is no further is left out.
            idle: Seconds after which None is yielded, to keep a connection alive.
        """
        with self._followers.watch(execution_id) as watch:
            last, quiet = seen, 0.0
            while True:
                began = time.perf_counter()
                view = await self.view(tenant, execution_id)
                if view.progress != last:
                    last, quiet = view.progress, 0.0
                    yield view
                if view.is_over or self._followers.leaving:
                    return
                # A large execution is looked at less often, so that its followers never take most of the machine.
                await asyncio.sleep(max(self._pause, 4 * (time.perf_counter() - began)))
                wait = min(self._poll, idle)
                if not await watch.changed(wait):
                    quiet += wait
                if quiet >= idle:
                    quiet = 0.0
                    yield None

    async def logs(
        self, tenant: str, execution_id: str, wanted: LogSelection, *, after: int = 0, idle: float = 15.0
    ) -> AsyncGenerator[tuple[int, Sequence[LogLine]], None]:
        """Yield (position, new lines) until the execution is over; no lines when nothing came for `idle` seconds."""

        async def read(position: int) -> tuple[int, Sequence[LogLine]]:
            lines, behind = await self._queries.logs_of(execution_id, wanted, after=position, limit=1000)
            return behind, lines

        async for position, lines in self._written(tenant, execution_id, read, after, idle):
            yield position, lines or ()

    async def log_marks(
        self, tenant: str, execution_id: str, wanted: LogSelection, *, after: int, step: int, idle: float = 15.0
    ) -> AsyncGenerator[tuple[int, LogMarks | None], None]:
        """Yield (position, where windows of what was written since begin) until the execution is over.

        However much is written, a follower is told as often as it can read; None when nothing came for `idle` seconds.
        """

        async def read(position: int) -> tuple[int, LogMarks]:
            marks = await self._queries.log_marks(execution_id, wanted, after=position, step=step)
            await asyncio.sleep(self._pause if marks.total else 0)
            return marks.end, marks

        async for found in self._written(tenant, execution_id, read, after, idle):
            yield found

    async def _written(
        self, tenant: str, execution_id: str, read: Callable[[int], Awaitable[tuple[int, T]]], after: int, idle: float
    ) -> AsyncGenerator[tuple[int, T | None], None]:
        """Yield what is read behind each position as soon as there is something."""
        with self._followers.watch(execution_id, "execution", "logs") as watch:
            position, quiet = after, 0.0
            while True:
                head = await self._queries.head(tenant, execution_id)
                if head is None:
                    return
                before = position
                position, found = await read(before)
                if position != before:
                    quiet = 0.0
                    yield position, found
                    continue
                if is_over(head) or self._followers.leaving:
                    return
                await asyncio.sleep(self._pause)
                wait = min(self._poll, idle)
                if not await watch.changed(wait):
                    quiet += wait
                if quiet >= idle:
                    quiet = 0.0
                    yield position, None
