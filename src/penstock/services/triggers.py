"""States of triggers: reading them, switching triggers off and on, letting go of a lock, ordering backfills.

A change is made on the state as it was read: when a scheduler moved the trigger on meanwhile, it is made anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from penstock.base.clock import Clock, Instant, from_iso
from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from penstock.ports.notifier import Notifier
from penstock.ports.queries import Filter, Page, PageRequest
from penstock.ports.switches import SwitchState, SwitchStore
from penstock.ports.triggers import FLOW_TRIGGER, Outcome, TriggerState, TriggerStore
from penstock.sdk import TriggerBase
from penstock.services.scheduler import backfill
from penstock.services.scheduler.backfill import Backfill, Label
from penstock.services.scheduler.states import resuming

TriggerName = tuple[str, str, str]
"""(namespace, flow id, trigger id)."""
_SHOWN = Filter("type", "NOT_EQUALS", FLOW_TRIGGER)
_STOPPING = (SwitchState.DISABLED, SwitchState.PAUSED)
_TRIES = 20
_CHUNK = 500
Change = Callable[[TriggerState], TriggerState]


@dataclass(frozen=True, slots=True)
class BackfillOrder:
    """Which dates to run again, and with what."""

    start: Instant
    end: Instant | None = None
    """Now, when not given."""
    inputs: Mapping[str, Any] | None = None
    labels: Sequence[Label] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """How many triggers of a flow are in trouble."""

    late: int = 0
    """Their date has passed unserved."""
    failing: int = 0
    """Their last evaluation failed."""


def missing_trigger(name: TriggerName) -> NotFoundError:
    """Return the error for a trigger that does not exist."""
    return NotFoundError(f"there is no trigger {'.'.join(name)}")


def named_trigger(triggers: Iterable[TriggerBase], name: TriggerName) -> TriggerBase:
    """Return the trigger of a flow that has a name; raises NotFoundError."""
    found = next((one for one in triggers if one.id == name[2]), None)
    if found is None:
        raise missing_trigger(name)
    return found


class TriggerService:
    """Triggers of a tenant, apart from their flows' sources.

    Implements API-050, API-102, ENG-265 to ENG-267, ENG-283 to ENG-285.

    Args:
        triggers: Where states are stored.
        switches: What people say of triggers, whatever their flows do.
        notifier: Tells the schedulers.
        clock: Dates changes.
    """

    def __init__(self, triggers: TriggerStore, switches: SwitchStore, notifier: Notifier, clock: Clock) -> None:
        self._triggers = triggers
        self._switches = switches
        self._notifier = notifier
        self._clock = clock

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[TriggerState]:
        """Return a page of states of triggers that schedulers serve (ENG-267)."""
        return await self._triggers.search(tenant, [*filters, _SHOWN], page)

    async def trouble(self, tenant: str, flows: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Trouble]:
        """Return which of some flows have triggers that are late or fail (BEY-005)."""
        now, found = self._clock.now(), dict[tuple[str, str], Trouble]()
        for state in await self._triggers.of_flows(tenant, flows) if flows else ():
            is_late, fails = state.late_since(now) is not None, bool(state.failures) and not state.disabled
            if is_late or fails:
                before = found.get((state.namespace, state.flow_id), Trouble())
                found[state.namespace, state.flow_id] = Trouble(before.late + is_late, before.failing + fails)
        return found

    async def found(self, tenant: str, filters: Sequence[Filter]) -> AsyncIterator[TriggerState]:
        """Yield the states of all triggers that fit."""
        number = 1
        while True:
            page = await self.search(tenant, filters, PageRequest(number, _CHUNK))
            for state in page.results:
                yield state
            if number * _CHUNK >= page.total:
                return
            number += 1

    async def names(self, tenant: str, filters: Sequence[Filter]) -> AsyncIterator[TriggerName]:
        """Yield the names of all triggers that fit."""
        async for state in self.found(tenant, filters):
            yield state.key[1:]

    async def get(self, tenant: str, name: TriggerName) -> TriggerState:
        """Return one state.

        Raises:
            NotFoundError: There is none.
        """
        state = await self._triggers.get(tenant, *name)
        if state is None:
            raise missing_trigger(name)
        return state

    async def set_disabled(self, tenant: str, name: TriggerName, disabled: bool, by: str | None = None) -> TriggerState:
        """Switch a trigger off or on, without a change of its flow; `by` is who wants it.

        One that is switched on is not paused any more, either (BEY-041).
        """

        def switched(state: TriggerState) -> TriggerState:
            after = replace(state, disabled=disabled, disabled_by=by if disabled else None)
            return backfill.suspended(after) if disabled else after

        resumed = resuming(self._clock.now())
        if not disabled and await self._switches.remove(tenant, [name], _STOPPING, resumed):
            await self._notifier.publish("flows", [f"{tenant}/{name[0]}/{name[1]}"])
        return await self._change(tenant, name, switched)

    async def unlock(self, tenant: str, name: TriggerName) -> TriggerState:
        """Let a trigger fire again although the execution it started seems to run still.

        Raises:
            ConflictError: Nothing locks it.
        """

        def unlocked(state: TriggerState) -> TriggerState:
            if state.execution_id is None:
                raise ConflictError(f"trigger {'.'.join(name)} is not locked")
            return replace(state, execution_id=None)

        return await self._change(tenant, name, unlocked)

    async def restart(self, tenant: str, name: TriggerName) -> TriggerState:
        """Let a trigger begin anew: nothing locks it, no evaluation is under way, none has failed."""

        def restarted(state: TriggerState) -> TriggerState:
            return replace(state, execution_id=None, evaluation=None, evaluating_since=None, failures=0, error=None)

        return await self._change(tenant, name, restarted)

    async def delete(self, tenant: str, name: TriggerName) -> None:
        """Forget the state of a trigger; it begins anew if its flow still has it."""
        state = await self.get(tenant, name)
        await self._triggers.delete(tenant, *name)
        await self._changed(state)

    # -- backfills

    async def order_backfill(self, tenant: str, name: TriggerName, order: BackfillOrder) -> TriggerState:
        """Have the dates of a span of time run again; its end lies in the past or is now.

        Raises:
            InvalidRequestError: The trigger has no dates, or the span is empty.
            ConflictError: Another backfill is not finished.
        """
        now = self._clock.now()
        end = now if order.end is None else min(order.end, now)
        if order.start > end:
            raise InvalidRequestError("the backfill ends before it starts", hint="give a start before end and now")

        def ordered(state: TriggerState) -> TriggerState:
            if backfill.TIMING not in state.memory:
                raise InvalidRequestError(f"trigger {'.'.join(name)} is no schedule: it has no dates to run again")
            if (known := Backfill.of(state)) is not None:
                if from_iso(known.start) == order.start and order.end in (None, from_iso(known.end)):
                    return state  # the same once more, as part of a trigger that is sent back whole
                raise ConflictError(
                    f"trigger {'.'.join(name)} has a backfill that is not finished", hint="wait for it, or delete it"
                )
            return backfill.ordered(state, order.start, end, order.inputs, order.labels, now)

        return await self._change(tenant, name, ordered)

    async def pause_backfill(self, tenant: str, name: TriggerName) -> TriggerState:
        """Pause a backfill; the schedule goes on meanwhile. Raises ConflictError when there is none."""
        return await self._change_backfill(tenant, name, backfill.paused)

    async def resume_backfill(self, tenant: str, name: TriggerName) -> TriggerState:
        """Let a paused backfill go on. Raises ConflictError when there is none."""
        return await self._change_backfill(tenant, name, backfill.resumed)

    async def delete_backfill(self, tenant: str, name: TriggerName) -> TriggerState:
        """Run no more dates of a backfill. Raises ConflictError when there is none."""
        return await self._change_backfill(tenant, name, backfill.ended)

    async def _change_backfill(self, tenant: str, name: TriggerName, change: Change) -> TriggerState:
        def changed(state: TriggerState) -> TriggerState:
            if state.backfill is None:
                raise ConflictError(f"trigger {'.'.join(name)} has no backfill")
            return change(state)

        return await self._change(tenant, name, changed)

    async def _change(self, tenant: str, name: TriggerName, change: Change) -> TriggerState:
        for _ in range(_TRIES):
            before = await self.get(tenant, name)
            after = change(before)
            if after == before:
                return before
            after = replace(after, updated=self._clock.now())
            if await self._triggers.fire(before, after, None) is Outcome.DONE:
                await self._changed(after)
                return after
        raise UnavailableError(f"trigger {'.'.join(name)} changes all the time", hint="try again")

    async def _changed(self, state: TriggerState) -> None:
        await self._notifier.publish("triggers", ["/".join(state.key)])
