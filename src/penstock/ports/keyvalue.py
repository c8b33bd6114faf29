"""The key-value store of a namespace (ENG-359 to ENG-368)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from penstock.base.clock import Instant
from penstock.ports.jobs import Held
from penstock.ports.queries import Filter, Page, PageRequest

TYPES = ("STRING", "NUMBER", "BOOLEAN", "DATETIME", "DATE", "DURATION", "JSON")


@dataclass(frozen=True, slots=True)
class KeyValue:
    """One pair; `value` is absent from lists."""

    namespace: str
    key: str
    type: str
    """One of `TYPES`."""
    value: Any
    version: int
    created: Instant
    updated: Instant
    expires: Instant | None = None
    description: str | None = None


class KeyValueStore(Protocol):
    """Pairs per namespace. An expired pair is absent."""

    async def get(self, tenant: str, namespace: str, key: str, now: Instant) -> KeyValue | None:
        """Return a pair with its value."""
        ...

    async def put(self, tenant: str, pair: KeyValue, *, overwrite: bool = True, held: Held | None = None) -> KeyValue:
        """Store a pair; the version is assigned here.

        Raises:
            ConflictError: It may not be overwritten.
            JobTaken: It is stored for an attempt that its worker does not have any more.
        """
        ...

    async def list(self, tenant: str, namespace: str | None, now: Instant, prefix: str = "") -> Sequence[KeyValue]:
        """Return pairs without their values, sorted by namespace and key."""
        ...

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest, now: Instant) -> Page[KeyValue]:
        """Return a page of pairs without their values, by namespace and key unless asked otherwise."""
        ...

    async def delete(self, tenant: str, namespace: str, key: str, now: Instant, *, held: Held | None = None) -> bool:
        """Remove a pair; False when there was none.

        Raises:
            JobTaken: It is removed for an attempt that its worker does not have any more.
        """
        ...

    async def purge(
        self,
        tenant: str,
        namespaces: Sequence[str],
        now: Instant,
        *,
        children: bool = True,
        expired_only: bool = True,
        limit: int = 1_000,
    ) -> int:
        """Remove some pairs for good, in one transaction, and return how many: 0 when there are no more.

        Args:
            tenant: Whose.
            namespaces: Where; with none given, everywhere.
            now: What is expired by then counts as such.
            children: Whether the namespaces below those given count too.
            expired_only: Whether pairs that are valid still are kept.
            limit: How many at most.
        """
        ...
