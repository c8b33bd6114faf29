"""What the scheduler remembers of each trigger: when it is due next, what it did last, who holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from penstock.base.clock import SECOND, Instant, Micros
from penstock.engine.records import Execution
from penstock.ports.queries import Filter, Page, PageRequest

if TYPE_CHECKING:
    from penstock.ports.switches import Switch

FLOW_TRIGGER = "io.kestra.plugin.core.trigger.Flow"
TOLERANCE: Micros = 5 * SECOND
"""How long after its date a trigger may be served without being late."""


STOP_AFTER = "its own `stopAfter`"
"""What has disabled a trigger that asked for it."""


class TriggerState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of one trigger of one flow (API-037)."""

    tenant: str
    namespace: str
    flow_id: str
    trigger_id: str
    type: str = ""
    flow_revision: int = 0
    date: Instant | None = None
    """When it was evaluated or fired last."""
    next_date: Instant | None = None
    disabled: bool = False
    """Disabled by hand or by `stopAfter`, apart from the flow's source."""
    disabled_by: str | None = None
    """Who or what has disabled it, where that is known."""
    execution_id: str | None = None
    """The execution it started last and that locks it while it runs."""
    backfill: Mapping[str, Any] | None = None
    updated: Instant = 0
    evaluation: str | None = None
    """The evaluation workers have to do: the `task_run_id` of its job."""
    evaluating_since: Instant | None = None
    failures: int = 0
    """How many evaluations have failed since the last that did not (BEY-005)."""
    error: str | None = None
    """Why the last evaluation failed; nothing when it did not."""
    memory: Mapping[str, Any] = {}

    @property
    def key(self) -> tuple[str, str, str, str]:
        """(tenant, namespace, flow, trigger)."""
        return (self.tenant, self.namespace, self.flow_id, self.trigger_id)

    def late_since(self, now: Instant) -> Instant | None:
        """Return the date that has passed though nobody has served it; None when all is in time (BEY-005).

        What waits for its own execution to end, or is being evaluated, is not late. A trigger on other flows has
        no dates: what it keeps in place of one tells the versions of its memory apart.
        """
        has_dates = self.type != FLOW_TRIGGER
        is_free = has_dates and not self.disabled and self.execution_id is None and self.evaluation is None
        if not is_free or self.next_date is None or self.next_date + TOLERANCE > now:
            return None
        return self.next_date


class Outcome(StrEnum):
    """What became of a step of a trigger. Unless it is done, nothing was written."""

    DONE = "done"
    STALE = "stale"
    """The stored state is another than the one seen: somebody else was first."""
    SWITCHED = "switched"
    """People say something else of the trigger, or of its flow, than whoever took the step knows."""
    KNOWN = "known"
    """The execution exists, by its id or its firing key."""
    LOST = "lost"
    """The job is no longer the worker's."""


class TriggerStore(Protocol):
    """States of triggers."""

    async def get(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> TriggerState | None:
        """Return one state."""
        ...

    async def all(self) -> Sequence[TriggerState]:
        """Return every state, for a scheduler that starts."""
        ...

    async def of_flows(self, tenant: str, flows: Sequence[tuple[str, str]]) -> Sequence[TriggerState]:
        """Return the states of the triggers of flows, each given by namespace and id."""
        ...

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[TriggerState]:
        """Return states for people."""
        ...

    async def save(self, state: TriggerState) -> None:
        """Insert or replace a state."""
        ...

    async def delete(self, tenant: str, namespace: str, flow_id: str, trigger_id: str | None = None) -> int:
        """Forget a trigger's state, or all of a flow's."""
        ...

    async def fire(
        self,
        before: TriggerState,
        after: TriggerState,
        execution: Execution | None,
        reject: str | None = None,
        said: Sequence[Switch] | None = None,
    ) -> Outcome:
        """Move a trigger on and create its execution (with a `Created` message in its inbox) in one transaction.

        Args:
            before: The state as it was seen; one never stored is as good as one of which nothing is known.
            after: The state to store.
            execution: The execution to create.
            reject: Why the execution is refused before its first task (ENG-193, ENG-269).
            said: What people are known to say of the trigger and its flow, by trigger; not looked at when None.
        """
        ...
