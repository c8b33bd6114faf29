"""Outputs of earlier runs of tasks, kept to be used again (ENG-326)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from penstock.base.clock import Instant


@dataclass(frozen=True, slots=True)
class CacheKey:
    """What was run: a task of a flow, and a digest of its rendered properties, which may hold secrets."""

    tenant: str
    namespace: str
    flow_id: str
    task_id: str
    digest: str


class TaskCache(Protocol):
    """One entry per key, the last one stored; entries that have expired are absent and removed along the way."""

    async def get(self, key: CacheKey, since: Instant, now: Instant) -> Mapping[str, Any] | None:
        """Return the outputs stored under a key at `since` or later; None when there are none that are valid."""
        ...

    async def put(self, key: CacheKey, outputs: Mapping[str, Any], now: Instant, expires: Instant | None) -> None:
        """Store outputs; without `expires` they are kept until the next ones replace them."""
        ...
