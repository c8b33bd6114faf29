"""How much room records take, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from penstock.base.clock import Instant
from penstock.ports.queries import Filter


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table with its indexes."""

    name: str
    rows: int
    bytes: int | None
    """None where the database cannot tell."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one execution has of one kind of record, or its files."""

    name: str
    count: int
    bytes: int
    """Of the values as they are stored, without indexes."""


class SizeStore(Protocol):
    """Counts and sizes, for people; each call may take a while on a large database."""

    async def tables(self) -> Sequence[TableSize]:
        """Return all tables, the largest first."""
        ...

    async def total(self) -> int:
        """Return the bytes of the whole database, room that is free included."""
        ...

    async def created_since(self, since: Instant) -> tuple[int, int]:
        """Return how many executions were created, and how many log lines written, since then."""
        ...

    async def of(self, execution_id: str) -> Sequence[Part]:
        """Return what an execution has of each kind of record, the largest first."""
        ...

    async def oldest(self) -> Instant | None:
        """Return when the oldest execution was created; None when there is none."""
        ...

    async def ended_until(
        self, tenant: str, filters: Sequence[Filter], until: Instant, unless: Sequence[Sequence[Filter]]
    ) -> int:
        """Return how many executions `PurgeStore.ended` would give."""
        ...

    async def lines_until(
        self, tenant: str, filters: Sequence[Filter], until: Instant, unless: Sequence[Sequence[Filter]]
    ) -> int:
        """Return how many log lines `PurgeStore.old_lines` would give."""
        ...
