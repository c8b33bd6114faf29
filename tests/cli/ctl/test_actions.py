"""The actions for pipelines: their steps are run as they stand, against a server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.ctl.conftest import Ctl
from tests.support.live import USER

ACTIONS = Path(__file__).resolve().parents[3] / "actions"
FLOW = "id: carried\nnamespace: elsewhere\ntasks:\n  - {id: a, type: io.kestra.plugin.core.log.Log, message: x}\n"


def run(ctl: Ctl, name: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run the steps of an action up to the first that fails."""
    action: dict[str, Any] = yaml.safe_load((ACTIONS / name / "action.yml").read_text())
    known = {"server": ctl.url, "user": USER.username, "password": USER.password, **given}
    values = {key: known.get(key, one.get("default")) for key, one in action["inputs"].items()}
    assert None not in values.values(), "an input that is required was not given"
    done: subprocess.CompletedProcess[str] | None = None
    for step in action["runs"]["steps"]:
        told = {
            key: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: str(values[found[1]]), text)
            for key, text in step.get("env", {}).items()
        }
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        variables = {**os.environ, **told, "PATH": path, "GITHUB_ACTION_PATH": str(ACTIONS / name)}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)
        if done.returncode:
            break
    assert done is not None
    return done


@pytest.fixture(autouse=True)
def _flows(ctl: Ctl, tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "carried.yaml").write_text(FLOW)


def test_flows_are_validated_and_deployed(ctl: Ctl, tmp_path: Path) -> None:
    """ENG-357, IAC-080, IAC-081: with a password, and with a token."""
    assert run(ctl, "validate-flows", directory="flows").returncode == 0
    with ctl.client as client:
        token = client.post(f"{ctl.url}/api/v1/me/api-tokens", json={"name": ctl.namespace}).json()["fullToken"]
        login = {"user": "", "password": "", "apiToken": token}
        deployed = run(ctl, "deploy-flows", directory="flows", namespace=ctl.namespace, override="true", **login)
        assert deployed.returncode == 0, deployed.stderr
        assert client.get(f"flows/{ctl.namespace}/carried").status_code == 200
    (tmp_path / "flows" / "carried.yaml").write_text(FLOW.replace("log.Log", "log.Logg"))
    refused = run(ctl, "validate-flows", directory="flows")
    assert (refused.returncode, "log.Logg" in refused.stdout + refused.stderr) == (1, True)


def test_files_are_deployed_to_a_namespace(ctl: Ctl, tmp_path: Path) -> None:
    """ENG-357, IAC-082: a folder to a folder, a file to a path."""
    given = {"namespace": ctl.namespace, "override": "true"}
    assert run(ctl, "deploy-namespace-files", localPath="flows", namespacePath="/kept", **given).returncode == 0
    done = run(ctl, "deploy-namespace-files", localPath="flows/carried.yaml", namespacePath="a/other.yaml", **given)
    assert done.returncode == 0, done.stderr
    with ctl.client as client:
        for path in ("kept/carried.yaml", "a/other.yaml"):
            assert client.get(f"namespaces/{ctl.namespace}/files", params={"path": path}).text == FLOW
