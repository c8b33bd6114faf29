from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.builtin.triggers.cron import check_cron, last_before, next_after

PARIS = ZoneInfo("Europe/Paris")
UTC_ZONE = ZoneInfo("UTC")


def dates(expression: str, start: str, count: int, zone: str = "UTC") -> list[str]:
    found = []
    moment = datetime.fromisoformat(start)
    for _ in range(count):
        date = next_after(check_cron(expression, with_seconds=len(expression.split()) == 6), ZoneInfo(zone), moment)
        assert date is not None
        found.append(date.isoformat())
        moment = date
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/15 * * * *", "2024-01-01T00:15:00+00:00"),
        ("0 11 * * 1", "2024-01-01T11:00:00+00:00"),
        ("0 11 * * MON", "2024-01-01T11:00:00+00:00"),
        ("0 9 * * 1-5", "2024-01-01T09:00:00+00:00"),
        ("0 0 1 1,4,7,10 *", "2024-04-01T00:00:00+00:00"),
        ("0 12 L * *", "2024-01-31T12:00:00+00:00"),
        ("0 0 29 2 *", "2024-02-29T00:00:00+00:00"),
        ("@yearly", "2025-01-01T00:00:00+00:00"),
        ("@annually", "2025-01-01T00:00:00+00:00"),
        ("@monthly", "2024-02-01T00:00:00+00:00"),
        ("@weekly", "2024-01-07T00:00:00+00:00"),
        ("@daily", "2024-01-02T00:00:00+00:00"),
        ("@midnight", "2024-01-02T00:00:00+00:00"),
        ("@hourly", "2024-01-01T01:00:00+00:00"),
        ("*/10 * * * * *", "2024-01-01T00:00:10+00:00"),
    ],
)
def test_cron_expression_gives_its_next_date(expression: str, expected: str) -> None:
    """ENG-278, ENG-279, USE-B053."""
    assert dates(expression, "2024-01-01T00:00:00+00:00", 1) == [expected]


@pytest.mark.parametrize(
    ("expression", "with_seconds", "message"),
    [
        ("* * * *", False, "has 4 fields"),
        ("0 * * * * *", False, "needs withSeconds"),
        ("0 * * * *", True, "has 5 fields"),
        ("61 * * * *", False, "wrong minute"),
        ("0 0 31 2 *", False, "wrong day-of-month"),
        ("0 0 * * FOO", False, "wrong day-of-week"),
        ("@often", False, "no cron shortcut; there are @yearly"),
    ],
)
def test_cron_expression_wrong_says_why(expression: str, with_seconds: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_cron(expression, with_seconds=with_seconds)


def test_cron_fixed_hour_in_a_skipped_hour_runs_once_at_its_end() -> None:
    """ENG-288: the night of 31 March 2024 has no 02:30 in Paris."""
    assert dates("30 2 * * *", "2024-03-30T12:00:00+01:00", 2, "Europe/Paris") == [
        "2024-03-31T03:00:00+02:00",
        "2024-04-01T02:30:00+02:00",
    ]


def test_cron_fixed_hour_in_a_repeated_hour_runs_once() -> None:
    """ENG-288: the night of 27 October 2024 has 02:30 twice in Paris."""
    assert dates("30 2 * * *", "2024-10-26T12:00:00+02:00", 2, "Europe/Paris") == [
        "2024-10-27T02:30:00+02:00",
        "2024-10-28T02:30:00+01:00",
    ]


def test_cron_every_hour_runs_in_each_hour_of_a_repeated_one() -> None:
    assert dates("0 * * * *", "2024-10-27T01:00:00+02:00", 3, "Europe/Paris") == [
        "2024-10-27T02:00:00+02:00",
        "2024-10-27T02:00:00+01:00",
        "2024-10-27T03:00:00+01:00",
    ]


def test_cron_last_date_before_the_second_repeated_hour_is_the_first_one() -> None:
    moment = datetime(2024, 10, 27, 2, 10, tzinfo=PARIS, fold=1)
    found = last_before("30 2 * * *", PARIS, moment)
    assert found is not None
    assert found.isoformat() == "2024-10-27T02:30:00+02:00"


minutes = st.one_of(st.just("*"), st.integers(0, 59).map(str), st.sampled_from(["*/7", "0,30", "10-20"]))
hours = st.one_of(st.just("*"), st.integers(0, 23).map(str), st.sampled_from(["*/5", "1-3", "2,3"]))
expressions = st.builds(lambda minute, hour: f"{minute} {hour} * * *", minutes, hours)
zones = st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]).map(
    ZoneInfo
)


def _utc(days: int) -> datetime:
    return datetime(2024, 3, 8, tzinfo=UTC) + timedelta(days=days)


moments = st.builds(
    lambda day, second: _utc(day) + timedelta(seconds=second),
    st.one_of(st.integers(0, 38), st.integers(207, 242)),
    st.integers(0, 86_399),
)


@settings(max_examples=150, deadline=None)
@given(expressions, zones, moments)
def test_cron_dates_around_clock_changes_only_ever_move_forward(
    expression: str, zone: ZoneInfo, moment: datetime
) -> None:
    found = [moment]
    for _ in range(5):
        date = next_after(expression, zone, found[-1])
        assert date is not None
        found.append(date.astimezone(UTC))
    assert all(one < other for one, other in pairwise(found))


@settings(max_examples=150, deadline=None)
@given(expressions, zones, moments)
def test_cron_date_before_the_next_date_is_not_after_the_moment(
    expression: str, zone: ZoneInfo, moment: datetime
) -> None:
    """Nothing lies between a moment and the next date: walking back from that date passes the moment."""
    following = next_after(expression, zone, moment)
    assert following is not None
    before = last_before(expression, zone, following)
    assert before is not None
    assert before.astimezone(UTC) <= moment


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 59), st.integers(0, 23), zones, moments)
def test_cron_daily_job_runs_once_a_day_whatever_the_clock_does(
    minute: int, hour: int, zone: ZoneInfo, moment: datetime
) -> None:
    date = next_after(f"{minute} {hour} * * *", zone, moment)
    assert date is not None
    for _ in range(4):
        following = next_after(f"{minute} {hour} * * *", zone, date)
        assert following is not None
        assert (following.replace(tzinfo=None) - date.replace(tzinfo=None)) <= timedelta(days=1, hours=1)
        assert following.date() - date.date() == timedelta(days=1)
        date = following
