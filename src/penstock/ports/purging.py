"""Removing old records for good, a bounded number of rows in each transaction, so that nobody waits for a purge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from penstock.base.clock import Instant
from penstock.ports.queries import Filter

Position = tuple[Instant, str]
"""Where a walk over ended executions is: (end, id) of the last one seen."""
BEGINNING: Position = (0, "")


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
        self, tenant: str, filters: Sequence[Filter], until: Instant | None, after: Position, limit: int
    ) -> Sequence[EndedExecution]:
        """Return executions that have ended, until then, and fit: the oldest ends first, from behind a position on."""
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
