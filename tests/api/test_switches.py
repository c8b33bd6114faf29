"""Flows and triggers enabled, disabled and paused over HTTP, whatever their sources say."""

from __future__ import annotations

from typing import Any

from penstock.api import schemas
from penstock.base.clock import SECOND, SystemClock, to_iso
from penstock.ports.triggers import TriggerState
from tests.api.test_shapes import check
from tests.support.live import USER, LiveServer

MAIN = "/api/v1/main"
HELLO = """id: hello
namespace: team
tasks:
  - {id: a, type: io.kestra.plugin.core.log.Log, message: x}
triggers:
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: secret-key}
  - {id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: "30 4 * * *", disabled: true}
"""
FLOW = f"{MAIN}/flows/team/hello"
REASON = "the warehouse moves"


def later(seconds: int = 3600) -> str:
    return to_iso(SystemClock().now() + seconds * SECOND)


async def said(server: LiveServer) -> list[dict[str, Any]]:
    flow = (await server.client.get(FLOW)).json()
    check(schemas.Flow, flow)
    found: list[dict[str, Any]] = flow.get("switches", [])
    return found


async def test_flow_paused_starts_nothing_says_why_and_goes_on_when_resumed(server: LiveServer) -> None:
    """BEY-041."""
    await server.flow(HELLO)
    await server.core.store.triggers.save(TriggerState("main", "team", "hello", "hook"))
    until = later()
    order = {"state": "PAUSED", "until": until, "reason": REASON}
    answer = await server.client.put(f"{FLOW}/switch", json=order)
    assert answer.status_code == 200, answer.text
    switch = answer.json()
    check(schemas.Switch, switch)
    assert (switch["state"], switch["by"], switch["reason"]) == ("PAUSED", USER.username, REASON)
    assert (switch["source"], switch["drift"]) == ("ENABLED", True)
    assert await said(server) == [switch]

    ended = await server.run("hello")
    assert ended["state"]["current"] == "FAILED"
    assert f"paused by {USER.username} until " in ended["error"]
    assert REASON in ended["error"]
    why = (await server.client.get(f"{MAIN}/why/trigger/team/hello/hook")).json()
    assert REASON in why["sentence"]
    triggers = (await server.client.get(f"{MAIN}/triggers/team/hello")).json()
    check(schemas.PagedTriggers, triggers)
    assert [(one["heldByFlow"], one["flowSwitch"]) for one in triggers["results"]] == [(True, switch)]

    assert (await server.client.delete(f"{FLOW}/switch")).status_code == 204
    assert await said(server) == []
    triggers = (await server.client.get(f"{MAIN}/triggers/team/hello")).json()
    assert not any("heldByFlow" in one for one in triggers["results"])
    assert (await server.run("hello"))["state"]["current"] == "SUCCESS"


async def test_switch_outlives_saving_deleting_and_importing_its_flow(server: LiveServer) -> None:
    """BEY-041: whatever writes the source, it does not undo what was said on the instance."""
    await server.flow(HELLO)
    await server.client.put(f"{FLOW}/switch", json={"state": "DISABLED", "reason": REASON})
    [switch] = await said(server)
    changed = HELLO.replace("message: x", "message: y")
    assert (await server.client.put(FLOW, content=changed)).status_code == 200
    files = {"fileUpload": ("flows.yaml", HELLO.encode())}
    assert (await server.client.post(f"{MAIN}/flows/import", files=files)).status_code == 200
    assert (await server.client.post(f"{MAIN}/flows/bulk", content=changed)).status_code == 200
    assert (await server.client.delete(FLOW)).status_code == 204
    await server.flow(HELLO)
    assert await said(server) == [switch]
    assert (await server.run("hello"))["state"]["current"] == "FAILED"


async def test_flow_and_trigger_disabled_in_the_source_are_enabled_on_the_instance(server: LiveServer) -> None:
    """BEY-041: the reverse drift."""
    await server.flow(f"{HELLO}disabled: true\n")
    for path in (f"{FLOW}/switch", f"{MAIN}/triggers/team/hello/daily/switch"):
        switch = (await server.client.put(path, json={"state": "ENABLED"})).json()
        assert (switch["source"], switch["drift"]) == ("DISABLED", True)
    assert (await server.run("hello"))["state"]["current"] == "SUCCESS"
    flow = await server.core.catalog.resolved("main", "team", "hello")
    daily = next(one for one in server.core.reading.triggers(flow) if one.id == "daily")
    assert not daily.disabled


