"""The official client's methods for triggers (API-102, API-037, API-050)."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from typing import Any

import pytest
from kestrapy.exceptions import ConflictException, NotFoundException
from kestrapy.models.delete_triggers_by_query_request import DeleteTriggersByQueryRequest
from kestrapy.models.query_filter import QueryFilter
from kestrapy.models.query_filter_field import QueryFilterField
from kestrapy.models.query_filter_op import QueryFilterOp
from kestrapy.models.trigger import Trigger
from kestrapy.models.trigger_controller_set_disabled_request import TriggerControllerSetDisabledRequest

from tests.sdk_client.conftest import TENANT, Sdk
from tests.sdk_client.flows import TIMED


def known(sdk: Sdk) -> dict[str, Any]:
    """Return the state of the flow's trigger once the scheduler knows it."""
    for _ in range(500):
        found = sdk.api.triggers.search_triggers_for_flow(TENANT, sdk.namespace, "timed")
        if found["total"]:
            state: dict[str, Any] = found["results"][0]
            return state
    raise AssertionError("the scheduler never knew the trigger")


@pytest.fixture
def timed(sdk: Sdk) -> Trigger:
    sdk.flow(TIMED)
    state = Trigger.from_dict(known(sdk))
    assert state is not None
    return state


def test_search_triggers_returns_definition_and_state(sdk: Sdk, timed: Trigger) -> None:
    [found] = sdk.api.triggers.search_triggers(TENANT, page=1, size=5, sort=["triggerId:asc"], filters=sdk.here)[
        "results"
    ]
    assert found["abstractTrigger"]["cron"] == "0 0 1 1 *"
    context = Trigger.from_dict(found["triggerContext"])
    assert context is not None
    assert (context.trigger_id, context.next_execution_date.month) == ("yearly", 1)


def test_search_triggers_for_flow_looks_for_a_text(sdk: Sdk, timed: Trigger) -> None:
    search = sdk.api.triggers.search_triggers_for_flow
    assert search(TENANT, sdk.namespace, "timed", q="year", sort=["triggerId:asc"])["total"] == 1
    assert search(TENANT, sdk.namespace, "timed", q="month")["total"] == 0


def test_export_triggers_is_a_table(sdk: Sdk, timed: Trigger) -> None:
    [row] = csv.DictReader(io.StringIO(sdk.api.triggers.export_triggers(TENANT, sdk.here)))
    assert (row["flowId"], row["triggerId"], row["disabled"]) == ("timed", "yearly", "false")


def test_disabled_triggers_by_ids_switches_them(sdk: Sdk, timed: Trigger) -> None:
    wanted = TriggerControllerSetDisabledRequest(triggers=[timed], disabled=True)
    assert sdk.api.triggers.disabled_triggers_by_ids(TENANT, wanted)["count"] == 1
    assert known(sdk)["disabled"]


def test_disabled_triggers_by_query_switches_them(sdk: Sdk, timed: Trigger) -> None:
    assert sdk.api.triggers.disabled_triggers_by_query(TENANT, True, sdk.here)["count"] == 1
    assert known(sdk)["disabled"]
    assert sdk.api.triggers.disabled_triggers_by_query(TENANT, False, sdk.here)["count"] == 1
    assert not known(sdk)["disabled"]


def test_restart_trigger_returns_its_state(sdk: Sdk, timed: Trigger) -> None:
    found = Trigger.from_dict(sdk.api.triggers.restart_trigger(TENANT, sdk.namespace, "timed", "yearly"))
    assert found is not None
    assert found.trigger_id == "yearly"
    with pytest.raises(NotFoundException):
        sdk.api.triggers.restart_trigger(TENANT, sdk.namespace, "timed", "monthly")


def test_unlock_trigger_that_is_not_locked_is_a_conflict(sdk: Sdk, timed: Trigger) -> None:
    with pytest.raises(ConflictException):
        sdk.api.triggers.unlock_trigger(TENANT, sdk.namespace, "timed", "yearly")
    assert sdk.api.triggers.unlock_triggers_by_ids(TENANT, [timed])["count"] == 0
    assert sdk.api.triggers.unlock_triggers_by_query(TENANT, sdk.here)["count"] == 0


def test_delete_trigger_forgets_its_state(sdk: Sdk, timed: Trigger) -> None:
    sdk.api.flows.delete_flow(sdk.namespace, "timed", TENANT)
    with suppress(NotFoundException):  # the scheduler forgets triggers of flows that are gone as well
        sdk.api.triggers.delete_trigger(TENANT, sdk.namespace, "timed", "yearly")
    with pytest.raises(NotFoundException):
        sdk.api.triggers.delete_trigger(TENANT, sdk.namespace, "timed", "yearly")


def test_delete_triggers_by_ids_counts_them(sdk: Sdk, timed: Trigger) -> None:
    assert sdk.api.triggers.delete_triggers_by_ids(TENANT, [timed])["count"] == 1


def test_delete_triggers_by_query_reads_the_filters_of_the_body(sdk: Sdk, timed: Trigger) -> None:
    here = QueryFilter(field=QueryFilterField.NAMESPACE, operation=QueryFilterOp.EQUALS, value={"value": sdk.namespace})
    request = DeleteTriggersByQueryRequest(filters=[here])
    assert sdk.api.triggers.delete_triggers_by_query(TENANT, request)["count"] == 1


def ordered(sdk: Sdk, timed: Trigger) -> dict[str, Any]:
    """Order a backfill that is paused before its first date, by the call that has no method of its own."""
    body = {
        **timed.to_dict(),
        "disabled": True,
        "backfill": {"start": "2020-06-01T00:00:00Z", "end": "2020-07-01T00:00:00Z"},
    }
    answer = sdk.api.triggers._request("PUT", f"/api/v1/{TENANT}/triggers", body=body)
    state: dict[str, Any] = answer.json()
    return state


def test_backfill_is_paused_resumed_and_deleted(sdk: Sdk, timed: Trigger) -> None:
    sdk.api.triggers.disabled_triggers_by_query(TENANT, True, sdk.here)  # so that no scheduler ends it meanwhile
    assert ordered(sdk, timed)["backfill"]["start"] == "2020-06-01T00:00:00.000000Z"
    triggers = sdk.api.triggers
    assert Trigger.from_dict(triggers.pause_backfill(TENANT, timed)).backfill.paused
    assert "backfill" not in triggers.delete_backfill(TENANT, timed)
    ordered(sdk, timed)
    triggers.pause_backfill(TENANT, timed)
    assert not triggers.unpause_backfill(TENANT, timed)["backfill"].get("paused")


@pytest.mark.parametrize("word", ["pause_backfill", "unpause_backfill", "delete_backfill"])
def test_backfills_of_several_are_counted(sdk: Sdk, timed: Trigger, word: str) -> None:
    sdk.api.triggers.disabled_triggers_by_query(TENANT, True, sdk.here)  # so that no scheduler ends it meanwhile
    by_ids, by_query = getattr(sdk.api.triggers, f"{word}_by_ids"), getattr(sdk.api.triggers, f"{word}_by_query")
    assert (by_ids(TENANT, [timed])["count"], by_query(TENANT, sdk.here)["count"]) == (0, 0)
