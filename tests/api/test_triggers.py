"""Triggers over HTTP: backfills, and changes of many at once."""

from __future__ import annotations

import csv
from typing import Any

from penstock.ports.triggers import FLOW_TRIGGER, TriggerState
from tests.support.live import LiveServer

TRIGGERS = "/api/v1/main/triggers"
SCHEDULE = "io.kestra.plugin.core.trigger.Schedule"


def name(trigger: str) -> dict[str, str]:
    return {"namespace": "team", "flowId": "timed", "triggerId": trigger}


async def _save(server: LiveServer, *triggers: str, **given: Any) -> None:
    for trigger in triggers:
        state = TriggerState("main", "team", "timed", trigger, type=SCHEDULE, memory={"timing": "@daily UTC"}, **given)
        await server.core.store.triggers.save(state)


async def test_trigger_backfill_is_ordered_paused_resumed_and_deleted(server: LiveServer) -> None:
    """API-050, API-102, ENG-285."""
    await server.flow(
        "id: timed\nnamespace: team\ninputs: [{id: day, type: INT}]\ntasks:\n"
        "  - {id: hello, type: io.kestra.plugin.core.log.Log, message: Hello}\n"
    )
    await _save(server, "daily", next_date=4_000_000_000_000_000)
    order = {
        "start": "2024-05-01T00:00:00+02:00",
        "end": None,
        "inputs": {"day": 1},
        "labels": [{"key": "why", "value": "again"}],
    }
    wrong = await server.client.put(TRIGGERS, json={**name("daily"), "backfill": {**order, "inputs": {"days": 1}}})
    assert wrong.status_code == 422
    assert "input `days`: is not declared (did you mean `day`?)" in wrong.json()["message"]
    wrong = await server.client.put(TRIGGERS, json={**name("daily"), "backfill": {**order, "inputs": {"day": "x"}}})
    assert wrong.status_code == 422
    assert "input `day`: `x` is given, it must be a whole number" in wrong.json()["message"]
    answer = await server.client.put(TRIGGERS, json={**name("daily"), "backfill": order})
    assert answer.status_code == 200, answer.text
    backfill = answer.json()["backfill"]
    assert backfill["start"] == backfill["currentDate"] == "2024-04-30T22:00:00.000000Z"
    assert backfill["end"] > "2024-05-01"
    assert (backfill["inputs"], backfill["labels"]) == ({"day": 1}, [{"key": "why", "value": "again"}])
    assert answer.json()["nextExecutionDate"] == backfill["start"]

    paused = (await server.client.put(f"{TRIGGERS}/backfill/pause", json=name("daily"))).json()
    assert paused["backfill"]["paused"] is True
    assert paused["nextExecutionDate"] == "2096-10-02T07:06:40.000000Z"
    going = (await server.client.put(f"{TRIGGERS}/backfill/unpause", json=name("daily"))).json()
    assert going["backfill"].get("paused", False) is False
    deleted = (await server.client.post(f"{TRIGGERS}/backfill/delete", json=name("daily"))).json()
    assert "backfill" not in deleted
    assert (await server.client.put(f"{TRIGGERS}/backfill/pause", json=name("daily"))).status_code == 409


async def test_trigger_sent_back_whole_keeps_its_backfill(server: LiveServer) -> None:
    await _save(server, "daily")
    ordered = (
        await server.client.put(TRIGGERS, json={**name("daily"), "backfill": {"start": "2024-05-01T00:00:00Z"}})
    ).json()
    answer = await server.client.put(TRIGGERS, json={**ordered, "disabled": True})
    assert answer.status_code == 200, answer.text
    assert answer.json()["disabled"] is True
    assert answer.json()["backfill"] == {
        key: value for key, value in ordered["backfill"].items() if key != "previousNextExecutionDate"
    }


async def test_trigger_backfill_that_cannot_be_read_is_refused(server: LiveServer) -> None:
    await _save(server, "daily")
    unreadable = await server.client.put(TRIGGERS, json={**name("daily"), "backfill": {"start": "yesterday"}})
    assert unreadable.status_code == 400
    future = {"start": "2999-01-01T00:00:00Z"}
    assert (await server.client.put(TRIGGERS, json={**name("daily"), "backfill": future})).status_code == 422


