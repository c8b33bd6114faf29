"""The triggers of flows, by who serves them: made of a flow once, and kept until it changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self

from penstock.base.clock import Instant
from penstock.engine.flow import ResolvedFlow
from penstock.ports.flows import FlowKey, FlowStore
from penstock.ports.switches import Switch, SwitchStore
from penstock.sdk import TriggerBase
from penstock.services.scheduler.agenda import TriggerKey
from penstock.services.scheduler.calendar import Recovery
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.evaluated import EvaluatedTrigger, evaluated_triggers
from penstock.services.scheduler.triggers import ScheduledTrigger, scheduled_triggers
from penstock.services.scheduler.upstream import Listener, ListeningTrigger

TriggersOf = Callable[[ResolvedFlow], Iterable[TriggerBase]]


class FlowSource(Protocol):
    """Where resolved flows come from."""

    def stamp(self, tenant: str, namespace: str) -> Hashable:
        """Return what changes whenever what holds for the flows of a namespace from outside changes."""
        ...

    def forget(self, tenant: str, namespace: str, flow_id: str) -> None:
        """Look the latest revision up again when it is asked for next."""
        ...

    async def resolved(self, tenant: str, namespace: str, flow_id: str, revision: int | None = None) -> ResolvedFlow:
        """Return a resolved revision, the latest by default; raises NotFoundError."""
        ...


class Version(NamedTuple):
    """What the triggers of a flow are made of: as long as it stays, so do they."""

    revision: int
    stamp: Hashable
    switches: tuple[Switch, ...]


@dataclass(frozen=True, slots=True)
class FlowTriggers:
    """What there is to serve of a flow; nothing where it is gone or cannot be read."""

    ids: frozenset[str] = frozenset()
    """The triggers it has, whoever serves them; the states of others are forgotten."""
    scheduled: Mapping[TriggerKey, ScheduledTrigger] = field(default_factory=dict)
    """Those with dates."""
    listening: Sequence[ListeningTrigger] = ()
    """Those that react to executions."""
    evaluated: Sequence[EvaluatedTrigger] = ()
    """Those that workers evaluate."""
    changes_at: Instant | None = None
    """When it becomes another by itself, since what is said of it here is over."""

    @classmethod
    def of(
        cls,
        flow: ResolvedFlow,
        triggers: Iterable[TriggerBase],
        configured: Mapping[str, Recovery],
        conditions: Conditions,
    ) -> Self:
        """Return the triggers of a flow told apart; for the arguments see `scheduled_triggers`."""
        present = list(triggers)
        return cls(
            ids=frozenset(trigger.id for trigger in present),
            scheduled={one.key: one for one in scheduled_triggers(flow, present, configured, conditions)},
            listening=[ListeningTrigger.of(flow, one, one, conditions) for one in present if isinstance(one, Listener)],
            evaluated=list(evaluated_triggers(flow, present)),
            changes_at=flow.changes_at,
        )


class KnownFlows:
    """Flows as a scheduler knows them: thousands may have triggers, and a look at all of them costs next to nothing.

    Args:
        flows: Where flows are stored.
        switches: What people say of them.
        source: Resolved flows.
        triggers_of: The triggers of a flow, made from their definitions.
        configured: What becomes of missed dates where the trigger does not say, by type (OPS-071).
        conditions: Asks the triggers' conditions.
    """

    def __init__(
        self,
        flows: FlowStore,
        switches: SwitchStore,
        source: FlowSource,
        triggers_of: TriggersOf,
        configured: Mapping[str, Recovery],
        conditions: Conditions,
    ) -> None:
        self._flows = flows
        self._switches = switches
        self._source = source
        self._triggers_of = triggers_of
        self._configured = configured
        self._conditions = conditions
        self._known: dict[FlowKey, tuple[Version, FlowTriggers]] = {}

    def forget(self, key: FlowKey) -> None:
        """Read a flow again when its triggers are asked for next."""
        self._known.pop(key, None)
        self._source.forget(*key)

    async def versions(self) -> Mapping[FlowKey, Version]:
        """Return what the triggers of each flow that has any are made of, as it is stored now."""
        said: dict[FlowKey, list[Switch]] = {}
        for switch in await self._switches.all():
            said.setdefault((switch.tenant, switch.namespace, switch.flow_id), []).append(switch)
        versions: dict[FlowKey, Version] = {}
        for flow in await self._flows.all_latest():
            if flow.has_triggers:
                key = (flow.tenant, flow.namespace, flow.id)
                stamp = self._source.stamp(flow.tenant, flow.namespace)
                versions[key] = Version(flow.revision, stamp, tuple(said.get(key, ())))
        self._known = {key: known for key, known in self._known.items() if key in versions}
        return versions

    async def triggers(self, key: FlowKey, version: Version | None) -> FlowTriggers:
        """Return the triggers of a flow: as they are known when its version is, else made anew.

        Raises:
            NotFoundError: There is no such flow.
            PenstockError: It cannot be read.
        """
        known = self._known.pop(key, None)
        if known is None or known[0] != version:
            if version is not None:  # what others keep of the flow may be older than what was just read
                self._source.forget(*key)
            flow = await self._source.resolved(*key)
            made = FlowTriggers.of(flow, self._triggers_of(flow), self._configured, self._conditions)
            if version is None or flow.calls:  # what it calls may change without it
                return made
            known = (version, made)
        self._known[key] = known
        return known[1]
