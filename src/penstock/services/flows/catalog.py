"""Flows ready to run, in memory: nothing is parsed twice, and nothing at all while an execution waits.

A revision never changes, so what is resolved stays valid; only the pointer to the latest revision can be outdated. It
is dropped when a notification says that the flow changed, and looked up again now and then in case one got lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping

from penstock.base.clock import SECOND, Clock, Instant, Micros
from penstock.base.errors import ConflictError, NotFoundError
from penstock.base.recent import Recent
from penstock.engine.flow import CallKind, InnerCall, ResolvedFlow
from penstock.engine.linking import linked
from penstock.engine.records import NO_PINS, Pins
from penstock.ports.flows import FlowKey, FlowRevisions, StoredFlow
from penstock.ports.notifier import Notifier
from penstock.ports.switches import SwitchReads
from penstock.services.flows.switching import FlowSwitches

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
    """Resolved flows by revision, with the tasks of the flows they call and of templates linked in.

    Each is as this instance runs it: what people say of it here counts more than its source (`switches`).

    Implements ENG-025, ENG-120, BEY-008, BEY-037, BEY-041 in part.

    Args:
        flows: Where revisions are stored.
        resolve: Makes a resolved flow of a stored one; called in a thread.
        clock: Tells how old a pointer to a latest revision is.
        capacity: Resolved revisions kept, and pointers to the latest.
        stamp: Changes whenever what holds for the flows of a namespace from outside changes.
        freshness: How long such a pointer is trusted without a notification.
        templates: Templates in the form of flows; without them no flow may use any.
        switches: What people say of flows here; the sources alone count without.
    """

    def __init__(
        self,
        flows: FlowRevisions,
        resolve: Resolve,
        clock: Clock,
        *,
        stamp: Stamp = lambda *_: (),
        capacity: int = 1000,
        freshness: Micros = 10 * SECOND,
        templates: FlowCatalog | None = None,
        switches: SwitchReads | None = None,
    ) -> None:
        self._flows = flows
        self._resolve = resolve
        self._clock = clock
        self._stamp = stamp
        self._freshness = freshness
        self._templates = templates
        self._switches = FlowSwitches(switches, clock, freshness, capacity) if switches is not None else None
        self._linked: Recent[tuple[ResolvedFlow, ...], ResolvedFlow] = Recent(capacity)
        self._resolved: Recent[_Revision, ResolvedFlow] = Recent(capacity)
        self._latest: Recent[FlowKey, tuple[int, Instant]] = Recent(capacity)
        self._building: dict[_Revision, asyncio.Task[ResolvedFlow]] = {}
        self._changes = 0

    def cached(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, pins: Pins = NO_PINS
    ) -> ResolvedFlow | None:
        """Return a resolved revision (the latest by default) when it is in memory, and so is what it calls."""
        flow = self.own_cached(tenant, namespace, flow_id, revision)
        if flow is None or not flow.calls:
            return flow
        return self._with_calls_cached(flow, pins, ())

    def own_cached(self, tenant: str, namespace: str, flow_id: str, revision: int | None = None) -> ResolvedFlow | None:
        """Return a revision whose calls are not linked yet when it is in memory."""
        key = (tenant, namespace, flow_id)
        if revision is None:
            pointer = self._latest.get(key)
            if pointer is None or self._clock.now() - pointer[1] > self._freshness:
                return None
            revision = pointer[0]
        found = self._resolved.get((key, revision, self._stamp(tenant, namespace)))
        return found if found is None or self._switches is None else self._switches.cached(found)

    async def resolved(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, pins: Pins = NO_PINS
    ) -> ResolvedFlow:
        """Return a resolved revision, the latest by default.

        Args:
            tenant: Whose flow it is.
            namespace: Its namespace.
            flow_id: Its id.
            revision: Its revision.
            pins: Revisions of what it calls; the latest of those not in it.

        Raises:
            NotFoundError: There is no such flow or revision, or none of one that it calls.
            ConflictError: What it calls cannot run inside it.
            InvalidFlow: What is stored is no valid flow (any more).
        """
        flow = await self.own(tenant, namespace, flow_id, revision)
        return await self._with_calls(flow, pins, ()) if flow.calls else flow

    async def own(self, tenant: str, namespace: str, flow_id: str, revision: int | None = None) -> ResolvedFlow:
        """Return a revision whose calls are not linked yet; raises like `resolved`."""
        found = self.own_cached(tenant, namespace, flow_id, revision)
        if found is not None:
            return found
        asked, changes = self._clock.now(), self._changes
        stored = await self._flows.get(tenant, namespace, flow_id, revision, deleted=revision is not None)
        if stored is None:
            raise missing_flow(namespace, flow_id, revision)
        key = (tenant, namespace, flow_id)
        if revision is None and changes == self._changes:  # else what was read may be outdated already
            self._latest.put(key, (stored.revision, asked))
        flow = await self._resolved_once((key, stored.revision, self._stamp(tenant, namespace)), stored)
        return flow if self._switches is None else await self._switches.applied(flow)

    @property
    def templates(self) -> FlowCatalog | None:
        """The templates that flows may use; None where they are not enabled."""
        return self._templates

    def stamp(self, tenant: str, namespace: str) -> Hashable:
        """Return what changes whenever what holds for the flows of a namespace from outside changes."""
        return self._stamp(tenant, namespace)

    def forget(self, tenant: str, namespace: str, flow_id: str) -> None:
        """Look the latest revision up again when it is asked for next."""
        self._changes += 1
        self._latest.forget((tenant, namespace, flow_id))
        if self._switches is not None:
            self._switches.forget((tenant, namespace, flow_id))

    async def follow(self, notifier: Notifier) -> None:
        """Forget pointers as flows and templates change anywhere; runs until it is cancelled."""
        catalogs = {"flows": self} if self._templates is None else {"flows": self, "templates": self._templates}
        async with notifier.subscribe(*catalogs) as changes:
            for catalog in catalogs.values():
                catalog.forget_all()
            async for topic, payload in changes:
                tenant, _, rest = payload.partition("/")
                namespace, _, flow_id = rest.partition("/")
                catalogs[topic].forget(tenant, namespace, flow_id)

    def forget_all(self) -> None:
        """Look all latest revisions up again when they are asked for next."""
        self._changes += 1
        self._latest.clear()
        if self._switches is not None:
            self._switches.forget_all()

    async def _with_calls(self, flow: ResolvedFlow, pins: Pins, around: tuple[InnerCall, ...]) -> ResolvedFlow:
        """Return a flow with what it calls linked in, however deep."""
        targets: dict[str, ResolvedFlow] = {}
        for call in flow.calls:
            catalog = self._catalog_of(flow, call, around)
            revision = call.revision or pins.get(call.pin)
            try:
                target = await catalog.own(flow.tenant, call.namespace, call.id, revision)
            except NotFoundError as error:
                raise NotFoundError(
                    f"task `{call.task_id}` of {flow.namespace}.{flow.id} runs what is not there: {error.message}"
                ) from error
            targets[call.task_id] = await self._with_calls(target, pins, (*around, call)) if target.calls else target
        return self._linked_once(flow, targets)

    def _with_calls_cached(self, flow: ResolvedFlow, pins: Pins, around: tuple[InnerCall, ...]) -> ResolvedFlow | None:
        """Return the same when all of it is in memory."""
        targets: dict[str, ResolvedFlow] = {}
        for call in flow.calls:
            catalog = self._catalog_of(flow, call, around)
            revision = call.revision or pins.get(call.pin)
            target = catalog.own_cached(flow.tenant, call.namespace, call.id, revision)
            if target is not None and target.calls:
                target = self._with_calls_cached(target, pins, (*around, call))
            if target is None:
                return None
            targets[call.task_id] = target
        return self._linked_once(flow, targets)

    def _catalog_of(self, flow: ResolvedFlow, call: InnerCall, around: tuple[InnerCall, ...]) -> FlowCatalog:
        """Return where the target of a call is found.

        Raises:
            ConflictError: It is under way already, or templates are not enabled.
        """
        if any(one.pin == call.pin for one in around):
            names = " -> ".join(one.pin for one in (*around, call))
            raise ConflictError(f"calls go round in a circle: {names}", hint="take one of these calls out")
        if call.kind is CallKind.FLOW:
            return self
        if self._templates is None:
            raise ConflictError(
                f"task `{call.task_id}` of {flow.namespace}.{flow.id} uses a template, and templates are not enabled",
                hint="set `kestra.templates.enabled: true`, or call a flow instead",
            )
        return self._templates

    def _linked_once(self, flow: ResolvedFlow, targets: Mapping[str, ResolvedFlow]) -> ResolvedFlow:
        """Return a flow with its targets linked in; the same parts give the same whole."""
        return self._linked.of((flow, *targets.values()), lambda: linked(flow, targets))

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
        if not task.cancelled() and task.exception() is None:
            self._resolved.put(revision, task.result())