async def test_triggers_are_changed_in_bulk_by_name_and_by_query(server: LiveServer) -> None:
    """API-102: those a change does not apply to are not counted."""
    await _save(server, "one", "two", execution_id="locked")
    await _save(server, "three")
    client = server.client
    put = await client.put(TRIGGERS, json={**name("one"), "backfill": {"start": "2024-05-01T00:00:00Z"}})
    assert put.status_code == 200
    names = [name("one"), name("three")]
    for method, path, by_names, by_query in (
        ("POST", "/backfill/pause", 1, 1),
        ("POST", "/backfill/unpause", 1, 1),
        ("POST", "/unlock", 1, 1),
        ("POST", "/backfill/delete", 1, 0),
    ):
        answer = await client.request(method, f"{TRIGGERS}{path}/by-triggers", json=names)
        assert (path, answer.json()) == (path, {"count": by_names})
        answer = await client.request(method, f"{TRIGGERS}{path}/by-query", params={"filters[flowId][EQUALS]": "timed"})
        assert (path, answer.json()) == (path, {"count": by_query})
    disabled = await client.post(
        f"{TRIGGERS}/set-disabled/by-query", params={"filters[triggerId][IN]": "one,two", "disabled": "true"}
    )
    assert disabled.json() == {"count": 2}
    gone = await client.delete(f"{TRIGGERS}/delete/by-query", params={"filters[triggerId][EQUALS]": "one"})
    assert gone.json() == {"count": 1}
    left = (await client.get(f"{TRIGGERS}/search")).json()["results"]
    assert [(row["triggerContext"]["triggerId"], row["triggerContext"]["disabled"]) for row in left] == [
        ("three", False),
        ("two", True),
    ]


async def test_triggers_of_flows_are_not_listed(server: LiveServer) -> None:
    """ENG-267."""
    state = TriggerState("main", "team", "listening", "upstream", type="io.kestra.plugin.core.trigger.Flow")
    await server.core.store.triggers.save(state)
    assert (await server.client.get(f"{TRIGGERS}/search")).json()["total"] == 0


HOOKED = """
id: guarded
namespace: team
tasks:
  - {id: log, type: io.kestra.plugin.core.log.Log, message: hello}
triggers:
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: a-key
    conditions:
      - type: io.kestra.plugin.core.condition.Expression
        expression: "{{ trigger.body.hello == 'world' }}"
"""


async def test_webhook_request_its_conditions_do_not_hold_for_starts_nothing(server: LiveServer) -> None:
    """ENG-272."""
    await server.flow(HOOKED)
    address = "/api/v1/main/executions/webhook/team/guarded/a-key"
    refused = await server.client.post(address, json={"hello": "moon"})
    assert refused.status_code == 409
    assert "conditions of trigger `hook`" in refused.text
    assert (await server.client.post(address, json={"hello": "world"})).status_code == 200
    found = await server.client.get("/api/v1/main/executions/search", params={"filters[flowId][EQUALS]": "guarded"})
    assert found.json()["total"] == 1


async def test_flow_list_tells_how_many_triggers_are_late_or_fail(server: LiveServer) -> None:
    """BEY-005."""
    passed = 1_700_000_000_000_000
    await server.flow("id: timed\nnamespace: team\ntasks: [{id: t, type: io.kestra.plugin.core.log.Log, message: x}]\n")
    await _save(server, "late", next_date=passed)
    await _save(server, "both", next_date=passed, failures=2, error="no route")
    await _save(server, "off", next_date=passed, failures=2, disabled=True)
    await server.core.store.triggers.save(
        TriggerState("main", "team", "timed", "upstream", type=FLOW_TRIGGER, next_date=passed)
    )  # the version of its memory, no date
    found = (await server.client.get("/api/v1/main/flows/search", params={"size": 100})).json()["results"]
    marks = {flow["id"]: (flow["lateTriggers"], flow["failingTriggers"]) for flow in found}
    assert marks["timed"] == (2, 1)
    assert {mark for flow, mark in marks.items() if flow != "timed"} <= {(0, 0)}


async def test_trigger_whose_date_passes_unserved_is_shown_as_late(server: LiveServer) -> None:
    """BEY-005."""
    passed = 1_700_000_000_000_000
    await _save(server, "late", next_date=passed)
    await _save(server, "waiting", next_date=passed, execution_id="e1")
    await _save(server, "off", next_date=passed, disabled=True)
    await _save(server, "in_time", next_date=4_000_000_000_000_000)
    rows = (await server.client.get(f"{TRIGGERS}/team/timed")).json()["results"]
    assert {row["triggerId"]: row.get("lateSince") for row in rows} == {
        "late": "2023-11-14T22:13:20.000000Z",
        "waiting": None,
        "off": None,
        "in_time": None,
    }


async def test_triggers_that_a_query_finds_are_exported_as_a_table(server: LiveServer) -> None:
    """API-102."""
    await _save(server, "one", "two", execution_id="locked")
    params = {"filters[triggerId][EQUALS]": "two"}
    answer = await server.client.get(f"{TRIGGERS}/export/by-query/csv", params=params)
    (row,) = csv.DictReader(answer.text.splitlines())
    assert (row["flowId"], row["triggerId"], row["executionId"]) == ("timed", "two", "locked")
