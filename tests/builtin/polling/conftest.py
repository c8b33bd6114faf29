"""A whole server with its scheduler, and an HTTP server whose answer a test changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from penstock.engine.records import Execution, LogLine
from penstock.ports.queries import PageRequest
from penstock.ports.triggers import TriggerState
from penstock.wiring.application import build_scheduler
from tests.support.live import LiveServer, live_server
from tests.support.redis import redis_on
from tests.support.serving import serving
from tests.support.waiting import PATIENCE

NAMESPACE = "team"


class Shop(ThreadingHTTPServer):
    """Answers with a price, and counts how often it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.price = 200
        self.status = 200
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        shop = self.server
        shop.asked.append(self.path)
        body = f'{{"price": {shop.price}}}'.encode()
        self.send_response(shop.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Polled:
    """A server with its scheduler, and what its flow's triggers have come to."""

    def __init__(self, live: LiveServer) -> None:
        self.live = live
        self.core = live.core

    async def flow(self, trigger: str, *, flow_id: str = "watched", task: str = "", extra: str = "") -> None:
        """Store a flow with a trigger `watch`, in flow style."""
        task = task or '{id: log, type: io.kestra.plugin.core.log.Log, message: "{{ trigger }}"}'
        await self.put(
            f"id: {flow_id}\nnamespace: {NAMESPACE}\n{extra}\ntasks:\n  - {task}\n"
            f"triggers:\n  - {{id: watch, {trigger}}}\n",
            flow_id,
        )

    async def put(self, source: str, flow_id: str) -> None:
        """Store a flow, or a new revision of it."""
        client = self.live.client
        answer = await client.post("/api/v1/main/flows", content=source)
        if answer.status_code != 200:
            answer = await client.put(f"/api/v1/main/flows/{NAMESPACE}/{flow_id}", content=source)
        assert answer.status_code == 200, answer.text

    async def executions(self, count: int = 0, flow_id: str = "watched") -> list[Execution]:
        """Return the executions of the flow, as soon as there are so many."""
        async with asyncio.timeout(PATIENCE):
            while True:
                page = await self.core.store.queries.search("main", [], PageRequest(size=500))
                found = [one for one in page.results if one.flow_id == flow_id]
                if len(found) >= count:
                    return sorted(found, key=lambda one: one.created)
                await asyncio.sleep(0.02)

    async def state(self, flow_id: str = "watched") -> TriggerState:
        found = await self.core.store.triggers.get("main", NAMESPACE, flow_id, "watch")
        assert found is not None
        return found

    async def until(self, what: Any) -> TriggerState:
        """Return the trigger's state as soon as something holds of it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.core.store.triggers.get("main", NAMESPACE, "watched", "watch")
                if found is not None and what(found):
                    return found
                await asyncio.sleep(0.02)

    async def lines(self) -> list[LogLine]:
        page = await self.core.store.queries.logs("main", [], PageRequest(size=500))
        return [line for line in page.results if line.trigger_id == "watch"]

    async def trigger(self, method: str, path: str = "", **options: Any) -> Any:
        """Call the API about the trigger."""
        answer = await self.live.client.request(
            method, f"/api/v1/main/triggers/{NAMESPACE}/watched/watch{path}", **options
        )
        assert answer.status_code < 300, answer.text
        return answer


@pytest.fixture
async def polled(tmp_path: Path) -> AsyncIterator[Polled]:
    async with live_server(tmp_path) as live:
        scheduler = build_scheduler(live.core)
        running = asyncio.create_task(scheduler.run())
        yield Polled(live)
        scheduler.stop()
        await running


@pytest.fixture
def shop() -> Iterator[Shop]:
    with serving(Shop()) as server:
        yield server


@pytest.fixture
def redis_url(redis_executable: Path, tmp_path: Path) -> Iterator[str]:
    with redis_on(redis_executable, tmp_path) as url:
        yield url
