"""Which flows start which, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.api import schemas
from penstock.base.codec import from_json
from penstock.services.dependencies.listening import may_react
from tests.api.flows import GREETING
from tests.api.test_shapes import check
from tests.support.live import LiveServer

API = "/api/v1/main"
CONDITION = "io.kestra.plugin.core.condition"
CALLER = """id: caller
namespace: company.team
tasks:
  - id: inside
    type: io.kestra.plugin.core.flow.Sequential
    tasks:
      - {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: team, flowId: greeting}
"""
REPORT = """id: report
namespace: team
triggers:
  - id: after
    type: io.kestra.core.models.triggers.types.Flow
    preconditions:
      id: all
      flows:
        - {namespace: team, flowId: greeting, states: [SUCCESS]}
tasks:
  - {id: said, type: io.kestra.plugin.core.log.Log, message: done}
"""
ALONE = REPORT.partition("triggers:")[0].replace("report", "alone") + "tasks:\n" + REPORT.partition("tasks:\n")[2]
CALL = ("main_company.team_caller", "main_team_greeting", "FLOW_TASK")
REACT = ("main_team_greeting", "main_team_report", "FLOW_TRIGGER")


async def graph(server: LiveServer, path: str, **params: Any) -> tuple[set[str], set[tuple[str, str, str]]]:
    answer = await server.client.get(f"{API}/{path}", params=params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    check(schemas.FlowTopology, body)
    return (
        {node["id"] for node in body["nodes"]},
        {(edge["source"], edge["target"], edge["relation"]) for edge in body["edges"]},
    )


async def test_flows_are_linked_by_their_tasks_and_triggers(server: LiveServer) -> None:
    """API-100, API-038, API-117, UI-064."""
    for source in (GREETING, CALLER, REPORT, ALONE):
        await server.flow(source)
    assert await graph(server, "flows/team/greeting/dependencies") == ({"greeting", "caller", "report"}, {CALL, REACT})
    only = await graph(server, "flows/team/greeting/dependencies", destinationOnly=True)
    assert only == ({"greeting", "report"}, {REACT})
    assert await graph(server, "flows/company.team/caller/dependencies") == ({"greeting", "caller"}, {CALL})
    wide = await graph(server, "flows/company.team/caller/dependencies", expandAll=True)
    assert wide == ({"greeting", "caller", "report"}, {CALL, REACT})
    assert await graph(server, "flows/team/alone/dependencies") == ({"alone"}, set())
    within = await graph(server, "namespaces/team/dependencies")
    assert within == ({"greeting", "caller", "report", "alone"}, {CALL, REACT})
    assert await graph(server, "namespaces/team/dependencies", destinationOnly=True) == (
        {"greeting", "report", "alone"},
        {REACT},
    )
    assert await graph(server, "dependencies") == ({"greeting", "caller", "report"}, {CALL, REACT})
    assert (await server.client.get(f"{API}/flows/team/nobody/dependencies")).status_code == 404
    await server.client.delete(f"{API}/flows/company.team/caller")
    assert await graph(server, "dependencies") == ({"greeting", "report"}, {REACT})


async def test_executions_that_belong_together_are_followed_to_their_end(server: LiveServer) -> None:
    """API-024, UI-129."""
    for source in (GREETING, CALLER):
        await server.flow(source)
    started = (await server.client.post(f"{API}/executions/company.team/caller", params={"wait": "true"})).json()
    server.services.dependencies._poll = server.services.dependencies._linger = 0.01
    answer = await server.client.get(f"{API}/executions/{started['id']}/follow-dependencies")
    assert answer.text.startswith("data\n\n")
    frames = [line.removeprefix("data:").strip() for line in answer.text.splitlines() if line.startswith("data:")]
    seen = [from_json(one.encode()) for one in frames]
    assert {(one["flowId"], one["state"]["current"]) for one in seen} == {
        ("caller", "SUCCESS"),
        ("greeting", "SUCCESS"),
    }
    assert started["id"] in {one["executionId"] for one in seen}
    assert (await server.client.get(f"{API}/executions/nope/follow-dependencies")).status_code == 404


def condition(name: str, **values: Any) -> dict[str, Any]:
    return {"type": f"{CONDITION}.{name}", **values}


FLOW = condition("ExecutionFlow", namespace="a.b", flowId="f")
OTHER = condition("ExecutionFlowCondition", namespace="a.b", flowId="g")


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ({}, True),
        ({"conditions": [condition("ExecutionStatus")]}, True),
        ({"conditions": [FLOW]}, True),
        ({"conditions": [OTHER]}, False),
        ({"conditions": [FLOW, OTHER]}, False),
        ({"conditions": [condition("Or", conditions=[FLOW, OTHER])]}, True),
        ({"conditions": [condition("Not", conditions=[FLOW])]}, False),
        ({"conditions": [condition("Not", conditions=[condition("ExecutionStatus")])]}, True),
        ({"conditions": [condition("MultipleCondition", conditions={"x": FLOW, "y": OTHER})]}, True),
        ({"conditions": [condition("ExecutionNamespace", namespace="a", prefix=True)]}, True),
        ({"conditions": [condition("ExecutionNamespace", namespace="a")]}, False),
        ({"conditions": [condition("ExecutionNamespace", namespace="b", comparison="SUFFIX")]}, True),
        ({"preconditions": {"flows": [{"namespace": "a.b"}]}}, True),
        ({"preconditions": {"flows": [{"namespace": "a.b", "flowId": "g"}]}}, False),
        ({"dependsOn": [{"namespace": "a.b", "flowId": "f"}]}, True),
        ({"preconditions": {"where": [{"filters": [{"field": "FLOW_ID", "type": "IN", "values": ["g"]}]}]}}, False),
        ({"preconditions": {"where": [{"filters": [{"field": "STATE", "type": "EQUAL_TO", "value": "S"}]}]}}, True),
        ({"preconditions": {"where": [{"filters": [{"field": "NAMESPACE", "type": "STARTS_WITH", "value": "a"}]}]}},
         True),
    ],
)  # fmt: skip
def test_trigger_may_react_to_what_its_definition_does_not_rule_out(trigger: dict[str, Any], expected: bool) -> None:
    """UI-064."""
    assert may_react(trigger, ("a.b", "f")) is expected
