"""What the flow language promises, asked of a whole server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.live import LiveServer, live_server

_numbers = count(1)


@dataclass(frozen=True)
class Language:
    """Runs flows on a server and says what came of them."""

    server: LiveServer

    async def run(self, source: str, **options: Any) -> dict[str, Any]:
        """Store a flow under a name of its own (`{id}` in the source) and run it to its end."""
        flow_id = f"flow-{next(_numbers)}"
        await self.server.flow(source.replace("{id}", flow_id))
        return await self.server.run(flow_id, **options)

    async def render(self, expression: str, extra: str = "", **options: Any) -> Any:
        """Return what an expression makes of the context of a running task; `extra` is put before `tasks`."""
        values = json.dumps(expression)
        execution = await self.run(
            f"id: {{id}}\nnamespace: team\n{extra}\ntasks:\n"
            f"  - id: made\n    type: io.kestra.plugin.core.debug.Return\n    format: {values}\n",
            **options,
        )
        assert execution["state"]["current"] == "SUCCESS", await self.logs(execution)
        return outputs(execution, "made").get("value")

    async def logs(self, execution: Mapping[str, Any]) -> list[str]:
        """Return the messages of an execution's log."""
        answer = await self.server.client.get(f"/api/v1/main/logs/{execution['id']}")
        return [line["message"] for line in answer.json()]

    async def get(self, path: str, **options: Any) -> Any:
        """Return what the API answers."""
        answer: httpx.Response = await self.server.client.get(f"/api/v1/main/{path}", **options)
        assert answer.status_code == 200, answer.text
        return answer.json()


def outputs(execution: Mapping[str, Any], task_id: str) -> dict[str, Any]:
    """Return the outputs of a task's only run."""
    [run] = [run for run in execution["taskRunList"] if run["taskId"] == task_id]
    return dict(run.get("outputs") or {})


@pytest.fixture
async def language(tmp_path: Path) -> AsyncIterator[Language]:
    async with live_server(tmp_path, secrets={"TOKEN": "very-secret-value"}) as server:
        yield Language(server)