async def test_webhook_is_refused_while_its_trigger_is_disabled_on_the_instance(server: LiveServer) -> None:
    """BEY-041."""
    await server.flow(HELLO)
    hook, switch = f"{MAIN}/executions/webhook/team/hello/secret-key", f"{MAIN}/triggers/team/hello/hook/switch"
    await server.client.put(switch, json={"state": "DISABLED"})
    refused = await server.client.post(hook)
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
    await server.client.delete(switch)
    assert (await server.client.post(hook)).status_code == 200


async def test_order_that_cannot_be_carried_out_is_refused(server: LiveServer) -> None:
    """BEY-041."""
    await server.flow(HELLO)
    for order, word in (
        ({"state": "PAUSED"}, "future"),
        ({"state": "PAUSED", "until": "2020-01-01T00:00:00Z"}, "future"),
        ({"state": "DISABLED", "until": later()}, "until"),
        ({"state": None}, "DELETE"),
    ):
        answer = await server.client.put(f"{FLOW}/switch", json=order)
        assert answer.status_code == 422, (order, answer.text)
        assert word in answer.text
    for path in (f"{MAIN}/flows/team/nothing/switch", f"{MAIN}/triggers/team/hello/nothing/switch"):
        assert (await server.client.put(path, json={"state": "DISABLED"})).status_code == 404
        assert (await server.client.delete(path)).status_code == 404
    assert await said(server) == []


async def test_several_flows_and_triggers_are_paused_and_resumed_at_once(server: LiveServer) -> None:
    """BEY-041: named, and found by a query."""
    await server.flow(HELLO)
    await server.flow(HELLO.replace("id: hello", "id: other"))
    await server.core.store.triggers.save(TriggerState("main", "team", "hello", "daily"))
    names = [{"namespace": "team", "flowId": "hello", "triggerId": one} for one in ("hook", "daily")]
    named = {"names": [*names, {"namespace": "team", "flowId": "hello"}], "state": "PAUSED", "until": later()}
    answer = await server.client.post(f"{MAIN}/switches/by-names", json=named)
    assert answer.json() == {"count": 3}, answer.text
    assert [one.get("triggerId", "") for one in await said(server)] == ["", "hook", "daily"]
    [row] = (await server.client.get(f"{MAIN}/triggers/search")).json()["results"]
    check(schemas.TriggerRow, row)
    assert row["triggerContext"]["disabled"] is True
    assert row["triggerContext"]["switch"]["drift"] is False  # its source disables it, too

    missing = {"names": [{"namespace": "team", "flowId": one} for one in ("other", "nowhere")], "state": "DISABLED"}
    assert (await server.client.post(f"{MAIN}/switches/by-names", json=missing)).status_code == 404
    other = (await server.client.get(f"{MAIN}/flows/team/other")).json()
    assert not other.get("switches"), "nothing is done of an order that cannot be carried out whole"

    found = await server.client.post(f"{MAIN}/triggers/switch/by-query", json={"state": None})
    assert found.json() == {"count": 1}
    query = {"filters[namespace][EQUALS]": "team"}
    found = await server.client.post(f"{MAIN}/flows/switch/by-query", params=query, json={"state": "DISABLED"})
    assert found.json() == {"count": 2}
    flows = (await server.client.get(f"{MAIN}/flows/search")).json()["results"]
    assert {one["id"]: one["switches"][0]["state"] for one in flows} == {"hello": "DISABLED", "other": "DISABLED"}


async def test_trigger_enabled_by_a_client_of_kestra_is_not_paused_any_more(server: LiveServer) -> None:
    """BEY-041: the last word on a trigger counts, however it was said."""
    await server.flow(HELLO)
    await server.core.store.triggers.save(TriggerState("main", "team", "hello", "daily"))
    name = {"namespace": "team", "flowId": "hello", "triggerId": "daily"}
    switch = f"{MAIN}/triggers/team/hello/daily/switch"
    await server.client.put(switch, json={"state": "PAUSED", "until": later()})
    await server.client.put(f"{MAIN}/triggers", json={**name, "disabled": False})
    assert await said(server) == []
    await server.client.put(f"{MAIN}/triggers", json={**name, "disabled": True})
    [disabled] = await said(server)
    assert (disabled["state"], disabled["by"]) == ("DISABLED", USER.username)
    assert (await server.client.delete(switch)).status_code == 204
    assert await said(server) == []
