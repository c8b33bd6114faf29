"""Conditions on dates."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from pydantic import ValidationError

from penstock.sdk.condition import ConditionError
from tests.builtin.conditions.conftest import PREFIX, Ask, context_of, make

SATURDAY = "2026-01-31T10:00:00+01:00"


@pytest.mark.parametrize(
    ("date", "day"),
    [
        ("2026-01-31T10:00:00Z", "SATURDAY"),
        ("2026-02-01T00:30:00+01:00", "SUNDAY"),  # still Saturday in UTC
        ("2026-02-02T23:59:59-10:00", "MONDAY"),  # Tuesday already in UTC
    ],
)
def test_day_of_week_is_that_of_the_date_s_zone(holds: Ask, date: str, day: str) -> None:
    """ENG-275."""
    assert holds("DayWeek", context_of(date=date), dayOfWeek=day)
    assert not holds("DayWeek", context_of(date=date), dayOfWeek="THURSDAY")
    assert holds("Weekend", context_of(date=date)) is (day != "MONDAY")


def test_date_given_is_looked_at_instead_of_the_schedule_s(holds: Ask) -> None:
    """ENG-200, ENG-275."""
    context = context_of(date="2026-02-02T00:00:00Z", variables={"trigger": {"date": SATURDAY}, "nothing": ""})
    assert holds("Weekend", context, date="{{ trigger.date }}")
    assert not holds("Weekend", context)
    assert not holds("Weekend", context, date="{{ nothing }}")
    assert holds("Weekend", context, date="2026-01-31")
    assert holds("Weekend", context, date="2026-01-31T10:00:00+01:00[Europe/Paris]")


def test_date_missing_or_wrong_is_an_error(holds: Ask) -> None:
    with pytest.raises(ConditionError, match="no date to look at"):
        holds("Weekend", context_of())
    with pytest.raises(ConditionError, match="`tomorrow` is no date"):
        holds("Weekend", context_of(), date="tomorrow")


@pytest.mark.parametrize(
    ("day", "which"),
    [
        (1, {"FIRST"}),
        (8, {"SECOND"}),
        (15, {"THIRD"}),
        (22, {"FOURTH", "LAST"}),
        (7, {"FIRST"}),
        (28, {"FOURTH", "LAST"}),
    ],
)
def test_day_of_week_in_month_is_counted(holds: Ask, day: int, which: set[str]) -> None:
    """ENG-275: February 2026 begins on a Sunday and has 28 days."""
    context = context_of(date=f"2026-02-{day:02}T08:00:00Z")
    name = "SUNDAY" if day % 7 == 1 else "SATURDAY"
    every = ("FIRST", "SECOND", "THIRD", "FOURTH", "LAST")
    assert {one for one in every if holds("DayWeekInMonth", context, dayOfWeek=name, dayInMonth=one)} == which
    assert not any(holds("DayWeekInMonth", context, dayOfWeek="MONDAY", dayInMonth=one) for one in every)


def test_fifth_day_of_a_month_is_only_the_last(holds: Ask) -> None:
    """ENG-275."""
    context = context_of(date="2026-01-29T08:00:00Z")
    assert holds("DayWeekInMonth", context, dayOfWeek="THURSDAY", dayInMonth="LAST")
    assert not holds("DayWeekInMonth", context, dayOfWeek="THURSDAY", dayInMonth="FOURTH")
    fourth = context_of(date="2026-01-22T08:00:00Z")
    assert not holds("DayWeekInMonth", fourth, dayOfWeek="THURSDAY", dayInMonth="LAST")


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"after": "2026-01-31T08:59:59Z"}, True),
        ({"after": "2026-01-31T09:00:00Z"}, False),
        ({"before": "2026-01-31T09:00:00Z"}, False),
        ({"before": "2026-01-31T10:00:01+01:00"}, True),
        ({"after": "2026-01-01", "before": "2026-02-01"}, True),
        ({"after": "2026-02-01", "before": "2026-03-01"}, False),
        ({"after": "{{ start }}"}, True),
    ],
)
def test_date_time_between_compares_instants(holds: Ask, bounds: dict[str, Any], expected: bool) -> None:
    """ENG-273."""
    context = context_of(date=SATURDAY, variables={"start": "2026-01-30T00:00:00Z"})
    assert holds("DateTimeBetween", context, **bounds) is expected


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"after": "08:59:59Z"}, True),
        ({"after": "09:00:00Z"}, False),
        ({"after": "09:30:00+01:00"}, True),
        ({"before": "10:00:00+01:00"}, False),
        ({"before": "11:00"}, True),
        ({"after": "09:00:00+01:00", "before": "11:00:00+01:00"}, True),
        ({"after": "09:00:00+01:00", "before": "08:30:00Z"}, False),
        ({"after": "22:00:00Z", "before": "06:00:00Z"}, False),
        ({"after": "22:00:00Z", "before": "09:30:00Z"}, True),
    ],
)
def test_time_between_compares_times_of_day(holds: Ask, bounds: dict[str, Any], expected: bool) -> None:
    """ENG-273."""
    assert holds("TimeBetween", context_of(date=SATURDAY), **bounds) is expected


def test_time_between_holds_over_night_and_for_a_time_alone(holds: Ask) -> None:
    """ENG-273, MIG-056."""
    night = {"after": "22:00:00Z", "before": "06:00:00Z"}
    for time, expected in (("23:00:00", True), ("05:59:00", True), ("21:00:00", False), ("06:00:00", False)):
        assert holds("TimeBetween", context_of(date=f"2026-01-31T{time}Z"), **night) is expected
    assert holds("TimeBetween", context_of(), date="10:15:30+01:00", after="09:00:00Z", before="09:30:00Z")


@pytest.mark.parametrize("name", ["TimeBetween", "DateTimeBetween"])
def test_between_without_any_bound_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="set `after`, `before` or both"):
        make({"type": f"{PREFIX}{name}"})


def test_time_that_is_none_is_an_error(holds: Ask) -> None:
    with pytest.raises(ConditionError, match="`noon` is no time of day"):
        holds("TimeBetween", context_of(date=SATURDAY), after="noon")


def test_day_that_is_none_is_an_error_where_it_is_read_or_rendered(holds: Ask) -> None:
    """EXP-007."""
    with pytest.raises(ValidationError):
        make({"type": f"{PREFIX}DayWeek", "dayOfWeek": "CATURDAY"})
    with pytest.raises(ConditionError, match="gives `CATURDAY`"):
        holds("DayWeek", context_of(date=SATURDAY, variables={"day": "CATURDAY"}), dayOfWeek="{{ day }}")
    assert holds("DayWeek", context_of(date=SATURDAY, variables={"day": "SATURDAY"}), dayOfWeek="{{ day }}")


@pytest.mark.parametrize(
    ("date", "where", "expected"),
    [
        ("2026-07-14T08:00:00Z", {"country": "FR"}, True),
        ("2026-07-14T08:00:00Z", {"country": "DE"}, False),
        ("2026-01-06T08:00:00Z", {"country": "DE"}, False),
        ("2026-01-06T08:00:00Z", {"country": "de", "subDivision": "BY"}, True),
        ("2025-12-31T23:30:00-05:00", {"country": "US"}, False),  # the new year has begun in UTC alone
    ],
)
def test_public_holiday_is_that_of_the_country(holds: Ask, date: str, where: dict[str, Any], expected: bool) -> None:
    """ENG-273."""
    assert holds("PublicHoliday", context_of(date=date), **where) is expected


def test_public_holiday_of_nowhere_is_an_error(holds: Ask) -> None:
    for where in ({"country": "ATLANTIS"}, {"country": "DE", "subDivision": "ZZ"}):
        with pytest.raises(ConditionError, match="are not known"):
            holds("PublicHoliday", context_of(date=SATURDAY), **where)


def test_public_holiday_without_the_library_names_the_extra(holds: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(ConditionError, match=r"penstock\[holidays\]"):
        holds("PublicHoliday", context_of(date=SATURDAY), country="FR")
