"""Reading executions, task runs, logs and metrics, for people: pages, filters, single records; off the hot path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from penstock.base.clock import Instant
from penstock.engine.records import Execution, LogLine, Metric, TaskRun

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a search: `filters[<field>][<operation>]=<value>` (API-009, API-010)."""

    field: str
    operation: str
    value: Any


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page, in which order (API-008)."""

    page: int = 1
    size: int = 10
    sort: Sequence[tuple[str, bool]] = ()
    """(field, ascending)."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some results and how many there are in all."""

    results: Sequence[T]
    total: int
    is_exact: bool = True
    """Whether there are as many as `total` says; there may be more otherwise."""


@dataclass(frozen=True, slots=True)
class LogSelection:
    """Which lines of an execution are wanted."""

    min_level: str | None = None
    task_run_id: str | None = None
    task_id: str | None = None
    attempt: int | None = None
    text: str | None = None
    """A part of the message, in any case of letters."""
    of_execution: bool = False
    """Only what no task run wrote."""


ALL_LINES = LogSelection()


@dataclass(frozen=True, slots=True)
class LogMarks:
    """How many lines there are, and the position behind every so many of them."""

    total: int
    positions: Sequence[int]
    end: int
    """The position behind the last line."""


@dataclass(frozen=True, slots=True)
class LogCount:
    """How many lines a task run wrote; those of none belong to the execution itself."""

    task_run_id: str | None
    task_id: str | None
    count: int


class ExecutionQueries(Protocol):
    """Reads of executions and what belongs to them."""

    async def get(self, tenant: str, execution_id: str) -> tuple[Execution, Sequence[TaskRun]] | None:
        """Return one execution with its task runs in creation order; None when there is none."""
        ...

    async def head(self, tenant: str, execution_id: str) -> Execution | None:
        """Return one execution without its task runs."""
        ...

    async def search(
        self, tenant: str, filters: Sequence[Filter], page: PageRequest, *, bodies: bool = True
    ) -> Page[Execution]:
        """Return executions without their task runs, newest first unless asked otherwise.

        Without `bodies` they have no inputs, outputs and variables, and nothing else that may be large: it is not read.
        """
        ...

    async def task_runs(self, execution_ids: Sequence[str]) -> Mapping[str, Sequence[TaskRun]]:
        """Return the task runs of several executions."""
        ...

    async def outputs(self, execution_id: str, task_id: str) -> Sequence[TaskRun]:
        """Return the task runs of one task that have outputs (for lazy contexts)."""
        ...

    async def latest(self, tenant: str, flows: Sequence[tuple[str, str]], count: int = 1) -> Sequence[Execution]:
        """Return the newest executions of each (namespace, flow id) without bodies, newest first."""
        ...

    async def children(self, tenant: str, execution_id: str) -> Sequence[Execution]:
        """Return the executions whose end an execution waits for, or waited for, oldest first."""
        ...

    async def logs(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[LogLine]:
        """Return log lines, oldest first unless asked otherwise; their number is exact where there are few."""
        ...

    async def logs_of(
        self,
        execution_id: str,
        wanted: LogSelection = ALL_LINES,
        *,
        after: int = 0,
        limit: int = 10_000,
    ) -> tuple[Sequence[LogLine], int]:
        """Return an execution's lines in order after a position, and the position to go on from (for following)."""
        ...

    async def last_logs(self, execution_id: str, wanted: LogSelection, limit: int) -> Sequence[LogLine]:
        """Return the last lines of an execution, in order."""
        ...

    async def log_marks(self, execution_id: str, wanted: LogSelection, *, after: int, step: int) -> LogMarks:
        """Return where the windows of `step` lines behind a position end, so that each can be read by itself."""
        ...

    async def log_counts(self, execution_id: str, wanted: LogSelection) -> Sequence[LogCount]:
        """Return how many lines each task run of an execution wrote, in the order of their first lines."""
        ...

    async def metrics_of(self, execution_id: str) -> Sequence[Metric]:
        """Return the metrics of an execution."""
        ...

    async def fired(self, firing_key: str) -> Execution | None:
        """Return the execution with a firing key; None when there is none."""
        ...

    async def forget_firing(self, firing_key: str, before: Instant) -> None:
        """Take a firing key off its execution when that was created before then, so that another one may have it."""
        ...

    async def delete(self, tenant: str, execution_id: str, *, logs: bool, metrics: bool) -> bool:
        """Remove an ended execution with its task runs, timers and messages; False when there was none."""
        ...

    async def delete_logs(
        self, tenant: str, execution_id: str, min_level: str | None = None, task_run_id: str | None = None
    ) -> int:
        """Remove log lines of an execution; returns how many."""
        ...

    async def delete_trigger_logs(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> int:
        """Remove the log lines of a trigger; returns how many."""
        ...

    async def counts(self, tenant: str) -> Mapping[str, int]:
        """Return how many executions there are by state."""
        ...

    async def open_by_namespace(self, tenant: str) -> Mapping[str, int]:
        """Return how many executions have not ended, by namespace; those without any are left out."""
        ...

    async def created_since(self, tenant: str, namespace: str, flow_id: str, since: Instant) -> int:
        """Return how many executions of a flow were created since then."""
        ...
