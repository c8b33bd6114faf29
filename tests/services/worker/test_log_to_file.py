"""`logToFile`: logs kept in internal storage, on a whole server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from penstock.services.log_text import line_text, lines_of
from penstock.testing.store.records import execution, line
from tests.support.live import LiveServer, live_server

SHELL = "io.kestra.plugin.scripts.shell.Commands"
PROCESS = "{type: io.kestra.plugin.core.runner.Process}"


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(tmp_path, secrets={"TOKEN": "swordfish-99"}) as server:
        yield server


async def lines(live: LiveServer, execution: dict[str, Any], **params: str) -> list[tuple[str, str]]:
    answer = await live.client.get(f"/api/v1/main/logs/{execution['id']}", params=params)
    return [(entry["taskId"], entry["message"]) for entry in answer.json()]


@pytest.mark.parametrize("kind", ["a task", "a task inside another"])
async def test_log_kept_as_a_file_is_read_by_the_same_doors_and_not_in_the_database(
    live: LiveServer, kind: str
) -> None:
    """ENG-051, ENG-373: masked like any other."""
    commands = "['echo one; echo two', 'echo {{ secret(\"TOKEN\") }} >&2']"
    task = f"{{id: said, type: {SHELL}, taskRunner: {PROCESS}, logToFile: true, commands: {commands}}}"
    around = "{id: dir, type: io.kestra.plugin.core.flow.WorkingDirectory, tasks: [%s]}"
    await live.flow(f"id: filed\nnamespace: team\ntasks:\n  - {task if kind == 'a task' else around % task}\n")
    filed = await live.run("filed")
    run = next(run for run in filed["taskRunList"] if run["taskId"] == "said")
    (attempt,) = run["attempts"]
    assert [line.message for line in (await live.core.store.queries.logs_of(filed["id"]))[0]] == []
    shown = [message for _, message in await lines(live, filed)]
    assert sorted(shown) == ["******", "one", "two"]
    assert await lines(live, filed, taskId="other") == []
    assert await lines(live, filed, minLevel="ERROR") == [("said", "******")]
    file = await live.client.get(f"/api/v1/main/executions/{filed['id']}/file", params={"path": attempt["logFile"]})
    assert file.status_code == 200
    assert file.text.count("\n") == 3
    path = f"/api/v1/main/logs/{filed['id']}"
    outline = (await live.client.get(f"{path}/marks", params={"step": "2"})).json()
    assert (outline["total"], outline["end"]) == (3, "1.3")
    second = {"after": outline["marks"][1]["after"]}
    assert [entry["message"] for entry in (await live.client.get(f"{path}/window", params=second)).json()] == shown[2:]
    last = (await live.client.get(f"{path}/window", params={"last": "true", "limit": "1"})).json()
    assert [entry["message"] for entry in last] == shown[2:]
    assert [one["count"] for one in (await live.client.get(f"{path}/counts")).json()] == [3]
    whole = await live.client.get(f"/api/v1/main/logs/{filed['id']}/download")
    assert "one\n" in whole.text
    assert "swordfish" not in file.text + whole.text


async def test_log_of_a_failed_attempt_is_kept_as_a_file_with_its_error(live: LiveServer) -> None:
    """ENG-051."""
    await live.flow("""
id: failing
namespace: team
tasks:
  - {id: fail, type: io.kestra.plugin.core.execution.Fail, logToFile: true, errorMessage: out of luck}
""")
    failing = await live.run("failing")
    assert failing["state"]["current"] == "FAILED"
    assert any("out of luck" in message for _, message in await lines(live, failing, minLevel="ERROR"))


def test_text_of_lines_gives_them_back_whole() -> None:
    """ENG-051."""
    owner = execution()
    texts = [("INFO", "one\n  two"), ("ERROR", ""), ("WARN", "INFO x\n\n")]
    said = [line(owner, message, level=level) for level, message in texts]
    text = "".join(line_text(one) for one in said)
    assert list(lines_of(text, said[0])) == said
