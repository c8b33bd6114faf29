"""What the API answers is what its description says, field by field."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from penstock.api import schemas
from tests.api.flows import FAILING, GREETING, HOOKED
from tests.support.live import LiveServer

API = "/api/v1/main"
BESIDE = {"tenantId"}
"""Fields that documented answers carry beside the documented ones."""


def check(shape: type[BaseModel], body: dict[str, Any]) -> None:
    """Fail unless the answer is of the shape and has no field the shape does not know."""
    shape.model_validate(body)
    if shape.model_config.get("extra") == "allow":
        return
    fields = {field.alias or name: field.annotation for name, field in shape.model_fields.items()}
    unknown = set(body) - set(fields) - BESIDE
    assert not unknown, f"{shape.__name__} does not describe {sorted(unknown)}"
    for name, value in body.items():
        inner = _inner(fields.get(name))
        if inner is None:
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                check(inner, one)


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _inner(one))), None)


def test_check_of_an_answer_with_an_unknown_field_fails() -> None:
    with pytest.raises(AssertionError, match="colour"):
        check(schemas.Label, {"key": "a", "value": "b", "colour": "red"})


async def test_execution_is_as_described(server: LiveServer) -> None:
    """API-030, API-031, API-032."""
    await server.flow(GREETING)
    check(schemas.Execution, await server.start("greeting"))
    ended = await server.run("greeting", params={"labels": "a:b"})
    check(schemas.Execution, ended)
    check(schemas.PagedExecutions, (await server.client.get(f"{API}/executions/search")).json())
    wanted = [{"namespace": "team", "id": "greeting"}]
    [last] = (await server.client.post(f"{API}/executions/latest", json=wanted)).json()
    check(schemas.LastExecution, last)
    metrics = (await server.client.get(f"{API}/metrics/{ended['id']}")).json()
    check(schemas.PagedMetrics, metrics)


async def test_execution_of_a_webhook_is_as_described(server: LiveServer) -> None:
    await server.flow(HOOKED)
    started = (await server.client.post(f"{API}/executions/webhook/team/hooked/abc123")).json()
    check(schemas.Execution, {"deleted": False, **started})
    check(schemas.Execution, await server.until(started["id"], "SUCCESS"))


async def test_flow_and_verdicts_are_as_described(server: LiveServer) -> None:
    """API-033, API-035, API-039."""
    check(schemas.Flow, await server.flow(GREETING))
    check(schemas.PagedFlows, (await server.client.get(f"{API}/flows/search")).json())
    [verdict] = (await server.client.post(f"{API}/flows/validate", content="id: x\nnamespace: y\n")).json()
    check(schemas.Violation, verdict)
    refused = await server.client.post(f"{API}/flows", content="id: x\nnamespace: y\n")
    check(schemas.Error, refused.json())
    launch = (await server.client.post(f"{API}/executions/team/greeting/validate", data={"times": "no"})).json()
    check(schemas.InputsValidation, launch)


async def test_logs_and_configuration_are_as_described(server: LiveServer) -> None:
    """API-036, API-041."""
    await server.flow(FAILING)
    ended = await server.run("failing")
    lines = (await server.client.get(f"{API}/logs/{ended['id']}")).json()
    assert lines
    for line in lines:
        check(schemas.LogEntry, line)
    check(schemas.InstanceConfig, (await server.client.get("/api/v1/configs")).json())
    page = (await server.client.get("/api/v1/plugins/io.kestra.plugin.core.log.Log")).json()
    check(schemas.Documentation, page)


COMMON = """id: common
namespace: team
tasks:
  - id: one
    type: io.kestra.plugin.core.log.Log
    message: x
    description: The task
    retry: {type: constant, interval: PT1S, maxAttempts: 2}
    timeout: PT1M
    disabled: false
    workerGroup: {key: gpu, fallback: WAIT}
    logLevel: WARN
    allowFailure: true
    allowWarning: true
    logToFile: true
    runIf: "{{ true }}"
    taskCache: {enabled: true, ttl: PT1H}
    assets: {enableAuto: true, inputs: [{id: a}], outputs: [{id: b, type: TABLE}]}
triggers:
  - id: daily
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "@daily"
    description: The trigger
    conditions: []
    disabled: true
    workerGroup: {key: gpu}
    logLevel: INFO
    labels: [{key: a, value: b}]
    stopAfter: [FAILED]
    logToFile: true
    failOnTriggerError: true
    allowConcurrent: true
    assets: {inputs: [{id: a}]}
"""


async def test_common_properties_of_tasks_and_triggers_come_back_as_written(server: LiveServer) -> None:
    """API-034."""
    wanted = yaml.safe_load(COMMON)
    flow = await server.flow(COMMON)
    assert (flow["tasks"], flow["triggers"]) == (wanted["tasks"], wanted["triggers"])
    task = (await server.client.get(f"{API}/flows/team/common/tasks/one")).json()
    check(schemas.Task, task)
    assert task == wanted["tasks"][0]
