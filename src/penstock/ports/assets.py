"""Where it is kept what flows use and make: assets, their uses, and what was made of what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from penstock.base.clock import Instant
from penstock.ports.queries import Filter, Page, PageRequest


@dataclass(frozen=True, slots=True)
class Asset:
    """A table, a file, a machine: whatever flows use or make (GOV-333)."""

    id: str
    type: str
    namespace: str = ""
    """Empty for what belongs to none."""
    display_name: str | None = None
    description: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    created: Instant = 0
    updated: Instant = 0
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class AssetEvent:
    """A task run that used or made assets (GOV-336)."""

    task_run_id: str
    namespace: str
    flow_id: str
    flow_revision: int
    execution_id: str
    task_id: str
    state: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    created: Instant
    started: Instant
    ended: Instant


@dataclass(frozen=True, slots=True)
class AssetUse:
    """One asset in the hands of one task run."""

    asset_id: str
    namespace: str
    flow_id: str
    flow_revision: int
    execution_id: str
    task_id: str
    task_run_id: str
    is_output: bool
    created: Instant


class AssetStore(Protocol):
    """Assets of tenants, and what happened to them."""

    async def get(self, tenant: str, asset_id: str, *, deleted: bool = False) -> Asset | None:
        """Return an asset; one that is deleted only when asked for."""
        ...

    async def save(self, tenant: str, asset: Asset) -> Asset:
        """Insert an asset or replace one, which keeps the date of its creation; one that was deleted is there again."""
        ...

    async def record(self, tenant: str, used: Sequence[Asset], made: Sequence[Asset], event: AssetEvent) -> None:
        """Take note of a task run: assets it made are saved, those it used are added when they are not there yet.

        A second time changes nothing.
        """
        ...

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[Asset]:
        """Return a page of assets, by id unless asked otherwise."""
        ...

    async def uses(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[AssetUse]:
        """Return a page of uses, the latest first unless asked otherwise."""
        ...

    async def events(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[AssetEvent]:
        """Return a page of events, the latest first unless asked otherwise."""
        ...

    async def uses_beside(self, tenant: str, asset_ids: Sequence[str]) -> Sequence[AssetUse]:
        """Return the uses of all task runs that used or made one of these assets."""
        ...

    async def delete(self, tenant: str, filters: Sequence[Filter], *, purge: bool = False) -> int:
        """Mark assets deleted, or remove them for good, and return how many."""
        ...

    async def delete_uses(self, tenant: str, filters: Sequence[Filter]) -> int:
        """Remove uses and return how many."""
        ...

    async def delete_events(self, tenant: str, filters: Sequence[Filter]) -> int:
        """Remove events and return how many."""
        ...
