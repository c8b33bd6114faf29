"""The log of one execution in windows: any part of it is read by itself, however long the whole is.

A position says what lies before it: `120` the stored lines up to that one, `2.500` all stored lines and, of the second
log file, the first 500. Positions of stored lines are those that followers of the log are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from penstock.base.errors import InvalidRequestError
from penstock.engine.records import Execution, LogLine, TaskRun
from penstock.ports.objects import ObjectStorage
from penstock.ports.queries import ExecutionQueries, LogCount, LogMarks, LogSelection
from penstock.services.executions.following import missing_execution
from penstock.services.log_files import LogFile, file_lines, log_files


@dataclass(frozen=True, slots=True, order=True)
class LogPosition:
    """A place in the log of an execution."""

    file: int = 0
    """0 for the stored lines, else the number of a log file."""
    line: int = 0

    @classmethod
    def parse(cls, text: str) -> LogPosition:
        """Return the position that a text names.

        Raises:
            InvalidRequestError: It names none.
        """
        file, _, line = text.rpartition(".")
        if not line.isdecimal() or not (file or "0").isdecimal():
            raise InvalidRequestError(f"`{text}` is no position in a log", hint="take one that the marks gave")
        return cls(int(file or 0), int(line))

    def __str__(self) -> str:
        return f"{self.file}.{self.line}" if self.file else str(self.line)


@dataclass(frozen=True, slots=True)
class LogOutline:
    """How many lines there are, and where each window of them begins."""

    total: int
    marks: Sequence[tuple[int, LogPosition]]
    """Of each window how many lines lie before it, and the position to read it from."""
    end: LogPosition


def outline_of(stored: LogMarks, after: int, step: int) -> LogOutline:
    """Return the windows of stored lines behind a position."""
    starts = (after, *stored.positions)
    marks = [(at * step, LogPosition(0, start)) for at, start in enumerate(starts) if at * step < stored.total]
    return LogOutline(stored.total, marks, LogPosition(0, stored.end))


class LogWindows:
    """Reads the log of an execution in pieces of any place.

    Args:
        queries: Where lines are read.
        storage: Where those are that are kept as files.
    """

    def __init__(self, queries: ExecutionQueries, storage: ObjectStorage) -> None:
        self._queries = queries
        self._storage = storage

    async def outline(
        self, tenant: str, execution_id: str, wanted: LogSelection, after: LogPosition, step: int
    ) -> LogOutline:
        """Return where the windows of at most `step` lines behind a position begin.

        Raises:
            NotFoundError: There is no such execution.
        """
        files = await self._files(tenant, execution_id, wanted)
        stored = LogMarks(0, (), after.line)
        if after.file == 0:
            stored = await self._queries.log_marks(execution_id, wanted, after=after.line, step=step)
        outline = outline_of(stored, after.line, step)
        total, marks, end = outline.total, [*outline.marks], after if after.file else outline.end
        for file in files:
            lines = await self._after(file, wanted, after)
            starts = (0, *(lines[at - 1][0] for at in range(step, len(lines), step)))
            marks += [(total + at * step, LogPosition(file.number, start)) for at, start in enumerate(starts) if lines]
            total += len(lines)
            end = LogPosition(file.number, lines[-1][0]) if lines else end
        return LogOutline(total, marks, end)

    async def window(
        self, tenant: str, execution_id: str, wanted: LogSelection, after: LogPosition, limit: int
    ) -> Sequence[LogLine]:
        """Return the lines behind a position.

        Raises:
            NotFoundError: There is no such execution.
        """
        if await self._queries.head(tenant, execution_id) is None:
            raise missing_execution(execution_id)
        lines: list[LogLine] = []
        if after.file == 0:
            found, _ = await self._queries.logs_of(execution_id, wanted, after=after.line, limit=limit)
            lines += found
        if len(lines) == limit:
            return lines  # without having read all task runs to know the files
        for file in await self._files(tenant, execution_id, wanted):
            behind = await self._after(file, wanted, after)
            lines += (line for _, line in islice(behind, limit - len(lines)))
        return lines

    async def last(self, tenant: str, execution_id: str, wanted: LogSelection, limit: int) -> Sequence[LogLine]:
        """Return the last lines.

        Raises:
            NotFoundError: There is no such execution.
        """
        lines: list[LogLine] = []
        for file in reversed(await self._files(tenant, execution_id, wanted)):
            if len(lines) < limit:
                lines = [line for _, line in await self._after(file, wanted, LogPosition())] + lines
        if len(lines) < limit:
            lines = [*await self._queries.last_logs(execution_id, wanted, limit - len(lines)), *lines]
        return lines[-limit:]

    async def counts(self, tenant: str, execution_id: str, wanted: LogSelection) -> Sequence[LogCount]:
        """Return how many lines each task run wrote.

        Raises:
            NotFoundError: There is no such execution.
        """
        files = await self._files(tenant, execution_id, wanted)
        counts = {one.task_run_id: one for one in await self._queries.log_counts(execution_id, wanted)}
        for file in files:
            like = file.like
            known = counts.get(like.task_run_id, LogCount(like.task_run_id, like.task_id, 0))
            lines = await file_lines(self._storage, file, wanted)
            counts[like.task_run_id] = replace(known, count=known.count + len(lines))
        return [one for one in counts.values() if one.count]

    async def _after(self, file: LogFile, wanted: LogSelection, after: LogPosition) -> Sequence[tuple[int, LogLine]]:
        if file.number < after.file:
            return ()
        skipped = after.line if file.number == after.file else 0
        return [one for one in await file_lines(self._storage, file, wanted) if one[0] > skipped]

    async def _files(self, tenant: str, execution_id: str, wanted: LogSelection) -> Sequence[LogFile]:
        found: tuple[Execution, Sequence[TaskRun]] | None = await self._queries.get(tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        return log_files(*found, wanted)
