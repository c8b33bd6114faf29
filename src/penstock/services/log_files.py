"""Logs of attempts that are files of internal storage (`logToFile`): which there are, and their lines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from penstock.base.errors import NotFoundError
from penstock.engine.records import Execution, LogLine, TaskRun
from penstock.ports.objects import ObjectStorage, path_of
from penstock.ports.queries import LogSelection
from penstock.services.log_text import lines_of

LEVELS = ("ERROR", "WARN", "INFO", "DEBUG", "TRACE")
"""From the most to the least severe."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """The log of one attempt, kept as a file."""

    number: int
    """Which of the execution's log files it is, from 1; the same in every selection."""
    uri: str
    like: LogLine
    """What every line of the file has in common."""


def log_files(execution: Execution, runs: Sequence[TaskRun], wanted: LogSelection) -> list[LogFile]:
    """Return the log files of an execution that may hold wanted lines."""
    filed = [
        (run, number, attempt.log_file)
        for run in runs
        for number, attempt in enumerate(run.attempts, 1)
        if attempt.log_file is not None
    ]
    return [
        LogFile(at, uri, _like(execution, run, number))
        for at, (run, number, uri) in enumerate(filed, 1)
        if not wanted.of_execution
        and wanted.task_run_id in (None, run.id)
        and wanted.task_id in (None, run.task_id)
        and wanted.attempt in (None, number)
    ]


async def file_lines(storage: ObjectStorage, file: LogFile, wanted: LogSelection) -> Sequence[tuple[int, LogLine]]:
    """Return the wanted lines, each with its number in the file; none when the file has been removed."""
    try:
        content = await storage.read(file.like.tenant, path_of(file.uri))
    except NotFoundError:
        return ()
    return await asyncio.to_thread(lambda: list(_lines(content.decode(errors="replace"), file.like, wanted)))


def _lines(text: str, like: LogLine, wanted: LogSelection) -> Iterator[tuple[int, LogLine]]:
    levels = LEVELS[: LEVELS.index(wanted.min_level) + 1] if wanted.min_level else LEVELS
    looked_for = (wanted.text or "").casefold()
    for number, line in enumerate(lines_of(text, like), 1):
        if line.level in levels and looked_for in line.message.casefold():
            yield number, line


def _like(execution: Execution, run: TaskRun, attempt: int) -> LogLine:
    return LogLine(
        tenant=execution.tenant,
        namespace=execution.namespace,
        flow_id=execution.flow_id,
        date=0,
        level="INFO",
        message="",
        execution_id=execution.id,
        task_id=run.task_id,
        task_run_id=run.id,
        attempt=attempt,
        kind=execution.kind,
    )
