"""What a trigger that listens to other flows waits for: what is met, by which execution, until when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.engine.flow import ResolvedFlow
from penstock.ports.triggers import TriggerStore
from penstock.sdk import TriggerBase
from penstock.services.flows import FlowCatalog
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.upstream import Listener, ListeningTrigger, Memory, Met, Start
from penstock.services.triggers import TriggerName, named_trigger


@dataclass(frozen=True, slots=True)
class Precondition:
    """One of all that must be met."""

    name: str
    wanted: Mapping[str, Any]
    """What meets it."""
    met: Met | None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a trigger waits for."""

    name: TriggerName
    preconditions: Sequence[Precondition]
    waiting: Sequence[Start]
    """Starts for which all is met, and that wait for the end of the running execution."""
    execution_id: str | None
    """The running execution."""


class PreconditionService:
    """Tells what triggers wait for. Implements BEY-006.

    Args:
        catalog: Resolved flows.
        triggers_of: A flow's triggers, made from their definitions.
        triggers: What triggers remember.
        conditions: Makes the triggers' conditions.
        clock: The present.
    """

    def __init__(
        self,
        catalog: FlowCatalog,
        triggers_of: Callable[[ResolvedFlow], Sequence[TriggerBase]],
        triggers: TriggerStore,
        conditions: Conditions,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._triggers_of = triggers_of
        self._triggers = triggers
        self._conditions = conditions
        self._clock = clock

    async def get(self, tenant: str, name: TriggerName) -> Expectation:
        """Return what a trigger waits for.

        Raises:
            NotFoundError: There is no such flow or trigger.
            InvalidRequestError: The trigger does not listen to other flows.
        """
        trigger = await self._listening(tenant, name)
        state = await self._triggers.get(tenant, *name)
        memory = Memory() if state is None else Memory.of(state)
        now = self._clock.now()
        met = {need: one for need, one in memory.met.items() if one.until >= now}
        return Expectation(
            name,
            [Precondition(need, trigger.wanted(need), met.get(need)) for need in trigger.needs],
            memory.starts,
            None if state is None else state.execution_id,
        )

    async def _listening(self, tenant: str, name: TriggerName) -> ListeningTrigger:
        flow = await self._catalog.resolved(tenant, *name[:2])
        found = named_trigger(self._triggers_of(flow), name)
        if not isinstance(found, Listener):
            raise InvalidRequestError(
                f"trigger {'.'.join(name)} has no preconditions", hint="only triggers of type Flow have them"
            )
        return ListeningTrigger.of(flow, found, found, self._conditions)
