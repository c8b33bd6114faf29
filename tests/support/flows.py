"""Running a few tasks on a live server, and looking at what they gave."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.support.live import LiveServer

CORE = "io.kestra.plugin.core."
RETURN = f"{CORE}debug.Return"


@dataclass(frozen=True, slots=True)
class Ended:
    """An execution that has come to its end."""

    state: str
    outputs: dict[str, dict[str, Any]]
    """By task id."""
    id: str
    messages: list[str]


async def run_tasks(server: LiveServer, *tasks: dict[str, Any], **flow: Any) -> Ended:
    """Run tasks as a flow of namespace `team`; ids are `t1`, `t2`... where they have none."""
    numbered = [{"id": f"t{number}", **task} for number, task in enumerate(tasks, 1)]
    source = json.dumps({"id": "flow", "namespace": "team", "tasks": numbered, **flow})
    body = await server.run((await server.services.flows.put("main", source)).id)
    lines = (await server.client.get(f"/api/v1/main/logs/{body['id']}")).json()
    outputs = {run["taskId"]: run.get("outputs") or {} for run in body.get("taskRunList") or []}
    return Ended(body["state"]["current"], outputs, body["id"], [line["message"] for line in lines])
