"""`kill -9` of the worker that listens to a Redis list: another goes on, and no element is lost or doubled."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.acceptance.server import Server, environment, on_postgres, running, wait_until
from tests.support import program
from tests.support.program import Process
from tests.support.redis import redis_on
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

TOKEN = "a worker's token"
FLOW = """
id: listening
namespace: company.team
tasks:
  - {{id: log, type: io.kestra.plugin.core.log.Log, message: "{{{{ trigger.value }}}}"}}
triggers:
  - {{id: order, type: io.kestra.plugin.redis.list.RealtimeTrigger, url: "{url}", key: orders, {more}}}
"""
GROUP = "workerGroup: {key: listeners}"


@contextmanager
def worker(server: Server, folder: Path) -> Iterator[Process]:
    """Run a worker process of the group `listeners` that reaches the server over HTTP."""
    folder.mkdir()
    url = f"http://127.0.0.1:{server.port}"
    command = ["server", "worker", "--server-url", url, "--worker-group", "listeners"]
    with (folder / "worker.log").open("wb") as log:
        variables = environment(folder, {"PENSTOCK_WORKER_TOKEN": TOKEN})
        process = program.start(command, stdout=log, stderr=log, cwd=folder, env=variables)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def values(server: Server) -> list[int]:
    """Return the elements that have started executions."""
    query = {"flowId": "listening", "size": "500"}
    found: list[dict[str, Any]] = server.json("GET", "/api/v1/main/executions/search", params=query)["results"]
    return sorted(int(one["trigger"]["variables"]["value"]) for one in found)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_worker_that_listens_ends_another_goes_on_without_loss(
    end: signal.Signals, tmp_path: Path, redis_executable: Path, postgres_dsn: str
) -> None:
    """ENG-310, ENG-313, BEY-006."""
    settings = on_postgres(postgres_dsn, tmp_path / "storage")
    settings["kestra"] |= {
        "server": {"liveness": {"timeout": "4s", "heartbeat-interval": "1s"}},
        "worker": {"tokens": [TOKEN]},
    }
    server = Server(tmp_path, "standalone", settings)
    with redis_on(redis_executable, tmp_path) as url, running(server), redis.Redis.from_url(url) as client:
        server.put_flow(FLOW.format(url=url, more=GROUP))
        with worker(server, tmp_path / "one") as one:
            client.rpush("orders", *map(str, range(20)))
            wait_until(lambda: len(values(server)) >= 10, PATIENCE, lambda: f"nobody listens:\n{server.log()}")
            with worker(server, tmp_path / "two"):
                os.kill(one.pid, end)
                client.rpush("orders", *map(str, range(20, 60)))
                wait_until(
                    lambda: len(values(server)) >= 60, PATIENCE, lambda: f"only {values(server)} came:\n{server.log()}"
                )
                wait_until(lambda: not client.keys("*"), PATIENCE, lambda: f"left: {client.keys('*')}")
                assert values(server) == list(range(60))
