"""`taskCache`: results used again, on a whole server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from penstock.store.tables import TASK_CACHE
from tests.support.live import LiveServer, live_server

SHELL = "io.kestra.plugin.scripts.shell.Commands"
PROCESS = "{type: io.kestra.plugin.core.runner.Process}"
CACHED = f"""
id: cached
namespace: team
inputs: [{{id: name, type: STRING}}]
tasks:
  - id: work
    type: {SHELL}
    taskRunner: {PROCESS}
    outputFiles: [made.txt]
    commands:
      - 'echo "{{{{ inputs.name }}}} {{{{ secret("TOKEN") }}}}" > {{{{ workingDir }}}}/made.txt'
      - 'echo "::{{\\"outputs\\": {{\\"number\\": $$}}}}::"'
    taskCache: {{enabled: true, ttl: PT1H}}
  - id: after
    type: io.kestra.plugin.core.debug.Return
    format: "{{{{ outputs.work.vars.number }}}} {{{{ read(outputs.work.outputFiles['made.txt']) }}}}"
"""


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(tmp_path, secrets={"TOKEN": "swordfish-99"}) as server:
        yield server


def run_of(execution: dict[str, Any], task_id: str) -> dict[str, Any]:
    (found,) = [run for run in execution["taskRunList"] if run["taskId"] == task_id]
    assert isinstance(found, dict)
    return found


async def start(live: LiveServer, flow_id: str, name: str) -> dict[str, Any]:
    return await live.run(flow_id, files={"name": (None, name)})


async def test_task_with_the_same_properties_takes_the_outputs_of_the_earlier_execution(live: LiveServer) -> None:
    """ENG-052, ENG-326, ENG-327, ENG-410, ENG-418: also its files, which belong to the earlier execution."""
    await live.flow(CACHED)
    first, second, other = [await start(live, "cached", name) for name in ("Ada", "Ada", "Bob")]
    assert [one["state"]["current"] for one in (first, second, other)] == ["SUCCESS"] * 3
    assert run_of(second, "work")["state"]["current"] == "SUCCESS"
    assert run_of(second, "work")["outputs"] == run_of(first, "work")["outputs"]
    assert run_of(second, "after")["outputs"] == run_of(first, "after")["outputs"]
    assert run_of(other, "work")["outputs"] != run_of(first, "work")["outputs"]
    lines = (await live.client.get(f"/api/v1/main/logs/{second['id']}")).json()
    assert any("used again" in line["message"] for line in lines)


async def test_entry_is_found_by_a_digest_and_holds_no_secret(live: LiveServer) -> None:
    """ENG-326: what the properties hold is not kept."""
    await live.flow(CACHED.partition("  - id: after")[0])
    await start(live, "cached", "Ada")
    dump = select(TASK_CACHE)
    ((*_, outputs),) = rows = await live.core.store.database.read(lambda connection: connection.execute(dump).all())
    assert "number" in outputs
    assert "swordfish-99" not in repr(rows)


@pytest.mark.parametrize(
    ("cache", "runs_again"),
    [("{enabled: true}", False), ("{enabled: true, ttl: PT0S}", True), ("{enabled: false}", True)],
)
async def test_task_runs_again_when_its_cache_is_off_or_too_old(live: LiveServer, cache: str, runs_again: bool) -> None:
    """ENG-327."""
    source = CACHED.replace("{enabled: true, ttl: PT1H}", cache)
    await live.flow(source)
    first, second = [await start(live, "cached", "Ada") for _ in range(2)]
    assert (run_of(first, "work")["outputs"]["vars"] != run_of(second, "work")["outputs"]["vars"]) is runs_again


async def test_failed_run_is_not_kept(live: LiveServer, tmp_path: Path) -> None:
    """ENG-410."""
    marker = tmp_path / "marker"
    await live.flow(f"""
id: failing
namespace: team
tasks:
  - id: work
    type: {SHELL}
    taskRunner: {PROCESS}
    commands: ['test -f {marker} || exit 1']
    taskCache: {{enabled: true}}
""")
    assert (await live.run("failing"))["state"]["current"] == "FAILED"
    marker.touch()
    assert (await live.run("failing"))["state"]["current"] == "SUCCESS"
    marker.unlink()
    assert (await live.run("failing"))["state"]["current"] == "SUCCESS"


async def test_property_that_only_the_task_can_render_runs_uncached_with_a_warning(live: LiveServer) -> None:
    """ENG-326."""
    await live.flow("""
id: loose
namespace: team
tasks:
  - id: dir
    type: io.kestra.plugin.core.flow.WorkingDirectory
    taskCache: {enabled: true}
    tasks:
      - {id: one, type: io.kestra.plugin.core.debug.Return, format: x}
      - {id: two, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.one.value }}"}
""")
    for _ in range(2):
        execution = await live.run("loose")
        assert execution["state"]["current"] == "SUCCESS"
        assert run_of(execution, "two")["outputs"]["value"] == "x"
    lines = (await live.client.get(f"/api/v1/main/logs/{execution['id']}")).json()
    assert any(line["level"] == "WARN" and "not cached" in line["message"] for line in lines)


async def test_task_inside_a_directory_takes_cached_outputs_too(live: LiveServer) -> None:
    """ENG-326."""
    await live.flow(f"""
id: inside
namespace: team
tasks:
  - id: dir
    type: io.kestra.plugin.core.flow.WorkingDirectory
    tasks:
      - id: work
        type: {SHELL}
        taskRunner: {PROCESS}
        commands: ['echo "::{{\\"outputs\\": {{\\"number\\": $$}}}}::"']
        taskCache: {{enabled: true}}
""")
    first, second = [run_of(await live.run("inside"), "work") for _ in range(2)]
    assert first["outputs"] == second["outputs"]
