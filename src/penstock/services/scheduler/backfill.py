"""Backfills: a schedule's dates of a span of time, run again. Pure.

While a backfill is active, the trigger's `next_date` is the backfill's, and the schedule's own next date is kept aside;
what it misses meanwhile is recovered like any missed date. Every step of a backfill therefore changes `next_date`,
by which schedulers and people notice each other's changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import msgspec
from msgspec.structs import replace

from penstock.base.clock import Instant, from_iso, to_iso
from penstock.ports.triggers import TriggerState
from penstock.services.scheduler.calendar import Calendar, Turn, first_date

TIMING = "timing"
"""Names, in a trigger's memory, what its dates follow from; only triggers with dates have it."""
_ORDERED = "backfill"
_ASKED = "asked"


class Label(msgspec.Struct, frozen=True):
    """A label for a backfill's executions."""

    key: str
    value: str


class Backfill(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A backfill as it is stored and shown (API-037); instants are ISO 8601."""

    start: str
    end: str
    current_date: str
    paused: bool = False
    inputs: Mapping[str, Any] | None = None
    labels: Sequence[Label] = ()
    previous_next_execution_date: str | None = None

    @classmethod
    def of(cls, state: TriggerState) -> Self | None:
        """Return a trigger's backfill."""
        return None if state.backfill is None else msgspec.convert(state.backfill, cls)

    @classmethod
    def active(cls, state: TriggerState) -> Self | None:
        """Return a trigger's backfill unless it is paused."""
        found = cls.of(state)
        return None if found is None or found.paused else found

    @property
    def current(self) -> Instant:
        """The date it has come to."""
        return from_iso(self.current_date)

    @property
    def label_map(self) -> dict[str, str]:
        """The labels for its executions."""
        return {label.key: label.value for label in self.labels}

    def turn(self, calendar: Calendar) -> Turn:
        """Return the date to fire now, and the one after it; none when there is none left until the end."""
        date = first_date(calendar, self.current - 1)
        if date is None or date > from_iso(self.end):
            return Turn(None, None)
        return Turn(date, first_date(calendar, date))

    def advanced(self, state: TriggerState, next_date: Instant | None) -> TriggerState:
        """Return a trigger's state after a date: at the next one, or without the backfill after the last."""
        if next_date is None or next_date > from_iso(self.end):
            return ended(state)
        return replace(state, next_date=next_date, backfill=_stored(replace(self, current_date=to_iso(next_date))))


def backfill_id(state: TriggerState) -> str:
    """Return what tells a trigger's backfill from its others."""
    return f"backfill/{state.memory.get(_ORDERED, 0)}"


def ordered(
    state: TriggerState,
    start: Instant,
    end: Instant,
    inputs: Mapping[str, Any] | None,
    labels: Sequence[Label],
    now: Instant,
) -> TriggerState:
    """Return the state of a trigger with a new backfill. Implements ENG-283."""
    backfill = Backfill(to_iso(start), to_iso(end), to_iso(start), inputs=inputs, labels=labels)
    return _begun(replace(state, memory={**state.memory, _ORDERED: now}), backfill)


def ordered_by(past: tuple[str, str | None] | None, state: TriggerState, now: Instant) -> TriggerState:
    """Return the state with the backfill that a flow's source asks for, once for each that it asks for (ENG-287).

    Args:
        past: Start and end of the dates to run again, as the source has them.
        state: The trigger's state.
        now: The present; dates in the future are no matter of a backfill.
    """
    if past is None or state.memory.get(_ASKED) == list(past) or state.backfill is not None:
        return state
    start, end = from_iso(past[0]), now if past[1] is None else min(from_iso(past[1]), now)
    if start > end:
        return state
    return ordered(replace(state, memory={**state.memory, _ASKED: list(past)}), start, end, None, (), now)


def paused(state: TriggerState) -> TriggerState:
    """Return the state with the backfill paused: the schedule goes on meanwhile."""
    backfill = Backfill.active(state)
    if backfill is None:
        return state
    before = backfill.previous_next_execution_date
    rest = replace(backfill, paused=True, previous_next_execution_date=None)
    return replace(state, next_date=from_iso(before) if before else None, backfill=_stored(rest))


def resumed(state: TriggerState) -> TriggerState:
    """Return the state with the backfill going on where it was paused."""
    backfill = Backfill.of(state)
    return state if backfill is None or not backfill.paused else _begun(state, replace(backfill, paused=False))


def ended(state: TriggerState) -> TriggerState:
    """Return the state without the backfill; the schedule goes on where it was."""
    return replace(paused(state), backfill=None)


def suspended(state: TriggerState) -> TriggerState:
    """Return the state of a trigger that is disabled: it has no next date, and an active backfill waits (ENG-284)."""
    backfill = Backfill.active(state)
    if backfill is None:
        return replace(state, next_date=None)
    rest = replace(backfill, previous_next_execution_date=None)
    return replace(state, next_date=None, backfill=_stored(rest))


def _begun(state: TriggerState, backfill: Backfill) -> TriggerState:
    if state.disabled:
        return replace(state, next_date=None, backfill=_stored(backfill))
    before = None if state.next_date is None else to_iso(state.next_date)
    after = replace(backfill, previous_next_execution_date=before)
    return replace(state, next_date=backfill.current, backfill=_stored(after))


def _stored(backfill: Backfill) -> Mapping[str, Any]:
    stored: Mapping[str, Any] = msgspec.to_builtins(backfill)
    return stored
