"""How full the concurrency limits of flows are, for people.

Implements the `concurrency-limit` endpoints of API-100 and the figures of ENG-255. The numbers are counted from live
executions whenever they are asked for; there is no counter that could be wrong (BEY-003).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.base.errors import NotFoundError, PenstockError
from penstock.ports.flows import FlowStore
from penstock.ports.journal import Journal
from penstock.services.flows import FlowCatalog


@dataclass(frozen=True, slots=True)
class ConcurrencyLimit:
    """A flow with a limit, and what it amounts to at this moment."""

    tenant: str
    namespace: str
    flow_id: str
    running: int
    queued: int
    limit: int | None
    pool: str | None
    behavior: str


class ConcurrencyLimits:
    """Reads the limits of flows.

    Args:
        flows: Where flows are stored.
        catalog: Flows ready to run.
        journal: Tells which executions live.
    """

    def __init__(self, flows: FlowStore, catalog: FlowCatalog, journal: Journal) -> None:
        self._flows = flows
        self._catalog = catalog
        self._journal = journal

    async def all(self, tenant: str) -> Sequence[ConcurrencyLimit]:
        """Return all flows with a limit, by namespace and id."""
        found = []
        for stored in await self._flows.all_latest(tenant):
            if "concurrency" not in stored.source:  # most have none, and need not be parsed
                continue
            try:
                found.append(await self.of(tenant, stored.namespace, stored.id))
            except PenstockError:
                continue  # it has none after all, or is no valid flow any more
        return sorted(found, key=lambda one: (one.namespace, one.flow_id))

    async def of(self, tenant: str, namespace: str, flow_id: str) -> ConcurrencyLimit:
        """Return the limit of a flow.

        Raises:
            NotFoundError: There is no such flow, or it has no limit.
        """
        flow = await self._catalog.resolved(tenant, namespace, flow_id)
        if flow.concurrency is None:
            raise NotFoundError(
                f"flow {namespace}.{flow_id} has no concurrency limit", hint="add `concurrency` to the flow"
            )
        occupied = await self._journal.occupancy(tenant, namespace, flow_id)
        return ConcurrencyLimit(
            tenant=tenant,
            namespace=namespace,
            flow_id=flow_id,
            running=len(occupied.running),
            queued=len(occupied.queued),
            limit=flow.concurrency.get("limit"),
            pool=flow.concurrency.get("pool"),
            behavior=str(flow.concurrency.get("behavior", "QUEUE")),
        )
