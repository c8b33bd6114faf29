"""`kill -9` of a worker whose commands run elsewhere: they go on, and the next worker takes up what they do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest

from penstock.builtin.runners.docker import DIRECTORY, Docker
from penstock.builtin.runners.ssh import Ssh
from tests.acceptance.server import Server, running, wait_until
from tests.support.containers import IMAGE, Engine, EngineMissingError, container_engine
from tests.support.ssh import SshMissingError, SshServer, ssh_server
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

FLOW = """
id: elsewhere
namespace: company.team
inputs:
  - {{id: key, type: STRING}}
tasks:
  - id: both
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - id: in_container
        type: io.kestra.plugin.scripts.shell.Commands
        containerImage: {image}
        taskRunner: {{type: {docker}, host: "{engine}", networkMode: none, pullPolicy: NEVER}}
        {work}
      - id: by_ssh
        type: io.kestra.plugin.scripts.shell.Commands
        taskRunner:
          type: {ssh}
          host: 127.0.0.1
          port: {port}
          username: {username}
          privateKey: "{{{{ inputs.key }}}}"
          hostKey: {host_key}
          directory: {folder}
        {work}
"""
WORK = """inputFiles: {{a.txt: once}}
        outputFiles: [b.out]
        commands:
          - cat a.txt >> b.out; echo begun
          - n=0; while [ $n -lt 600 ] && [ ! -e go ]; do sleep 0.1; n=$((n + 1)); done
          - 'echo "::{{\\"outputs\\":{{\\"tenths\\":$n}}}}::"'"""


@pytest.fixture
def elsewhere() -> Iterator[tuple[Engine, SshServer, Path]]:
    """Give a container engine, an SSH server, and a folder of the machine that has it."""
    with ExitStack() as stack:
        # Engines want short paths.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pen-", ignore_cleanup_errors=True)))
        for name in ("engine", "ssh", "there"):
            (folder / name).mkdir()
        try:
            engine = stack.enter_context(container_engine(folder / "engine"))
            machine = stack.enter_context(ssh_server(folder / "ssh"))
        except (EngineMissingError, SshMissingError) as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(error))
        yield engine, machine, folder / "there"


def let_go(engine: Engine, container: str) -> None:
    """Tell the commands in a container that they may end."""
    client = docker.DockerClient(base_url=engine.host)
    try:
        found = client.containers.get(container)
        assert found.exec_run(["touch", f"{found.labels[DIRECTORY]}/go"]).exit_code == 0
    finally:
        client.close()


def test_worker_is_killed_and_the_next_goes_on_with_what_runs_elsewhere(
    elsewhere: tuple[Engine, SshServer, Path], tmp_path: Path
) -> None:
    """SCR-054, SCR-055, SCR-070."""
    engine, machine, there = elsewhere
    with running(Server(tmp_path)) as server:
        source = FLOW.format(
            image=IMAGE,
            docker=Docker.type_name,
            engine=engine.host,
            ssh=Ssh.type_name,
            port=machine.port,
            username=machine.username,
            host_key=machine.host_key,
            folder=there,
            work=WORK.format(),
        )
        server.put_flow(source)
        execution_id = str(server.launch("company.team", "elsewhere", {"key": machine.private_key}).json()["id"])
        begun = f"/api/v1/main/logs/{execution_id}"
        wait_until(
            lambda: server.request("GET", begun).text.count("begun") == 2,
            PATIENCE,
            lambda: f"not begun:\n{server.log()}",
        )
        server.kill()
        [container] = engine.containers()
        [run] = there.iterdir()
        server.start()
        [also] = engine.containers()
        assert also == container
        (run / "work" / "go").touch()
        let_go(engine, container)
        ended = server.ended(execution_id)
        said = [line["message"] for line in server.logs(execution_id)]
    assert ended["state"]["current"] == "SUCCESS", ended
    assert sum(line.startswith("going on with") for line in said) == 2
    outputs = {run["taskId"]: run["outputs"] for run in ended["taskRunList"] if run.get("outputs")}
    assert all(outputs[name]["vars"]["tenths"] > 0 for name in ("in_container", "by_ssh"))
    assert engine.containers() == []
