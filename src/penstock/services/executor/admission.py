"""Who may begin: whatever takes a slot is decided where limits are counted, by the executor that holds that partition.

An execution that a limit counts moves there before its first task, or when it is restarted; all others stay where they
came into being, and cost no counting.
"""

from __future__ import annotations

from collections.abc import Collection

from penstock.base.clock import SECOND, Instant
from penstock.engine.events import Created, Event, ForceRun, Restart, SlotFreed, TimerDue, Unqueue
from penstock.engine.records import Execution
from penstock.engine.states import StateType
from penstock.ports.journal import COUNTED, PARTITIONS
from penstock.services.executor.delivery import Delivery
from penstock.services.executor.slots import Slots

LOOK_ELSEWHERE = 5 * SECOND
"""How often it is looked what runs in other partitions and counts all the same."""


class Admission:
    """Lets executions begin as the limits allow. Implements ENG-251, BEY-003 and BEY-012 among several executors.

    Args:
        slots: Counts, where this executor holds the partition for it.
    """

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._is_counted = False
        self._is_to_look = True
        self._looked_elsewhere = 0

    def look(self) -> None:
        """Look soon who may begin."""
        self._is_to_look = True

    def look_elsewhere(self) -> None:
        """Look soon what runs in other partitions too: a limit may have changed, or something counted has ended."""
        self._is_to_look = True
        self._looked_elsewhere = 0

    def forget(self) -> None:
        """Count again: what was counted may be wrong, or another executor has counted meanwhile."""
        self._slots.forget()
        self._is_counted = False

    async def admitted(self, held: Collection[int], now: Instant) -> list[Delivery]:
        """Return what lets queued executions begin."""
        if COUNTED not in held:
            return []
        if not self._is_counted:
            await self._slots.recover()
            self._is_counted = self._is_to_look = True
        if len(held) < PARTITIONS and now >= self._looked_elsewhere + LOOK_ELSEWHERE:
            await self._slots.look_elsewhere()
            self._looked_elsewhere, self._is_to_look = now, True
        found: list[Delivery] = []
        if self._is_to_look:
            self._is_to_look = False
            for lane in self._slots.waited_for():
                found.extend(Delivery(one, SlotFreed()) for one in await self._slots.admitted(lane))
        return found

    async def is_counted(self, event: Event, execution: Execution, now: Instant) -> bool:
        """Return whether an event has to be decided where limits are counted."""
        if not isinstance(event, Restart | ForceRun | Unqueue) and not _asks_for_slot(event, execution, now):
            return False
        return await self._slots.counts(execution)

    async def is_outdated(self, event: Event, execution: Execution) -> bool:
        """Return whether an event gives a slot that has been forgotten since, and will be given again."""
        if not isinstance(event, SlotFreed) or await self._slots.holds(execution):
            return False
        self._is_to_look = True
        return True

    async def event(self, event: Event, execution: Execution, now: Instant, place: int) -> Event:
        """Return an event as the limits let it be; they are counted in one partition."""
        if place != COUNTED or not _asks_for_slot(event, execution, now):
            return event
        return Created(full=await self._slots.ask(execution))

    async def ended(self, execution: Execution, held: Collection[int]) -> tuple[list[Delivery], bool]:
        """Return what lets others begin in the place of an ended execution, and whether another executor counts it."""
        if COUNTED not in held:
            return [], await self._slots.counts(execution)
        return [Delivery(one, SlotFreed()) for one in await self._slots.ended(execution)], False

    async def went_on(self, event: Event, execution: Execution, held: Collection[int]) -> None:
        """Count an execution after what was decided about it."""
        if COUNTED not in held:
            return
        if isinstance(event, Restart | ForceRun | Unqueue):
            await self._slots.forced(execution)
        elif await self._slots.relabelled(execution):
            self._is_to_look = True

    def never_was(self, execution: Execution) -> None:
        """Forget an execution that was not stored."""
        self._slots.never_was(execution)


def _asks_for_slot(event: Event, execution: Execution, now: Instant) -> bool:
    """Return whether an event lets an execution begin that has not, provided that no limit is in the way."""
    if isinstance(event, Created):
        if event.reject is not None:
            return False
    elif not isinstance(event, TimerDue) or event.purpose != "start":
        return False
    if execution.state.current not in (StateType.CREATED, StateType.QUEUED):
        return False
    return execution.schedule_date is None or execution.schedule_date <= now
