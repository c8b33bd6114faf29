"""Airflow as `airflow standalone` runs it: DAGs of two tasks, started by its REST API. Run by `bench.peers`."""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx

DAGS = """
from airflow.sdk import dag, task

@task
def step(number=1):
    return number

@dag(schedule=None, max_active_runs=16)
def simple():
    step(step())

@dag(schedule=None)
def fan_out():
    step.expand(number=list(range(100)))

simple()
fan_out()
"""
PATIENCE = 300.0


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def environment(home: Path, port: int) -> dict[str, str]:
    """Return the settings of a server for one user, without examples, that lets this machine in."""
    (home / "dags").mkdir()
    (home / "dags" / "bench.py").write_text(DAGS)
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://localhost:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{port}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    }


class Server:
    """The REST API of the server."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(base_url=f"http://localhost:{port}", timeout=30)

    def until(self, what: Callable[[], Any], pause: float = 0.05) -> Any:
        """Return what is there at last."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if found := what():
                    return found
            except httpx.HTTPError:
                pass
            time.sleep(pause)
        raise SystemExit("Airflow did not get there in time")

    def sign_in(self) -> None:
        """Wait for the server, and for its DAGs."""

        def token() -> str | None:
            answer = self._client.get("/auth/token")
            return str(answer.json()["access_token"]) if answer.is_success else None

        self._client.headers["Authorization"] = f"Bearer {self.until(token, 0.5)}"
        for dag in ("simple", "fan_out"):
            self.until(partial(self._knows, dag), 0.5)

    def _knows(self, dag: str) -> bool:
        return self._client.get(f"/api/v2/dags/{dag}").is_success

    def start(self, dag: str) -> str:
        """Start a run; returns its id."""
        answer = self._client.post(f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None})
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def ended(self, dag: str, run: str) -> bool:
        """Return whether a run has ended."""
        state = self._client.get(f"/api/v2/dags/{dag}/dagRuns/{run}").json()["state"]
        if state == "failed":
            raise SystemExit(f"{dag} failed")
        return bool(state == "success")

    def seconds(self, dag: str, count: int = 1) -> float:
        """Return how long so many runs take, started one after another and run side by side."""
        began = time.perf_counter()
        for run in [self.start(dag) for _ in range(count)]:
            self.until(partial(self.ended, dag, run))
        return time.perf_counter() - began


def figures(server: Server, count: int) -> dict[str, float]:
    """Return what is measured."""
    server.seconds("simple")
    latencies = [server.seconds("simple") for _ in range(5)]
    runs = max(10, count // 10)
    return {
        "executions_per_minute": runs / server.seconds("simple", runs) * 60,
        "idle_median_ms": statistics.median(latencies) * 1000,
        "fan_out_100_s": server.seconds("fan_out"),
    }


def main(count: int) -> None:
    """Measure and print the figures."""
    port = free_port()
    with Path("airflow.log").open("w") as log:
        command = [str(Path(sys.executable).parent / "airflow"), "standalone"]
        process = subprocess.Popen(
            command, env=environment(Path.cwd(), port), stdout=log, stderr=log, start_new_session=True
        )
    try:
        server = Server(port)
        server.sign_in()
        print(json.dumps(figures(server, count)))
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


if __name__ == "__main__":
    main(int(sys.argv[1]))
