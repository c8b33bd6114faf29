"""Where the executor and the gateways get flows from that are ready to run."""

from __future__ import annotations

from typing import Protocol

from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import NO_PINS, Pins


class FlowSource(Protocol):
    """Resolved flows by revision, and by those of the flows they call (`Execution.pins`)."""

    def cached(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, pins: Pins = NO_PINS
    ) -> ResolvedFlow | None:
        """Return a resolved revision (the latest by default) when it is in memory."""
        ...

    async def resolved(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, pins: Pins = NO_PINS
    ) -> ResolvedFlow:
        """Return a resolved revision (the latest by default); raises NotFoundError."""
        ...
