"""A real server for the browser tests: a process of its own on a free port with its own data."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from tests.support import program
from tests.support.ports import free_port
from tests.support.program import Process
from tests.support.waiting import PATIENCE

USERNAME = "admin@example.com"
PASSWORD = "Admin1234"
_YAML = {"Content-Type": "application/x-yaml"}

CONFIGURATION = f"""\
kestra:
  server:
    basic-auth:
      username: {USERNAME}
      password: {PASSWORD}
"""


WITHOUT_USERS = """\
kestra:
  repository:
    type: h2
  queue:
    type: h2
  storage:
    type: local
    local:
      base-path: {folder}/storage
datasources:
  h2:
    url: jdbc:h2:file:{folder}/database
"""


@dataclass(frozen=True)
class Server:
    """Where a running server is, and a client that may do everything on it."""

    url: str
    client: httpx.Client

    def session(self) -> list[tuple[str, str]]:
        """Sign in and return the cookies of the session."""
        answer = httpx.post(f"{self.url}/login", data={"username": USERNAME, "password": PASSWORD}, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        return list(answer.cookies.items())

    def create_flow(self, source: str) -> None:
        """Create a flow, or replace it."""
        written = yaml.safe_load(source)
        path = f"/api/v1/main/flows/{written['namespace']}/{written['id']}"
        answer = self.client.put(path, content=source, headers=_YAML)
        if answer.status_code == 404:
            answer = self.client.post("/api/v1/main/flows", content=source, headers=_YAML)
        assert answer.status_code < 300, answer.text

    def execute(self, namespace: str, flow_id: str, *, wait: bool = True) -> str:
        """Start an execution and return its id, once it has ended unless told otherwise."""
        answer = self.client.post(f"/api/v1/main/executions/{namespace}/{flow_id}", params={"wait": str(wait).lower()})
        assert answer.status_code < 300, answer.text
        return str(answer.json()["id"])


@contextmanager
def running_server(folder: Path, *, has_user: bool = True) -> Iterator[Server]:
    """Start `penstock server`, wait until it answers, and stop it in the end."""
    port, management = free_port(), free_port()
    config = folder / "application.yaml"
    configuration = CONFIGURATION if has_user else WITHOUT_USERS.format(folder=folder)
    config.write_text(f"{configuration}endpoints:\n  all:\n    port: {management}\n")
    log_path = folder / "server.log"
    command = ["local", "--data", str(folder / "data")] if has_user else ["standalone"]
    arguments = ["server", *command, "--config", str(config), "--port", str(port)]
    with log_path.open("wb") as log:
        process = program.start(arguments, stdout=log, stderr=log, cwd=folder, env=_environment())
    try:
        url = f"http://127.0.0.1:{port}"
        # No connection waits for the next request: the server may close it at that very moment.
        limits = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(base_url=url, auth=(USERNAME, PASSWORD), timeout=PATIENCE, limits=limits) as client:
            _wait_until_ready(client, process, log_path)
            yield Server(url, client)
    finally:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(client: httpx.Client, process: Process, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended early:\n{log.read_text()}"
        try:
            if client.get("/api/v1/configs").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"the server did not answer:\n{log.read_text()}")


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("KESTRA_", "PENSTOCK_"))}
