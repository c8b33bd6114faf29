"""Ways to start a flow, and what is known before its first task."""

from __future__ import annotations

from typing import Any

import pytest

from examples.shop import Shop
from tests.acceptance.server import Server, wait_until
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.acceptance

TEXT = {"Content-Type": "text/plain"}
STARTED = """
id: started
namespace: company.ways
tasks:
  - {id: made, type: io.kestra.plugin.core.debug.Return, format: "{{ trigger ?? 'nothing' }}"}
triggers:
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: a-key}
  - {id: yearly, type: io.kestra.plugin.core.trigger.Schedule, cron: "@yearly"}
  - id: tick
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "* * * * * *"
    withSeconds: true
    stopAfter: [SUCCESS]
  - id: after
    type: io.kestra.plugin.core.trigger.Flow
    preconditions: {id: caller, flows: [{namespace: company.ways, flowId: caller, states: [SUCCESS]}]}
"""
CALLER = """
id: caller
namespace: company.ways
tasks:
  - {id: called, type: io.kestra.plugin.core.flow.Subflow, namespace: company.ways, flowId: started}
"""
INSTANCE = """
id: instance
namespace: company.ways
inputs:
  - {id: colour, type: STRING, defaults: "{{ envs.colour }}"}
tasks:
  - {id: made, type: io.kestra.plugin.core.debug.Return, format: "{{ inputs.colour }} {{ envs.colour }}"}
  - id: asked
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - {id: colour, type: STRING, defaults: "{{ envs.colour }}"}
triggers:
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: "{{ envs.colour }}-key"
    inputs: {colour: "light {{ envs.colour }}"}
outputs:
  - {id: colour, type: STRING, value: "{{ envs.colour }}"}
checks:
  - {condition: "{{ envs.colour == 'green' }}", message: it is not green}
"""
ASKING = """
id: asking
namespace: company.ways
inputs:
  - id: title
    type: SELECT
    expression: >-
      {{ http(uri=%r ~ '/products', method='GET', headers={'X-Key': 'key ' ~ secret('SLACK_WEBHOOK')})
      | jq('.products[].title') }}
tasks:
  - {id: made, type: io.kestra.plugin.core.debug.Return, format: "{{ inputs.title }}"}
"""


def test_flow_is_started_by_hand_webhook_date_subflow_and_another_flow(server: Server) -> None:
    """ENG-108, ENG-119, ENG-258, ENG-267: a call of a flow is known as its trigger, and none that is listed."""
    server.put_flow(CALLER)
    server.put_flow(STARTED)
    server.launch("company.ways", "started")
    server.request("POST", "/api/v1/main/executions/webhook/company.ways/started/a-key", auth=None)
    server.launch("company.ways", "caller")

    def ways() -> set[str | None]:
        return {(one.get("trigger") or {}).get("id") for one in server.executions("started")}

    wanted = {None, "hook", "tick", "called", "after"}
    wait_until(lambda: ways() == wanted, PATIENCE, lambda: f"the flow was started by {ways()} only")
    called = next(one for one in server.executions("started") if (one.get("trigger") or {}).get("id") == "called")
    assert called["trigger"]["type"] == "io.kestra.plugin.core.flow.Subflow"
    query = {"filters[namespace][EQUALS]": "company.ways"}
    listed = server.json("GET", "/api/v1/main/triggers/search", params=query)["results"]
    assert {one["triggerContext"]["triggerId"] for one in listed} == {"yearly", "tick"}


def test_backfill_order_may_name_the_tenant_twice(server: Server) -> None:
    """ENG-285, ENG-286: in a header and in the body, as scripts for installations of many tenants do."""
    server.put_flow(STARTED.replace("started", "filled"))
    name = {"tenantId": "main", "namespace": "company.ways", "flowId": "filled", "triggerId": "yearly"}
    order: dict[str, Any] = {"start": "2020-06-01T00:00:00Z", "end": None, "inputs": None, "labels": []}
    wait_until(
        lambda: server.request("GET", "/api/v1/main/triggers/company.ways/filled").json()["total"] == 2,
        PATIENCE,
        lambda: "the scheduler has not seen the triggers",
    )
    server.json("PUT", "/api/v1/main/triggers", json={**name, "backfill": order}, headers={"X-Kestra-Tenant": "main"})

    def dates() -> set[str]:
        runs = [one for one in server.executions("filled") if (one.get("trigger") or {}).get("id") == "yearly"]
        return {one["trigger"]["variables"]["date"][:4] for one in runs}

    wait_until(lambda: {"2021", "2022", "2023"} <= dates(), PATIENCE, lambda: f"the backfill ran {dates()} only")


def test_environment_of_the_server_is_read_in_every_part_of_a_flow(server: Server) -> None:
    """ENG-192, ENG-224: `ENV_COLOUR` is `envs.colour`; what has another prefix is hidden."""
    server.put_flow(INSTANCE)
    started = server.request("POST", "/api/v1/main/executions/webhook/company.ways/instance/green-key")
    execution_id = started.json()["id"]
    assert _resumed(server, execution_id)["inputs"] == {"colour": "light green"}

    started = server.launch("company.ways", "instance")
    assert started.status_code == 200, started.text
    execution = _resumed(server, started.json()["id"])
    assert execution["outputs"] == {"colour": "green"}
    made, asked = execution["taskRunList"]
    assert made["outputs"] == {"value": "green green"}
    assert asked["outputs"]["onResume"] == {"colour": "green"}
    told = server.json(
        "POST",
        f"/api/v1/main/executions/{execution['id']}/eval/{made['id']}",
        content="{{ envs.colour }}",
        headers=TEXT,
    )
    assert told["result"] == "green"

    server.put_flow(INSTANCE.replace('envs.colour }}"}\ntasks', 'envs.path }}"}\ntasks'))
    assert server.launch("company.ways", "instance").status_code == 422


def _resumed(server: Server, execution_id: str) -> dict[str, Any]:
    wait_until(
        lambda: server.execution(execution_id)["state"]["current"] == "PAUSED", 15, lambda: "nothing waits for a resume"
    )
    server.request("POST", f"/api/v1/main/executions/{execution_id}/resume")
    return server.ended(execution_id)


def test_choices_of_an_input_come_from_a_service_that_wants_a_key(server: Server, shop: Shop, shop_url: str) -> None:
    """ENG-165, ENG-221."""
    server.put_flow(ASKING % shop_url)
    started = server.launch("company.ways", "asking", {"title": "Desk lamp"})
    assert started.status_code == 200, started.text
    assert server.ended(started.json()["id"])["taskRunList"][0]["outputs"] == {"value": "Desk lamp"}
    refused = server.launch("company.ways", "asking", {"title": "Sofa"})
    assert refused.status_code == 422
    assert "Desk lamp" in refused.text
    assert shop.requests["/products"] >= 2
