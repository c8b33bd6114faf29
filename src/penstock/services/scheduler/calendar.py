"""Which date of a trigger is next, and what becomes of dates that were missed. Pure: the present comes in.

A date is missed when it lay before the trigger could be served: no scheduler ran, or the trigger's last execution did.
Being a little late is not missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from penstock.base.clock import Instant, Micros, from_datetime, to_datetime


@runtime_checkable
class Calendar(Protocol):
    """A trigger that knows its dates. Any trigger class with these members is scheduled."""

    @property
    def timing(self) -> str:
        """What the dates follow from; when it changes, dates are counted anew."""
        ...

    @property
    def late_maximum(self) -> Micros | None:
        """How late a date may start; None when that does not matter."""
        ...

    @property
    def past(self) -> tuple[str, str | None] | None:
        """Start and end of dates to run when the trigger is new, as its source has them; None for none (ENG-287)."""
        ...

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first date after a moment; None when there is none (any more)."""
        ...

    def last_before(self, moment: datetime) -> datetime | None:
        """Return the last date before a moment; None when there is none."""
        ...


class Recovery(StrEnum):
    """Which missed dates run late (ENG-282)."""

    ALL = "ALL"
    LAST = "LAST"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be done about a trigger whose next date has come."""

    date: Instant | None
    """The date to fire now; None when there is nothing to fire."""
    next_date: Instant | None
    """The date after it."""
    skipped_from: Instant | None = None
    """The first of the dates that are passed over, when there are any."""


def first_date(calendar: Calendar, after: Instant) -> Instant | None:
    """Return the first date after an instant."""
    found = calendar.next_after(to_datetime(after))
    return None if found is None else from_datetime(found)


def last_date(calendar: Calendar, before: Instant) -> Instant | None:
    """Return the last date before an instant."""
    found = calendar.last_before(to_datetime(before))
    return None if found is None else from_datetime(found)


def turn(calendar: Calendar, due: Instant, now: Instant, served_since: Instant, recovery: Recovery) -> Turn:
    """Return what to do about a trigger.

    Implements ENG-261, ENG-282, USE-B052.

    Args:
        calendar: The trigger's dates.
        due: Its next date, which has come.
        now: The present.
        served_since: Since when it could have been fired on time; earlier dates were missed.
        recovery: What becomes of missed dates.
    """
    date: Instant | None = due
    if due < served_since:
        date = _recovered(calendar, due, served_since, recovery)
    if date is not None and calendar.late_maximum is not None and now - date > calendar.late_maximum:
        date = first_date(calendar, max(date, now - calendar.late_maximum - 1))
    skipped = due if date != due else None
    if date is None or date > now:
        return Turn(None, date, skipped)
    return Turn(date, first_date(calendar, date), skipped)


def _recovered(calendar: Calendar, due: Instant, served_since: Instant, recovery: Recovery) -> Instant | None:
    """Return the date to go on with when at least one was missed."""
    if recovery is Recovery.ALL:
        return due
    if recovery is Recovery.LAST:
        last = last_date(calendar, served_since)
        return due if last is None else max(due, last)
    return first_date(calendar, served_since - 1)
