"""Flows as this instance runs them: with what people say of them and of their triggers, apart from their sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.base.clock import Clock, Instant, Micros, to_datetime
from penstock.base.recent import Recent
from penstock.engine.flow import ResolvedFlow
from penstock.model.document import FlowDocument
from penstock.ports.flows import FlowKey
from penstock.ports.switches import Switch, SwitchReads

_Switches = tuple[Switch, ...]


class FlowSwitches:
    """Takes the switches of flows over into resolved flows. Implements BEY-041 for whoever asks a catalog.

    What is known of a flow's switches is trusted for a while, and dropped when a notification says that they changed.

    Args:
        switches: Where they are read.
        clock: Tells which are over.
        freshness: How long what was read is trusted without a notification.
        capacity: Flows whose switches are kept, and flows kept that are not as their source says.
    """

    def __init__(self, switches: SwitchReads, clock: Clock, freshness: Micros, capacity: int) -> None:
        self._switches = switches
        self._clock = clock
        self._freshness = freshness
        self._known: Recent[FlowKey, tuple[_Switches, Instant]] = Recent(capacity)
        self._switched: Recent[tuple[ResolvedFlow, _Switches], ResolvedFlow] = Recent(capacity)
        self._changes = 0

    def cached(self, flow: ResolvedFlow) -> ResolvedFlow | None:
        """Return a flow as it is run here, when its switches are in memory."""
        key = (flow.tenant, flow.namespace, flow.id)
        known = self._known.get(key)
        if known is None or self._clock.now() - known[1] > self._freshness:
            return None
        return self._with(flow, known[0]) if known[0] else flow

    async def applied(self, flow: ResolvedFlow) -> ResolvedFlow:
        """Return a flow as it is run here."""
        found = self.cached(flow)
        if found is not None:
            return found
        key = (flow.tenant, flow.namespace, flow.id)
        asked, changes = self._clock.now(), self._changes
        read = tuple(await self._switches.of_flow(*key))
        if changes == self._changes:  # else what was read may be outdated already
            self._known.put(key, (read, asked))
        return self._with(flow, read)

    def forget(self, key: FlowKey) -> None:
        """Read the switches of a flow again when they are needed next."""
        self._changes += 1
        self._known.forget(key)

    def forget_all(self) -> None:
        """Read all switches again when they are needed next."""
        self._changes += 1
        self._known.clear()

    def _with(self, flow: ResolvedFlow, switches: _Switches) -> ResolvedFlow:
        """Return a flow with those switches that hold now; the same parts give the same whole."""
        now = self._clock.now()
        holding = tuple(one for one in switches if not one.is_over(now))
        if not holding:
            return flow
        return self._switched.of((flow, holding), lambda: switched_flow(flow, holding))


def switched_flow(flow: ResolvedFlow, switches: Sequence[Switch]) -> ResolvedFlow:
    """Return a flow as switches want it, whatever its source says."""
    own = next((one for one in switches if not one.trigger_id), None)
    changes = {
        "said": tuple(switches),
        "source": _with_triggers(flow.source, {one.trigger_id: one for one in switches if one.trigger_id}),
        "changes_at": min((one.until for one in switches if one.until is not None), default=None),
    }
    if own is not None:
        changes |= {"disabled": own.disables, "disabled_why": told(own) if own.disables else ""}
    return replace(flow, **changes)


def told(switch: Switch) -> str:
    """Return what a switch says in words: `paused by ada until 2026-01-05T08:00:00Z: the disk is full`."""
    words = [switch.state.lower()]
    if switch.by:
        words.append(f"by {switch.by}")
    if switch.until is not None:
        words.append(f"until {to_datetime(switch.until):%Y-%m-%dT%H:%M:%SZ}")
    return " ".join(words) + (f": {switch.reason}" if switch.reason else "")


def _with_triggers(document: Any, switches: Mapping[str, Switch]) -> Any:
    if not switches or not isinstance(document, FlowDocument) or not document.triggers:
        return document
    triggers = [
        {**one, "disabled": switch.disables} if (switch := switches.get(str(one.get("id")))) is not None else one
        for one in document.triggers
    ]
    return document.model_copy(update={"triggers": triggers})
