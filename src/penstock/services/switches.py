"""Flows and triggers enabled, disabled or paused on this instance, without a change of their sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from penstock.base.clock import Clock, Instant
from penstock.base.errors import InvalidRequestError
from penstock.engine.flow import ResolvedFlow
from penstock.model.document import FlowDocument
from penstock.ports.notifier import Notifier
from penstock.ports.switches import Switch, SwitchName, SwitchState, SwitchStore
from penstock.ports.triggers import TriggerState, TriggerStore
from penstock.services.flows import FlowCatalog
from penstock.services.scheduler.states import resuming
from penstock.services.triggers import TriggerService, missing_trigger

_LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True)
class SwitchOrder:
    """What somebody wants of flows and triggers."""

    state: SwitchState
    until: Instant | None = None
    reason: str | None = None

    def checked(self, now: Instant) -> SwitchOrder:
        """Return the order if it can be carried out.

        Raises:
            InvalidRequestError: A pause has no end to come, something else has one, or the reason is too long.
        """
        if self.state is SwitchState.PAUSED and (self.until is None or self.until <= now):
            raise InvalidRequestError(
                "a pause needs an end in the future", hint="give `until`, or disable it until it is resumed"
            )
        if self.state is not SwitchState.PAUSED and self.until is not None:
            raise InvalidRequestError(f"`until` is for pauses, not for {self.state}", hint="leave it out, or pause it")
        if self.reason is not None and len(self.reason) > _LONGEST_REASON:
            raise InvalidRequestError("the reason is too long", hint=f"use up to {_LONGEST_REASON} characters")
        return self


class SwitchService:
    """What people say of a tenant's flows and triggers. Implements BEY-041.

    Args:
        switches: Where that is stored.
        states: The states of triggers, which may be disabled by what Kestra's clients send, and by `stopAfter`.
        triggers: Changes those.
        catalog: The flows there are; forgets what it knew of one whose switch changes.
        notifier: Tells everybody else.
        clock: Dates switches, and tells which are over.
    """

    def __init__(
        self,
        switches: SwitchStore,
        states: TriggerStore,
        triggers: TriggerService,
        catalog: FlowCatalog,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._switches = switches
        self._states = states
        self._triggers = triggers
        self._catalog = catalog
        self._notifier = notifier
        self._clock = clock

    async def of_flows(self, tenant: str, flows: Sequence[tuple[str, str]]) -> Mapping[SwitchName, Switch]:
        """Return what is said of flows and their triggers, by name; what is over is not."""
        now, found = self._clock.now(), dict[SwitchName, Switch]()
        if not flows:
            return found
        for state in await self._states.of_flows(tenant, flows):
            if (switch := _of_state(state)) is not None:
                found[switch.name] = switch
        for switch in await self._switches.of_flows(tenant, flows):
            if not switch.is_over(now) and (switch.disables or switch.name not in found):
                found[switch.name] = switch
        return found

    async def set(
        self, tenant: str, names: Sequence[SwitchName], order: SwitchOrder, by: str | None
    ) -> Sequence[Switch]:
        """Say what flows and triggers do from now on, whatever their sources say: all of them, or none.

        Raises:
            NotFoundError: There is no such flow or trigger.
            InvalidRequestError: The order cannot be carried out.
        """
        now = self._clock.now()
        order.checked(now)
        await self._check(tenant, names)
        if order.state is SwitchState.ENABLED:
            await self._free(tenant, names)
        until, reason = order.until, order.reason or None
        switches = [Switch(tenant, *name, order.state, now, until, by, reason) for name in dict.fromkeys(names)]
        await self._switches.put(switches, resuming(now))
        await self._changed(tenant, names)
        return switches

    async def release(self, tenant: str, names: Sequence[SwitchName]) -> None:
        """Let the sources alone count again: of all of these, or of none.

        Raises:
            NotFoundError: There is no such flow or trigger, and nothing is said of it.
        """
        said = {switch.name for switch in await self._switches.of_flows(tenant, _flows_of(names))}
        await self._check(tenant, [name for name in names if name not in said])
        await self._switches.remove(tenant, names, resumed=resuming(self._clock.now()))
        await self._free(tenant, names)
        await self._changed(tenant, names)

    async def _free(self, tenant: str, names: Sequence[SwitchName]) -> None:
        """Enable those triggers whose state is disabled."""
        wanted = {name for name in names if name[2]}
        if not wanted:
            return
        for state in await self._states.of_flows(tenant, _flows_of(wanted)):
            if state.disabled and state.key[1:] in wanted:
                await self._triggers.set_disabled(tenant, state.key[1:], disabled=False)

    async def _check(self, tenant: str, names: Sequence[SwitchName]) -> None:
        for name in names:
            flow = await self._catalog.own(tenant, *name[:2])
            if name[2] and name[2] not in _trigger_ids(flow):
                raise missing_trigger(name)

    async def _changed(self, tenant: str, names: Sequence[SwitchName]) -> None:
        flows = _flows_of(names)
        for flow in flows:
            self._catalog.forget(tenant, *flow)
        await self._notifier.publish("flows", [f"{tenant}/{namespace}/{flow_id}" for namespace, flow_id in flows])


def _flows_of(names: Iterable[SwitchName]) -> Sequence[tuple[str, str]]:
    """Return the flows of names, each once."""
    return list(dict.fromkeys(name[:2] for name in names))


def _trigger_ids(flow: ResolvedFlow) -> set[str]:
    document = flow.source
    return {str(one.get("id")) for one in document.triggers or ()} if isinstance(document, FlowDocument) else set()


def _of_state(state: TriggerState) -> Switch | None:
    """Return what a trigger's state says of it: disabled by what Kestra's clients send, or by `stopAfter`."""
    if not state.disabled:
        return None
    return Switch(*state.key, SwitchState.DISABLED, state.updated, by=state.disabled_by)
