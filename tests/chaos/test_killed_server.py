"""`kill -9` of a real server in the middle of fifty executions, twice; then everything must come to its end.

Every script writes its task run's id to a file when it begins, so the file tells how often each task run really ran.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.server import TERMINAL, Server, on_postgres, running, wait_until
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

EACH = 10
LIVENESS = {"kestra": {"server": {"liveness": {"timeout": "4s", "heartbeat-interval": "1s"}}}}
"""A dead worker's jobs are given to others soon, so that the test need not wait for the default of 45 seconds."""
SHELL = """type: io.kestra.plugin.scripts.shell.Commands
{indent}taskRunner: {{type: io.kestra.plugin.core.runner.Process}}
{indent}commands:
{indent}  - echo "{{{{ taskrun.id }}}}" >> {journal}
{indent}  - {then}"""
FLOWS = {
    "in_a_row": """
tasks:
  - id: one
    [sleep 0.5]
  - id: two
    [sleep 0.5]
  - id: three
    [sleep 0.5]
""",
    "loop": """
tasks:
  - id: for_each
    type: io.kestra.plugin.core.flow.ForEach
    values: [1, 2, 3, 4]
    concurrencyLimit: 2
    tasks:
      - id: step
        [sleep 0.5]
""",
    "delay": """
tasks:
  - id: before
    [sleep 0.5]
  - id: pause
    type: io.kestra.plugin.core.flow.Pause
    pauseDuration: PT1S
  - id: after
    [sleep 0.5]
""",
    "approval": """
tasks:
  - id: before
    [sleep 0.5]
  - id: pause
    type: io.kestra.plugin.core.flow.Pause
  - id: after
    [sleep 0.5]
""",
    "retries": """
tasks:
  - id: flaky
    [test "{{ taskrun.attemptsCount }}" -ge 2]
    retry: {type: constant, interval: PT0.5S, maxAttempts: 5}
  - id: after
    [sleep 0.5]
""",
}
TASK_RUNS = {"in_a_row": 3, "loop": 5, "delay": 3, "approval": 3, "retries": 2}


def _source(name: str, journal: Path) -> str:
    """Return a flow with its scripts written out."""
    lines = []
    for line in FLOWS[name].splitlines():
        text = line.strip()
        if text.startswith("["):
            indent = line[: len(line) - len(line.lstrip())]
            line = indent + SHELL.format(indent=indent, journal=journal, then=text[1:-1])
        lines.append(line)
    return f"id: {name}\nnamespace: company.team\n" + "\n".join(lines)


def _ran(journal: Path) -> Counter[str]:
    """Return how often each task run began."""
    return Counter(journal.read_text().split()) if journal.exists() else Counter()


def _all(server: Server, ids: Mapping[str, str]) -> list[dict[str, Any]]:
    return [server.execution(execution_id) for execution_id in ids]


def _ended_runs(executions: list[dict[str, Any]]) -> set[str]:
    runs = [run for execution in executions for run in execution["taskRunList"]]
    return {run["id"] for run in runs if run["state"]["current"] in TERMINAL}


def _crash(server: Server, ids: Mapping[str, str], journal: Path, begun: int, unfinished: int) -> dict[str, int]:
    """Kill the server once enough scripts have begun, and with enough executions unfinished; start it again.

    Returns:
        The scripts that had ended, with how often each of them had run.
    """
    executions: list[dict[str, Any]] = []

    def enough() -> bool:
        if len(_ran(journal)) < begun:
            return False
        executions[:] = _all(server, ids)
        return not _ended_runs(executions).isdisjoint(_ran(journal))

    wait_until(enough, PATIENCE, lambda: f"only {len(_ran(journal))} task runs began, or none of them ended")
    server.kill()
    states = [execution["state"]["current"] for execution in executions]
    assert sum(state not in TERMINAL for state in states) >= unfinished, "killed too late"
    ended, ran = _ended_runs(executions), _ran(journal)
    server.start()
    return {run: count for run, count in ran.items() if run in ended}


def _resume(server: Server, ids: Mapping[str, str]) -> None:
    """Resume the executions that wait for somebody, once they do."""
    for execution_id in [one for one, name in ids.items() if name == "approval"]:
        wait_until(_is_paused(server, execution_id), PATIENCE, lambda: "an execution does not pause")
        answer = server.request("POST", f"/api/v1/main/executions/{execution_id}/resume")
        assert answer.status_code < 300, answer.text


def _is_paused(server: Server, execution_id: str) -> Callable[[], bool]:
    return lambda: bool(server.execution(execution_id)["state"]["current"] == "PAUSED")


@pytest.fixture(params=["sqlite", "postgres"])
def killable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Return a running server on each database."""
    if request.param == "sqlite":
        server = Server(tmp_path)
    else:
        settings = on_postgres(request.getfixturevalue("postgres_dsn"), tmp_path / "storage")
        settings["kestra"] |= LIVENESS["kestra"]
        server = Server(tmp_path, "standalone", settings)
    with running(server):
        yield server


def test_server_killed_twice_among_fifty_executions_ends_them_all_and_repeats_nothing(
    killable: Server, tmp_path: Path
) -> None:
    server, journal = killable, tmp_path / "journal"
    for name in FLOWS:
        server.put_flow(_source(name, journal))
    names = [*FLOWS] * EACH
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda name: server.launch("company.team", name), names))
    ids = {str(answer.json()["id"]): name for answer, name in zip(answers, names, strict=True)}
    assert len(ids) == 50

    ended = _crash(server, ids, journal, begun=20, unfinished=EACH)
    ended |= _crash(server, ids, journal, begun=80, unfinished=EACH)
    _resume(server, ids)
    for execution_id in ids:
        server.ended(execution_id, 90)

    for execution in _all(server, ids):
        name = ids[execution["id"]]
        assert execution["state"]["current"] == "SUCCESS", (name, execution["state"])
        assert {run["state"]["current"] for run in execution["taskRunList"]} == {"SUCCESS"}, name
        assert len(execution["taskRunList"]) == TASK_RUNS[name], name
    ran = _ran(journal)
    assert {run: ran[run] for run in ended} == ended, "a task run that had ended ran again"
    found = server.json("GET", "/api/v1/main/executions/search", params={"state": "RUNNING"})
    assert found["total"] == 0
