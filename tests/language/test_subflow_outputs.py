"""The deprecated `outputs` of a `Subflow`: expressions in the context of the execution it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.language.conftest import outputs
from tests.support.live import LiveServer, live_server

SUBFLOW = "io.kestra.plugin.core.flow.Subflow"
RETURN = "io.kestra.plugin.core.debug.Return"
ENABLED = {SUBFLOW: {"outputs": {"enabled": True}}}
CALLED = f"""
id: called
namespace: team
tasks:
  - {{id: made, type: {RETURN}, format: hello}}
"""
OUTER = f"""
id: outer
namespace: team
tasks:
  - id: sub
    type: {SUBFLOW}
    namespace: team
    flowId: called
    outputs:
      said: "{{{{ outputs.made.value }}}} from {{{{ flow.id }}}}"
"""


async def given(server: LiveServer, called: str = CALLED, outer: str = OUTER) -> dict[str, Any]:
    await server.flow(called)
    await server.flow(outer)
    return await server.run("outer")


@pytest.mark.parametrize(
    ("configurations", "expected"),
    [
        ({}, {}),
        ({SUBFLOW: {"outputs": {"enabled": False}}}, {}),
        (ENABLED, {"said": "hello from called"}),
        ({SUBFLOW: {"outputs.enabled": "true"}}, {"said": "hello from called"}),
    ],
)
async def test_outputs_of_a_subflow_task_are_evaluated_in_the_subflow_where_enabled(
    tmp_path: Path, configurations: dict[str, Any], expected: dict[str, Any]
) -> None:
    """ENG-107: off by default."""
    async with live_server(tmp_path, plugin_configurations=configurations) as server:
        execution = await given(server)
        assert outputs(execution, "sub")["outputs"] == expected


async def test_outputs_that_the_flow_declares_win(tmp_path: Path) -> None:
    """ENG-107."""
    declared = f"{CALLED}\noutputs:\n  - {{id: own, type: STRING, value: mine}}\n"
    async with live_server(tmp_path, plugin_configurations=ENABLED) as server:
        execution = await given(server, declared)
        assert outputs(execution, "sub")["outputs"] == {"own": "mine"}


async def test_outputs_that_cannot_be_made_fail_the_task(tmp_path: Path) -> None:
    """ENG-107: the execution that was started stays as it ended."""
    async with live_server(tmp_path, plugin_configurations=ENABLED) as server:
        execution = await given(server, outer=OUTER.replace("outputs.made.value", "outputs.made.missing"))
        assert execution["state"]["current"] == "FAILED"
        lines = (await server.client.get(f"/api/v1/main/logs/{execution['id']}")).json()
        assert any("the calling task asks for" in line["message"] for line in lines)
