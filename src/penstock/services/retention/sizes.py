"""How large the database is, how fast it grows, and what a purge would free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.base.clock import Clock
from penstock.ports.sizes import SizeStore, TableSize
from penstock.services.retention.policy import DAY, Policy

_LOOKED_AT = 7 * DAY
"""Growth is what the last week brought."""
_OF_EXECUTIONS = frozenset({"executions", "execution_labels", "task_runs", "metrics"})
_OF_LINES = frozenset({"logs"})


@dataclass(frozen=True, slots=True)
class TableReport:
    """A table: its size, and by estimate its growth in a day and what a purge would free, in bytes."""

    name: str
    rows: int
    bytes: int | None
    growth: int | None
    freed: int | None


@dataclass(frozen=True, slots=True)
class SizeReport:
    """The whole database."""

    total: int
    tables: Sequence[TableReport]
    executions_due: int
    lines_due: int


@dataclass(frozen=True, slots=True)
class _Shares:
    """Which share of its rows a table gains in a day, and would lose to a purge."""

    growth: float
    due: float


class Sizes:
    """Tells how large the database is. Implements BEY-021.

    Args:
        store: Counts and measures.
        clock: The time.
        policy: What a purge would remove.
    """

    def __init__(self, store: SizeStore, clock: Clock, policy: Policy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    async def report(self, tenant: str) -> SizeReport:
        """Measure, count and estimate."""
        tables = await self._store.tables()
        rows = {table.name: table.rows for table in tables}
        all_executions, all_lines = rows["executions"], rows["logs"]
        executions_due, lines_due = await self._due(tenant)
        days = await self._days()
        executions, lines = await self._store.created_since(self._clock.now() - _LOOKED_AT)
        of_executions = _Shares(_share(executions, all_executions) / days, _share(executions_due, all_executions))
        of_lines = _Shares(_share(lines, all_lines) / days, _share(lines_due, all_lines))
        reports = [_report(table, of_executions, of_lines) for table in tables]
        return SizeReport(await self._store.total(), reports, executions_due, lines_due)

    async def _due(self, tenant: str) -> tuple[int, int]:
        now, executions, lines = self._clock.now(), 0, 0
        for part in self._policy.parts():
            rule = part.rule
            if rule.executions is not None:
                until = now - rule.executions
                executions += await self._store.ended_until(tenant, part.filters, until, part.unless)
            if rule.logs is not None:
                lines += await self._store.lines_until(tenant, part.filters, now - rule.logs, part.unless)
        return executions, lines

    async def _days(self) -> float:
        """Return how many days of the last week there are records of; a day at least."""
        oldest = await self._store.oldest()
        age = 0 if oldest is None else self._clock.now() - oldest
        return max(DAY, min(_LOOKED_AT, age)) / DAY


def _report(table: TableSize, of_executions: _Shares, of_lines: _Shares) -> TableReport:
    shares = of_executions if table.name in _OF_EXECUTIONS else of_lines if table.name in _OF_LINES else None
    if shares is None or table.bytes is None:
        return TableReport(table.name, table.rows, table.bytes, None, None)
    growth, freed = round(table.bytes * shares.growth), round(table.bytes * shares.due)
    return TableReport(table.name, table.rows, table.bytes, growth, freed)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
