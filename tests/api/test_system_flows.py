"""The instance's own flows, told from those of its users."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.live import LiveServer, live_server

FLOW = """
id: {flow_id}
namespace: {namespace}
tasks:
  - {{id: log, type: io.kestra.plugin.core.log.Log, message: hello}}
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LiveServer]:
    """Return a server whose own namespace is `ops`, with flows there, below it, and elsewhere."""
    names = {"namespace": "ops", "flow_id": "purge"}, {"namespace": "ops.alerts", "flow_id": "tell"}
    async with live_server(
        tmp_path,
        system_namespace="ops",
        change=lambda settings: replace(settings, system_namespace="ops"),
    ) as live:
        for name in (*names, {"namespace": "ops-team", "flow_id": "load"}, {"namespace": "system", "flow_id": "user"}):
            await live.flow(FLOW.format(**name))
            answer = await live.client.post(
                f"/api/v1/main/executions/{name['namespace']}/{name['flow_id']}", params={"wait": "true"}
            )
            assert answer.status_code == 200, answer.text
        yield live


@pytest.mark.parametrize(
    ("operation", "scope", "expected"),
    [
        ("EQUALS", "SYSTEM", {"purge", "tell"}),
        ("EQUALS", "USER", {"load", "user"}),
        ("EQUALS", "USER,SYSTEM", {"purge", "tell", "load", "user"}),
        ("NOT_EQUALS", "SYSTEM", {"load", "user"}),
    ],
)
async def test_flows_and_executions_of_a_scope_are_found(
    server: LiveServer, operation: str, scope: str, expected: set[str]
) -> None:
    """ENG-376, ENG-377: the namespace is configured; flows below it belong to it."""
    params = {f"filters[scope][{operation}]": scope, "size": "50"}
    flows = (await server.client.get("/api/v1/main/flows/search", params=params)).json()
    assert {one["id"] for one in flows["results"]} == expected
    executions = (await server.client.get("/api/v1/main/executions/search", params=params)).json()
    assert {one["flowId"] for one in executions["results"]} == expected
    assert executions["total"] == len(expected)


async def test_scope_that_does_not_exist_is_refused(server: LiveServer) -> None:
    """ENG-377."""
    answer = await server.client.get("/api/v1/main/flows/search", params={"filters[scope][EQUALS]": "MINE"})
    assert answer.status_code == 422
    assert "use SYSTEM or USER" in answer.text


async def test_namespace_of_the_system_is_told_to_the_interface(server: LiveServer) -> None:
    """ENG-376."""
    assert (await server.client.get("/api/v1/configs")).json()["systemNamespace"] == "ops"
