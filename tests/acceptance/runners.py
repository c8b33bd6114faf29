"""The two ways a flow of `examples/` is run here: by `penstock run`, and through the API of a real server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

from tests.acceptance.server import TERMINAL, Server, environment, wait_until
from tests.support import program
from tests.support.waiting import PATIENCE

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOP = "http://localhost:8765"
"""The address that the examples name; the tests' own shop listens elsewhere."""


@dataclass(frozen=True)
class Result:
    """An execution that has ended, with its log lines and its files."""

    execution: Mapping[str, Any]
    logs: list[dict[str, Any]]
    files: Mapping[str, str] = field(default_factory=dict)
    """Contents by name, of the files that task runs put out."""

    @property
    def state(self) -> str:
        """The execution's state."""
        return str(self.execution["state"]["current"])

    @property
    def history(self) -> list[str]:
        """The states it went through."""
        return [change["state"] for change in self.execution["state"]["histories"]]

    @property
    def runs(self) -> list[tuple[str, str]]:
        """Task id and state of all task runs, in the order of their creation."""
        return [(run["taskId"], run["state"]["current"]) for run in self.execution["taskRunList"]]

    def runs_of(self, task_id: str) -> list[dict[str, Any]]:
        """Return the task runs of a task."""
        return [run for run in self.execution["taskRunList"] if run["taskId"] == task_id]

    def outputs(self, task_id: str, value: str | None = None) -> Any:
        """Return the outputs of a task's only run, or of its run for a value."""
        runs = [run for run in self.runs_of(task_id) if value is None or run.get("value") == value]
        assert len(runs) == 1, f"{len(runs)} task runs of {task_id}"
        return runs[0].get("outputs")

    def messages(self, task_id: str | None = None, level: str = "INFO") -> list[str]:
        """Return what was logged on a level, by one task or by all of them."""
        return [
            line["message"]
            for line in self.logs
            if line["level"] == level and (task_id is None or line.get("taskId") == task_id)
        ]


class Runner(Protocol):
    """Runs a flow to its end."""

    def run(self, source: str, inputs: Mapping[str, str] | None = None) -> Result:
        """Run a flow and return how it went."""
        ...


@dataclass(frozen=True)
class CommandLine:
    """`penstock run`."""

    folder: Path
    secrets: Mapping[str, str]

    def run(self, source: str, inputs: Mapping[str, str] | None = None) -> Result:
        """Run a flow in a process of its own; the exit code must tell the state."""
        ended = self.attempt(source, inputs)
        assert ended.stdout, ended.stderr
        execution = json.loads(ended.stdout)
        expected = 0 if execution["state"]["current"] in ("SUCCESS", "WARNING") else 1
        assert ended.returncode == expected, ended.stderr
        return Result(execution, execution["logs"], {name: self._read(uri) for name, uri in files_of(execution)})

    def attempt(self, source: str, inputs: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a flow that may be refused."""
        flow = self.folder / "flow.yaml"
        flow.write_text(source)
        command = ["run", str(flow), "--json", "--data", str(self.folder / "data")]
        for name, value in (inputs or {}).items():
            command += ["--input", f"{name}={value}"]
        for name, value in self.secrets.items():
            command += ["--secret", f"{name}={value}"]
        return program.run(command, timeout=90, cwd=self.folder, env=environment(self.folder))

    def _read(self, uri: str) -> str:
        path = uri.removeprefix("kestra://").lstrip("/")
        found = [file for file in (self.folder / "data").rglob(Path(path).name) if str(file).endswith(path)]
        assert len(found) == 1, f"{uri}: {found}"
        return found[0].read_text()


@dataclass(frozen=True)
class Api:
    """A server's API."""

    server: Server

    def run(self, source: str, inputs: Mapping[str, str] | None = None) -> Result:
        """Store a flow, execute it and wait for the end."""
        self.server.put_flow(source)
        written = yaml.safe_load(source)
        answer = self.server.launch(written["namespace"], written["id"], inputs)
        assert answer.status_code == 200, answer.text
        return self.result(answer.json()["id"])

    def result(self, execution_id: str) -> Result:
        """Wait for the end of an execution, and of what runs after it."""
        self.server.ended(execution_id)
        execution = wait_until(
            lambda: _if_quiet(self.server.execution(execution_id)), PATIENCE, lambda: "something runs on and on"
        )
        files = {name: self._read(execution_id, uri) for name, uri in files_of(execution)}
        return Result(execution, self.server.logs(execution_id), files)

    def _read(self, execution_id: str, uri: str) -> str:
        path = f"/api/v1/main/executions/{execution_id}/file"
        return self.server.request("GET", path, params={"path": uri}).text


def _if_quiet(execution: Mapping[str, Any]) -> Mapping[str, Any] | None:
    states = {run["state"]["current"] for run in execution["taskRunList"]}
    return execution if states <= TERMINAL else None


def files_of(execution: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and URI of the files that scripts of an execution put out."""
    outputs = [run.get("outputs") or {} for run in execution["taskRunList"]]
    return [item for one in outputs for item in (one.get("outputFiles") or {}).items()]


def example(name: str, shop: str = SHOP, **changes: str) -> str:
    """Return the text of an example with the tests' shop in it, and other durations where those would take too long.

    Args:
        name: Its path below `examples/`, without suffix.
        shop: Where the shop listens.
        changes: What to write instead of something else; every piece must be there.
    """
    text = (EXAMPLES / f"{name}.yaml").read_text()
    for old, new in changes.items():
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, new)
    return text.replace(SHOP, shop)
