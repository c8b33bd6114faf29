"""The official client in older versions: each in an environment of its own, made once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from kestrapy import KestraClient

from tests.support.live import USER
from tests.support.missing import missing
from tests.support.waiting import PATIENCE

OLDER = Path(__file__).parent / "older"
FLOW = """id: older
namespace: NAMESPACE
inputs:
  - {id: name, type: STRING, defaults: nobody}
tasks:
  - {id: said, type: io.kestra.plugin.core.debug.Return, format: "Hello {{ inputs.name }}"}
outputs:
  - {id: said, type: STRING, value: "{{ outputs.said.value }}"}
"""


def environment(version: str) -> Path:
    """Return the folder with a version of the client; it is kept beside the packages of this Python."""
    folder = Path(sys.prefix) / "older-clients" / f"kestrapy-{version}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(exist_ok=True)
    made = Path(mkdtemp(dir=folder.parent))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--only-binary", ":all:", "--target", str(made)]
    done = subprocess.run([*command, "-r", str(OLDER / f"kestrapy-{version}.txt")], capture_output=True, text=True)
    if done.returncode != 0:
        missing(f"kestrapy {version} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    if not folder.is_dir():  # somebody else was quicker
        made.rename(folder)
    return folder


def run(version: str, url: str) -> dict[str, Any]:
    """Return what a version tells of its calls."""
    script = OLDER / f"with_{version.replace('.', '_')}.py"
    flow = FLOW.replace("NAMESPACE", f"older.v{version.replace('.', '-')}")
    arguments = [sys.executable, str(script), url, USER.username, USER.password, flow]
    variables = {**os.environ, "PYTHONPATH": str(environment(version)), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(arguments, capture_output=True, text=True, env=variables, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(("version", "limits"), [("1.0.10", str), ("1.3.0", int)])
def test_older_client_works_with_its_own_models(client: KestraClient, version: str, limits: type) -> None:
    """API-200, API-202: 1.0.10 sends no login when it asks for concurrency limits, which is refused."""
    told = run(version, client._base_url)
    assert isinstance(told.pop("limits"), limits), "a refusal, or how many flows have one"
    assert told == {
        "flow": ["older", 1],
        "found": ["older"],
        "execution": ["SUCCESS", {"said": "Hello Ann"}],
        "followed": "SUCCESS",
        "pair": "value",
        "namespaces": [f"older.v{version.replace('.', '-')}"],
    }
