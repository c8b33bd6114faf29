"""A worker far away of a server with the embedded database: neither's comings and goings disturb the other's work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.server import Server, running, wait_until
from tests.chaos.test_killed_listener import TOKEN, worker
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

FLOW = """
id: {flow}
namespace: company.team
tasks:
  - id: work
    type: io.kestra.plugin.scripts.shell.Commands
    taskRunner: {{type: io.kestra.plugin.core.runner.Process}}
    {more}
    commands:
      - echo begun >> {file}
      - "while [ ! -e {gate} ]; do sleep 0.1; done"
"""


def test_server_that_is_killed_finds_a_remote_worker_at_the_same_work(tmp_path: Path) -> None:
    """BEY-010: it lives on, so what it does counts, and is not done once more."""
    settings = {"kestra": {"worker": {"tokens": [TOKEN]}}}
    server, file, gate = Server(tmp_path, "local", settings), tmp_path / "begun", tmp_path / "gate"
    with running(server):
        server.put_flow(FLOW.format(flow="far", file=file, gate=gate, more="workerGroup: {key: listeners}"))
        with worker(server, tmp_path / "far"):
            execution = server.launch("company.team", "far").json()["id"]
            wait_until(file.exists, PATIENCE, lambda: f"it does not begin:\n{server.log()}")
            server.kill()
            server.start(at_same_port=True)
            gate.touch()
            ended = server.ended(execution)
            assert ended["state"]["current"] == "SUCCESS"
            assert [len(run["attempts"]) for run in ended["taskRunList"]] == [1]
            assert file.read_text() == "begun\n"
