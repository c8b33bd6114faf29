"""Properties every task has, on a whole server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.live import LiveServer, live_server

RETURN = "io.kestra.plugin.core.debug.Return"
FAIL = "io.kestra.plugin.core.execution.Fail"


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(tmp_path) as server:
        yield server


async def test_description_is_kept_as_it_is_written(live: LiveServer) -> None:
    """ENG-043: it is prose, and never rendered."""
    text = "Says **hello** to {{ nobody }}"
    await live.flow(
        f"{{id: told, namespace: team, tasks: [{{id: a, type: {RETURN}, format: x, description: '{text}'}}]}}"
    )
    assert (await live.run("told"))["state"]["current"] == "SUCCESS"
    flow = (await live.client.get("/api/v1/main/flows/team/told")).json()
    assert flow["tasks"][0]["description"] == text


async def test_timeout_ends_each_attempt_and_retry_begins_another(live: LiveServer) -> None:
    """ENG-044, ENG-060."""
    await live.flow("""
id: late
namespace: team
tasks:
  - id: sleeping
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT30S
    timeout: PT0.1S
    retry: {type: constant, interval: PT0.05S, maxAttempts: 2}
""")
    execution = await live.run("late")
    assert execution["state"]["current"] == "FAILED"
    attempts = execution["taskRunList"][0]["attempts"]
    assert [attempt["state"]["current"] for attempt in attempts] == ["FAILED", "FAILED"]


async def test_version_of_the_plugin_is_accepted_on_a_task(live: LiveServer) -> None:
    """ENG-053: there is one version of each plugin, whichever is asked for."""
    await live.flow(f"{{id: pinned, namespace: team, tasks: [{{id: a, type: {RETURN}, format: x, version: 1.0.0}}]}}")
    execution = await live.run("pinned")
    assert execution["taskRunList"][0]["outputs"] == {"value": "x"}
    assert (await live.client.get("/api/v1/main/flows/team/pinned")).json()["tasks"][0]["version"] == "1.0.0"


async def test_metrics_of_a_task_run_have_name_type_value_and_tags(live: LiveServer) -> None:
    """ENG-062."""
    await live.flow(
        f"{{id: counted, namespace: team, tasks: [{{id: a, type: {RETURN}, format: '{{{{ flow.id }}}}'}}]}}"
    )
    execution = await live.run("counted")
    answer = (await live.client.get(f"/api/v1/main/metrics/{execution['id']}")).json()
    found = {one["name"]: one for one in answer["results"]}
    assert found["length"]["type"] == "counter"
    assert found["length"]["value"] == 7.0
    assert found["duration"]["type"] == "timer"
    assert all(set(one["tags"]) == {"format"} for one in found.values())


async def test_outputs_beyond_the_limit_fail_the_task_and_name_the_largest(live: LiveServer) -> None:
    """ENG-136: what is large belongs into internal storage."""
    large = "x" * (1024 * 1024 + 1)
    await live.flow(
        f"{{id: large, namespace: team, inputs: [{{id: text, type: STRING}}], "
        f"tasks: [{{id: a, type: {RETURN}, format: '{{{{ inputs.text }}}}'}}]}}"
    )
    execution = await live.run("large", files={"text": (None, large)})
    assert execution["state"]["current"] == "FAILED"
    lines = (await live.client.get(f"/api/v1/main/logs/{execution['id']}")).json()
    (line,) = [line for line in lines if line["level"] == "ERROR"]
    assert "most of them `value`" in line["message"]
    assert "store the data as a file" in line["message"]
