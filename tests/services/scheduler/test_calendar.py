from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.base.clock import SECOND, from_datetime, to_datetime
from penstock.services.scheduler.agenda import Agenda
from penstock.services.scheduler.calendar import Calendar, Recovery, first_date, last_date, turn

HOUR = 3600 * SECOND
NOON = from_datetime(datetime(2024, 6, 1, 12, tzinfo=UTC))


@dataclass(frozen=True)
class Hourly:
    """A calendar with a date at each full hour."""

    late_maximum: int | None = None
    end: datetime | None = None
    timing: str = "hourly"
    past: tuple[str, str | None] | None = None

    def next_after(self, moment: datetime) -> datetime | None:
        following = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return None if self.end is not None and following > self.end else following

    def last_before(self, moment: datetime) -> datetime | None:
        return (moment - timedelta(microseconds=1)).replace(minute=0, second=0, microsecond=0)


def test_calendar_hourly_is_a_calendar() -> None:
    assert isinstance(Hourly(), Calendar)


def test_turn_date_on_time_fires_and_moves_to_the_next() -> None:
    step = turn(Hourly(), NOON, NOON + SECOND, NOON - HOUR, Recovery.ALL)
    assert (step.date, step.next_date, step.skipped_from) == (NOON, NOON + HOUR, None)


def test_turn_date_served_a_little_late_is_not_missed() -> None:
    step = turn(Hourly(), NOON, NOON + 10 * SECOND, NOON - 1, Recovery.NONE)
    assert step.date == NOON


def test_turn_missed_dates_with_all_run_one_after_the_other() -> None:
    """ENG-282."""
    due, fired = NOON, []
    now = NOON + 3 * HOUR + SECOND
    while due <= now:
        step = turn(Hourly(), due, now, now, Recovery.ALL)
        fired.append(step.date)
        assert step.next_date is not None
        due = step.next_date
    assert fired == [NOON, NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR]


def test_turn_missed_dates_with_last_run_only_the_latest() -> None:
    """ENG-282."""
    now = NOON + 3 * HOUR + SECOND
    step = turn(Hourly(), NOON, now, now, Recovery.LAST)
    assert (step.date, step.next_date, step.skipped_from) == (NOON + 3 * HOUR, NOON + 4 * HOUR, NOON)


def test_turn_missed_dates_with_none_run_not_at_all() -> None:
    """ENG-282."""
    now = NOON + 3 * HOUR + SECOND
    step = turn(Hourly(), NOON, now, now, Recovery.NONE)
    assert (step.date, step.next_date, step.skipped_from) == (None, NOON + 4 * HOUR, NOON)


def test_turn_date_at_the_instant_service_began_is_on_time() -> None:
    assert turn(Hourly(), NOON, NOON, NOON, Recovery.NONE).date == NOON


@pytest.mark.parametrize("recovery", list(Recovery))
def test_turn_date_later_than_the_late_maximum_is_skipped(recovery: Recovery) -> None:
    """USE-B052."""
    now = NOON + 3 * HOUR + 60 * SECOND
    step = turn(Hourly(late_maximum=30 * SECOND), NOON, now, now, recovery)
    assert step.date is None
    assert step.next_date == NOON + 4 * HOUR


def test_turn_date_within_the_late_maximum_is_recovered() -> None:
    """USE-B052: of the missed dates only the one that is not too late."""
    now = NOON + 3 * HOUR + 60 * SECOND
    step = turn(Hourly(late_maximum=120 * SECOND), NOON, now, now, Recovery.ALL)
    assert step.date == NOON + 3 * HOUR


def test_turn_last_date_of_a_calendar_that_ends_leaves_none() -> None:
    step = turn(Hourly(end=to_datetime(NOON)), NOON, NOON, NOON - HOUR, Recovery.ALL)
    assert (step.date, step.next_date) == (NOON, None)


@given(
    st.integers(0, 72).map(lambda hours: NOON - hours * HOUR),
    st.integers(0, 5 * HOUR),
    st.integers(0, 80 * HOUR),
    st.sampled_from(list(Recovery)),
    st.one_of(st.none(), st.integers(SECOND, 10 * HOUR)),
)
def test_turn_always_moves_forward_and_never_fires_the_future(
    due: int, late: int, served: int, recovery: Recovery, late_maximum: int | None
) -> None:
    now = due + late
    step = turn(Hourly(late_maximum=late_maximum), due, now, now - served, recovery)
    assert step.date is None or due <= step.date <= now
    assert step.next_date is not None
    assert step.next_date > (step.date if step.date is not None else now)
    if step.date is not None and late_maximum is not None:
        assert now - step.date <= late_maximum


def test_dates_next_to_an_instant_leave_it_out() -> None:
    assert first_date(Hourly(), NOON) == NOON + HOUR
    assert first_date(Hourly(), NOON - 1) == NOON
    assert last_date(Hourly(), NOON) == NOON - HOUR
    assert last_date(Hourly(), NOON + 1) == NOON


def key(name: str) -> tuple[str, str, str, str]:
    return ("main", "ns", "flow", name)


def test_agenda_moved_and_removed_dates_are_passed_over() -> None:
    agenda = Agenda()
    agenda.set(key("a"), 10)
    agenda.set(key("b"), 20)
    agenda.set(key("a"), 30)
    agenda.set(key("c"), 5)
    agenda.set(key("c"), None)
    assert agenda.next_due == 20
    assert agenda.take(25) == [key("b")]
    assert agenda.take(25) == []
    assert agenda.take(30) == [key("a")]
    assert agenda.next_due is None
