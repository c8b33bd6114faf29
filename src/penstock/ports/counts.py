"""The counts of ended executions that lists and charts read, as somebody checks them who doubts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from penstock.base.clock import Instant


@dataclass(frozen=True, slots=True, order=True)
class WrongCount:
    """A count that is not what the executions themselves say."""

    tenant: str
    hour: Instant
    namespace: str
    flow_id: str
    kind: str
    state: str
    kept: int
    """How many executions are counted."""
    found: int
    """How many there are. When both are the same, the times they took are not."""


class CountKeeping(Protocol):
    """Checks counts."""

    async def wrong(self) -> Sequence[WrongCount]:
        """Count all executions that have ended, and return the counts that say something else."""
        ...

    async def recount(self) -> int:
        """Count all anew; returns how many counts were wrong. Nobody may end an execution meanwhile."""
        ...
