"""Real servers as processes: started, asked over HTTP, stopped or killed, and started again on the same data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import yaml

from tests.support import program
from tests.support.ports import free_port
from tests.support.program import Process
from tests.support.waiting import PATIENCE

T = TypeVar("T")
USERNAME = "admin@example.com"
PASSWORD = "Admin1234"
PROGRAM = Path(sys.executable).with_name("penstock")
YAML = {"Content-Type": "application/x-yaml"}
TERMINAL = frozenset({"SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "SKIPPED", "RETRIED"})


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables a command of these tests sees: none that would configure it from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KESTRA_", "PENSTOCK_", "ENV_"))}
    return {**kept, "HOME": str(home), **(extra or {})}


@dataclass
class Server:
    """One server and its data; it may be stopped and started as often as a test needs.

    Attributes:
        folder: Where its configuration, data and log are.
        component: `local` or `standalone`.
        settings: What the configuration says beyond account and ports.
        variables: Further environment variables.
        prefix: What the command is started with, for limits of the operating system.
    """

    folder: Path
    component: str = "local"
    settings: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    port: int = 0
    management: int = 0
    process: subprocess.Popen[bytes] | Process | None = None
    client: httpx.Client = field(default_factory=httpx.Client)

    def start(self, *, at_same_port: bool = False) -> None:
        """Start the process and wait until it answers."""
        if not at_same_port:
            self.port, self.management = free_port(), free_port()
        config = self.folder / "application.yaml"
        config.write_text(yaml.safe_dump(_merged(_base(self.management), self.settings)))
        command = ["server", self.component, "--config", str(config), "--port", str(self.port)]
        if self.component == "local":
            command += ["--data", str(self.folder / "data")]
        with (self.folder / "server.log").open("ab") as log:
            variables = environment(self.folder, self.variables)
            if self.prefix:
                whole = [*self.prefix, str(PROGRAM), *command]
                self.process = subprocess.Popen(whole, stdout=log, stderr=log, cwd=self.folder, env=variables)
            else:
                self.process = program.start(command, stdout=log, stderr=log, cwd=self.folder, env=variables)
        self.client.close()
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", auth=(USERNAME, PASSWORD), timeout=60)
        wait_until(self._answers, PATIENCE, lambda: f"the server does not answer:\n{self.log()}")

    def kill(self) -> None:
        """End the process without a chance to clean up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask the process to end; insist when it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.terminate()  # the second request cuts running tasks short
            try:
                self.process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def log(self) -> str:
        """Return what the server wrote so far."""
        return (self.folder / "server.log").read_text(errors="replace")

    def is_up(self) -> bool:
        """Return whether the process lives and answers."""
        return self.process is not None and self.process.poll() is None and self._answers()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request as the administrator."""
        return self.client.request(method, path, **options)

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Send one request that must succeed and return its answer."""
        answer = self.request(method, path, **options)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def put_flow(self, source: str) -> None:
        """Create a flow, or give it a new revision."""
        written = yaml.safe_load(source)
        path = f"/api/v1/main/flows/{written['namespace']}/{written['id']}"
        answer = self.request("PUT", path, content=source, headers=YAML)
        if answer.status_code == 404:
            answer = self.request("POST", "/api/v1/main/flows", content=source, headers=YAML)
        assert answer.status_code < 300, answer.text

    def launch(self, namespace: str, flow_id: str, inputs: Mapping[str, str] | None = None) -> httpx.Response:
        """Ask for an execution, without waiting for its end."""
        fields = {name: (None, value) for name, value in (inputs or {}).items()}
        path = f"/api/v1/main/executions/{namespace}/{flow_id}"
        return self.request("POST", path, files=fields) if fields else self.request("POST", path)

    def execution(self, execution_id: str) -> dict[str, Any]:
        """Return an execution with its task runs."""
        found: dict[str, Any] = self.json("GET", f"/api/v1/main/executions/{execution_id}")
        return found

    def executions(self, flow_id: str) -> list[dict[str, Any]]:
        """Return the executions of a flow, oldest first."""
        query = {"flowId": flow_id, "size": "200", "sort": "state.startDate:asc"}
        found: list[dict[str, Any]] = self.json("GET", "/api/v1/main/executions/search", params=query)["results"]
        return found

    def logs(self, execution_id: str) -> list[dict[str, Any]]:
        """Return the log lines of an execution."""
        found: list[dict[str, Any]] = self.json("GET", f"/api/v1/main/logs/{execution_id}")
        return found

    def ended(self, execution_id: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait for an execution's end and return it."""
        return wait_until(
            lambda: _if_over(self.execution(execution_id)),
            seconds,
            lambda: f"execution {execution_id} has not ended: {self.execution(execution_id)['state']['current']}",
        )

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended early:\n{self.log()}"
        try:
            return self.request("GET", "/api/v1/configs").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Start a server for the time of a block."""
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.client.close()


def on_postgres(dsn: str, storage: Path) -> dict[str, Any]:
    """Return the settings of a server whose database is PostgreSQL."""
    address = urlsplit(dsn)
    url = f"jdbc:postgresql://{address.hostname}:{address.port}{address.path}"
    return {
        "datasources": {"postgres": {"url": url, "username": address.username}},
        "kestra": {
            "repository": {"type": "postgres"},
            "queue": {"type": "postgres"},
            "storage": {"type": "local", "local": {"base-path": str(storage)}},
        },
    }


def wait_until(found: Callable[[], T | None], seconds: float, complaint: Callable[[], str]) -> T:
    """Ask again and again until something is found; return it."""
    deadline = time.monotonic() + seconds
    while True:
        result = found()
        if result:
            return result
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.05)


def _if_over(execution: dict[str, Any]) -> dict[str, Any] | None:
    return execution if execution["state"]["current"] in TERMINAL else None


def _base(management: int) -> dict[str, Any]:
    account = {"username": USERNAME, "password": PASSWORD}
    return {"kestra": {"server": {"basic-auth": account}}, "endpoints": {"all": {"port": management}}}


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(one)
    for key, value in other.items():
        inner = result.get(key)
        if isinstance(inner, Mapping) and isinstance(value, Mapping):
            value = _merged(inner, value)
        result[key] = value
    return result
