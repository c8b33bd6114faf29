"""Where the executor and the gateways get flows from that are ready to run."""

from __future__ import annotations

from typing import Protocol

from penstock.engine.flow import ResolvedFlow


class FlowSource(Protocol):
    """Resolved flows by revision."""

    def cached(self, tenant: str, namespace: str, flow_id: str, revision: int | None = None) -> ResolvedFlow | None:
        """Return a resolved revision (the latest by default) when it is in memory."""
        ...

    async def resolved(self, tenant: str, namespace: str, flow_id: str, revision: int | None = None) -> ResolvedFlow:
        """Return a resolved revision (the latest by default); raises NotFoundError."""
        ...
