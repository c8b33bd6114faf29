"""Removing old records for good, a bounded number of rows in each transaction, so that nobody waits for a purge."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from penstock.base.clock import Instant
from penstock.ports.queries import Filter

Position = tuple[Instant, str]
"""Where a walk over ended executions is: (end, id) of the last one seen."""
BEGINNING: Position = (0, "")
LinePosition = tuple[Instant, int]
"""Where a walk over log lines is: (date, number) of the last one seen; the number names the line."""
FIRST_LINE: LinePosition = (0, 0)


@dataclass(frozen=True, slots=True)
class EndedExecution:
    """An execution that may be removed."""

    id: str
    namespace: str
    flow_id: str
    end: Instant

    @property
    def position(self) -> Position:
        """Where a walk is that has seen it."""
        return self.end, self.id


class PurgeStore(Protocol):
    """Rows that go for good. Each call is one transaction that removes at most `limit` rows; 0 means that none is left.

    Task runs and executions that have begun to run again since they were looked up stay.
    """

    async def ended(
        self,
        tenant: str,
        filters: Sequence[Filter],
        until: Instant | None,
        after: Position,
        limit: int,
        unless: Sequence[Sequence[Filter]] = (),
    ) -> Sequence[EndedExecution]:
        """Return executions that have ended, until then, and fit: the oldest ends first, from behind a position on.

        Those that fit all filters of one of `unless` are left out.
        """
        ...

    async def remove_logs_of(self, execution_ids: Sequence[str], limit: int) -> int:
        """Remove log lines of executions."""
        ...

    async def remove_metrics_of(self, execution_ids: Sequence[str], limit: int) -> int:
        """Remove metrics of executions."""
        ...

    async def remove_task_runs_of(self, execution_ids: Sequence[str], limit: int) -> int:
        """Remove task runs of executions."""
        ...

    async def remove(self, tenant: str, execution_ids: Sequence[str]) -> int:
        """Remove executions with their labels, timers and messages, and return how many executions there were.

        The caller bounds the rows by the number of ids.
        """
        ...

    async def remove_logs(self, tenant: str, filters: Sequence[Filter], limit: int) -> int:
        """Remove log lines that fit, those of triggers among them."""
        ...

    async def old_lines(
        self,
        tenant: str,
        filters: Sequence[Filter],
        until: Instant,
        after: LinePosition,
        limit: int,
        unless: Sequence[Sequence[Filter]] = (),
    ) -> Sequence[LinePosition]:
        """Return log lines written until then, the oldest first, from behind a position on.

        The filters are about executions: a line fits when its namespace and its execution do.
        """
        ...

    async def remove_lines(self, numbers: Sequence[int]) -> int:
        """Remove log lines by their numbers; the caller bounds how many."""
        ...

    async def known(self, tenant: str, execution_ids: Sequence[str]) -> Set[str]:
        """Return which of these executions exist."""
        ...

    async def fold_counts(self, before: Instant, limit: int) -> int:
        """Bring counts of ended executions of hours that are over to one row each; returns how many rows went."""
        ...

    async def reclaim(self, pages: int) -> int:
        """Give room that rows have left back to the disk, at most so many pages; returns how many there were."""
        ...
