from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from penstock.builtin.triggers.on_dates import ScheduleOnDates
from penstock.builtin.triggers.schedule import Schedule
from penstock.builtin.triggers.webhook import Webhook
from penstock.model.flow import parse_flow
from penstock.wiring.plugins import load_plugins

SCHEDULE = "io.kestra.plugin.core.trigger.Schedule"


def schedule(**properties: object) -> Schedule:
    return Schedule.model_validate({"id": "t", "type": SCHEDULE, **properties})


def test_schedule_dates_are_in_its_zone() -> None:
    """ENG-277: UTC unless a zone is given."""
    moment = datetime(2024, 7, 1, 12, tzinfo=UTC)
    assert str(schedule(cron="0 8 * * *").next_after(moment)) == "2024-07-02 08:00:00+00:00"
    trigger = schedule(cron="0 8 * * *", timezone="America/New_York")
    assert str(trigger.next_after(moment)) == "2024-07-02 08:00:00-04:00"
    assert str(trigger.last_before(datetime(2024, 7, 1, 13, tzinfo=UTC))) == "2024-07-01 08:00:00-04:00"


def test_schedule_on_the_very_date_gives_the_neighbours() -> None:
    moment = datetime(2024, 7, 1, 8, tzinfo=UTC)
    trigger = schedule(cron="0 8 * * *")
    assert str(trigger.next_after(moment)) == "2024-07-02 08:00:00+00:00"
    assert str(trigger.last_before(moment)) == "2024-06-30 08:00:00+00:00"


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"cron": "x"}, "has 1 fields"),
        ({"cron": "@daily", "timezone": "Mars/Olympus"}, "`Mars/Olympus` is no time zone"),
        ({"cron": "@daily", "recoverMissedSchedules": "SOME"}, "recoverMissedSchedules"),
        ({"cron": "@daily", "lateMaximumDelay": "soon"}, "`soon` is not a duration"),
        ({"cron": "@daily", "surprise": 1}, "surprise"),
        ({}, "cron"),
    ],
)
def test_schedule_wrong_property_is_refused(properties: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        schedule(**properties)


def test_schedule_late_maximum_is_read() -> None:
    """USE-B052."""
    assert schedule(cron="@daily", lateMaximumDelay="PT10M").late_maximum == 600_000_000
    assert schedule(cron="@daily").late_maximum is None


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("cron: 0 0 0 * * *", "cron"),
        ("timezone: Mars/Olympus", "timezone"),
        ("lateMaximumDelay: soon", "lateMaximumDelay"),
        ("backfill: {start: soon}", "backfill.start"),
    ],
)
def test_schedule_problem_is_told_at_the_property_of_its_trigger(line: str, place: str) -> None:
    """BEY-033."""
    cron = "" if place == "cron" else "cron: '@daily'"
    source = f"""
id: timed
namespace: company.team
tasks: [{{id: log, type: io.kestra.plugin.core.log.Log, message: hello}}]
triggers:
  - {{id: first, type: {SCHEDULE}, cron: '@daily'}}
  - id: second
    type: {SCHEDULE}
    {cron}
    {line}
"""
    [problem] = parse_flow(source, load_plugins().registry).errors
    assert problem.path == f"triggers[1].{place}"
    assert problem.line == 10


def on_dates(*dates: str, **properties: object) -> ScheduleOnDates:
    return ScheduleOnDates.model_validate({"id": "t", "type": ScheduleOnDates.type_name, "dates": dates, **properties})


def test_dates_one_by_one_are_walked_in_their_order_and_zone() -> None:
    trigger = on_dates("2026-07-14T08:00:00+02:00", "2026-01-01T08:00:00", timezone="Europe/Paris")
    first = trigger.next_after(datetime(2025, 1, 1, tzinfo=UTC))
    assert str(first) == "2026-01-01 08:00:00+01:00"
    assert first is not None
    second = trigger.next_after(first)
    assert str(second) == "2026-07-14 08:00:00+02:00"
    assert second is not None
    assert trigger.next_after(second) is None
    assert trigger.last_before(second) == first
    assert trigger.last_before(first) is None


def test_dates_one_by_one_in_another_order_are_the_same_dates() -> None:
    assert on_dates("2026-01-01", "2026-07-14").timing == on_dates("2026-07-14", "2026-01-01T00:00:00Z").timing


@pytest.mark.parametrize("dates", [[], ["soon"]])
def test_dates_one_by_one_that_are_none_are_refused(dates: list[str]) -> None:
    with pytest.raises(ValidationError, match="dates"):
        on_dates(*dates)


def test_webhook_needs_a_key() -> None:
    """ENG-302."""
    with pytest.raises(ValidationError, match="key"):
        Webhook.model_validate({"id": "w", "type": Webhook.type_name})
    with pytest.raises(ValidationError, match="`soon` is not a duration"):
        Webhook.model_validate({"id": "w", "type": Webhook.type_name, "key": "k", "timeout": "soon"})
    hook = Webhook.model_validate(
        {"id": "w", "type": Webhook.type_name, "key": "k", "wait": True, "returnOutputs": True}
    )
    assert hook.return_outputs
    assert hook.response_content_type == "application/json"
