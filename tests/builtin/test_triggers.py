from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from penstock.builtin.triggers.schedule import Schedule
from penstock.builtin.triggers.webhook import Webhook

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


def test_webhook_needs_a_key() -> None:
    """ENG-302."""
    with pytest.raises(ValidationError, match="key"):
        Webhook.model_validate({"id": "w", "type": Webhook.type_name})
    hook = Webhook.model_validate(
        {"id": "w", "type": Webhook.type_name, "key": "k", "wait": True, "returnOutputs": True}
    )
    assert hook.return_outputs
    assert hook.response_content_type == "application/json"
