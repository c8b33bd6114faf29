"""Flows ready to run, in memory: nothing is parsed twice, and nothing at all while an execution waits.

A revision never changes, so what is resolved stays valid; only the pointer to the latest revision can be outdated. It
is dropped when a notification says that the flow changed, and looked up again now and then in case one got lost.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable

from penstock.base.clock import SECOND, Clock, Instant, Micros
from penstock.base.errors import NotFoundError
from penstock.engine.flow import ResolvedFlow
from penstock.ports.flows import FlowStore, StoredFlow
from penstock.ports.notifier import Notifier

FlowKey = tuple[str, str, str]
"""(tenant, namespace, flow id)."""
_Revision = tuple[FlowKey, int, Hashable]
Stamp = Callable[[str, str], Hashable]
"""What the settings of a namespace are known by; by tenant and namespace."""

Resolve = Callable[[StoredFlow], ResolvedFlow]
"""Parses and resolves a stored revision; raises InvalidFlow."""


def missing_flow(namespace: str, flow_id: str, revision: int | None = None) -> NotFoundError:
    """Return the error for a flow, or a revision of it, that does not exist."""
    which = f"flow {namespace}.{flow_id}" if revision is None else f"revision {revision} of flow {namespace}.{flow_id}"
    return NotFoundError(f"there is no {which}")


class FlowCatalog:
    """Resolved flows by revision.

    Implements ENG-025, ENG-120.

    Args:
        flows: Where revisions are stored.
        resolve: Makes a resolved flow of a stored one; called in a thread.
        clock: Tells how old a pointer to a latest revision is.
        capacity: Resolved revisions kept.
        stamp: Changes whenever what holds for the flows of a namespace from outside changes.
        freshness: How long such a pointer is trusted without a notification.
    """

    def __init__(
        self,
        flows: FlowStore,
        resolve: Resolve,
        clock: Clock,
        *,
        stamp: Stamp = lambda *_: (),
        capacity: int = 1000,
        freshness: Micros = 10 * SECOND,
    ) -> None:
        self._flows = flows
        self._resolve = resolve
        self._clock = clock
        self._stamp = stamp
        self._capacity = capacity
        self._freshness = freshness
        self._resolved: OrderedDict[_Revision, ResolvedFlow] = OrderedDict()
        self._latest: dict[FlowKey, tuple[int, Instant]] = {}
        self._building: dict[_Revision, asyncio.Task[ResolvedFlow]] = {}
        self._changes = 0

    def cached(self, tenant: str, namespace: str, flow_id: str, revision: int | None = None) -> ResolvedFlow | None:
        """Return a resolved revision (the latest by default) when it is in memory."""
        key = (tenant, namespace, flow_id)
        if revision is None:
            pointer = self._latest.get(key)
            if pointer is None or self._clock.now() - pointer[1] > self._freshness:
                return None
            revision = pointer[0]
        kept = (key, revision, self._stamp(tenant, namespace))
        found = self._resolved.get(kept)
        if found is not None:
            self._resolved.move_to_end(kept)
        return found

    async def resolved(self, tenant: str, namespace: str, flow_id: str, revision: int | None = None) -> ResolvedFlow:
        """Return a resolved revision, the latest by default.

        Raises:
            NotFoundError: There is no such flow or revision.
            InvalidFlow: What is stored is no valid flow (any more).
        """
        found = self.cached(tenant, namespace, flow_id, revision)
        if found is not None:
            return found
        asked, changes = self._clock.now(), self._changes
        stored = await self._flows.get(tenant, namespace, flow_id, revision, deleted=revision is not None)
        if stored is None:
            raise missing_flow(namespace, flow_id, revision)
        key = (tenant, namespace, flow_id)
        if revision is None and changes == self._changes:  # else what was read may be outdated already
            self._latest[key] = (stored.revision, asked)
        return await self._resolved_once((key, stored.revision, self._stamp(tenant, namespace)), stored)

    def forget(self, tenant: str, namespace: str, flow_id: str) -> None:
        """Look the latest revision up again when it is asked for next."""
        self._changes += 1
        self._latest.pop((tenant, namespace, flow_id), None)

    async def follow(self, notifier: Notifier) -> None:
        """Forget pointers as flows change anywhere; runs until it is cancelled."""
        async with notifier.subscribe("flows") as changes:
            self._changes += 1
            self._latest.clear()
            async for _, payload in changes:
                tenant, _, rest = payload.partition("/")
                namespace, _, flow_id = rest.partition("/")
                self.forget(tenant, namespace, flow_id)

    async def _resolved_once(self, revision: _Revision, stored: StoredFlow) -> ResolvedFlow:
        """Return the revision resolved, however many ask for it at the same time."""
        found = self._resolved.get(revision)
        if found is not None:
            return found
        task = self._building.get(revision)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(self._resolve, stored), name=f"resolve {stored.id}")
            self._building[revision] = task
            task.add_done_callback(lambda done: self._keep(revision, done))
        return await asyncio.shield(task)

    def _keep(self, revision: _Revision, task: asyncio.Task[ResolvedFlow]) -> None:
        self._building.pop(revision, None)
        if task.cancelled() or task.exception() is not None:
            return
        self._resolved[revision] = task.result()
        while len(self._resolved) > self._capacity:
            self._resolved.popitem(last=False)
