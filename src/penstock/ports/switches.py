"""What people say of a flow or a trigger on this instance, apart from its source: whether it runs, until when, why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from penstock.base.clock import Instant
from penstock.ports.triggers import TriggerState

SwitchName = tuple[str, str, str]
"""(namespace, flow id, trigger id); the last is empty for the flow itself."""


class SwitchState(StrEnum):
    """What a switch says, whatever the source does."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    PAUSED = "PAUSED"
    """Disabled until a time."""


@dataclass(frozen=True, slots=True)
class Switch:
    """The word of somebody on one flow, or on one of its triggers (BEY-041)."""

    tenant: str
    namespace: str
    flow_id: str
    trigger_id: str
    """Empty for the flow itself."""
    state: SwitchState
    since: Instant
    until: Instant | None = None
    by: str | None = None
    reason: str | None = None

    @property
    def name(self) -> SwitchName:
        """What it is said of."""
        return (self.namespace, self.flow_id, self.trigger_id)

    @property
    def disables(self) -> bool:
        """Whether nothing is to start because of it."""
        return self.state is not SwitchState.ENABLED

    def is_over(self, now: Instant) -> bool:
        """Return whether its time has come; the source alone counts then."""
        return self.until is not None and self.until <= now


Resumed = Callable[[TriggerState, Switch], TriggerState]
"""Returns the state of a trigger that a switch has stopped, and stops no more."""


def unchanged(state: TriggerState, switch: Switch) -> TriggerState:
    """Return a state as it is."""
    return state


class SwitchReads(Protocol):
    """Switches of flows, to be read."""

    async def of_flow(self, tenant: str, namespace: str, flow_id: str) -> Sequence[Switch]:
        """Return the switches of a flow and its triggers, by trigger; those that are over may be among them."""
        ...


class SwitchStore(SwitchReads, Protocol):
    """Switches by flow and trigger; they stay when their flow is saved, deleted or made anew."""

    async def of_flows(self, tenant: str, flows: Sequence[tuple[str, str]]) -> Sequence[Switch]:
        """Return the switches of several flows and their triggers, each flow given by namespace and id."""
        ...

    async def all(self) -> Sequence[Switch]:
        """Return all switches of all tenants, those of a flow by trigger."""
        ...

    async def put(self, switches: Sequence[Switch], resumed: Resumed = unchanged) -> None:
        """Insert or replace switches, each of another name, in one transaction; what they enable is resumed."""
        ...

    async def remove(
        self,
        tenant: str,
        names: Sequence[SwitchName],
        states: Sequence[SwitchState] = (),
        resumed: Resumed = unchanged,
    ) -> Sequence[SwitchName]:
        """Remove those that say one of these (anything, by default), in one transaction; returns their names."""
        ...

    async def remove_over(self, now: Instant, resumed: Resumed = unchanged) -> Sequence[Switch]:
        """Remove the switches whose time has come, resume what they have stopped, and return them."""
        ...
