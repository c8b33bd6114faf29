"""What is set for all flows of a namespace; one exists as soon as a flow declares it, with or without settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from penstock.base.clock import Instant


class Namespace(msgspec.Struct, frozen=True, omit_defaults=True):
    """Settings of one namespace (ENG-018, API-105). Namespaces below it inherit variables and plugin defaults."""

    tenant: str
    id: str
    description: str | None = None
    variables: Mapping[str, Any] = {}
    """Read as `namespace.<key>` in expressions (ENG-022, EXP-020)."""
    plugin_defaults: Sequence[Mapping[str, Any]] = ()
    """As written in a flow's `pluginDefaults` (ENG-320)."""
    created: Instant = 0
    updated: Instant = 0


class NamespaceStore(Protocol):
    """Settings by namespace."""

    async def find(self, tenant: str, ids: Sequence[str]) -> Sequence[Namespace]:
        """Return the settings there are of these namespaces, in the order of their names."""
        ...

    async def all(self, tenant: str | None = None) -> Sequence[Namespace]:
        """Return the settings of all namespaces, of one tenant or all, in the order of their names."""
        ...

    async def save(self, namespace: Namespace) -> None:
        """Insert or replace settings; the creation date of what is replaced stays."""
        ...

    async def delete(self, tenant: str, namespace_id: str) -> bool:
        """Forget the settings of a namespace; False when there were none."""
        ...
