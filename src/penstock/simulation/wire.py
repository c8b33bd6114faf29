"""The way of a worker's requests to the servers: it takes time, it breaks, and it brings a request twice.

Both ends are the product's own: the client is the worker's, the answers come from the routes that every server has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextvars import copy_context
from random import Random
from typing import Any, Protocol

import httpx

from penstock.base.clock import SECOND
from penstock.ports.gateway import WorkerGateway
from penstock.simulation.disk import Line
from penstock.simulation.loop import PROCESS, SimulatedLoop

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
TOKEN = "the token of the workers"  # noqa: S105
_KEY = b"what all servers sign with"
_LATEST = 5 * SECOND
"""How much later than a request its repetition may arrive."""


def app_for_workers(gateway: WorkerGateway, tokens: Sequence[str]) -> App:
    """Return what a server answers workers with."""
    from fastapi import FastAPI  # slow to import, and not needed by every seed

    from penstock.api.worker_gateway import WorkerAccess, create_worker_router

    app = FastAPI(openapi_url=None)
    app.include_router(create_worker_router(gateway, WorkerAccess(tokens, _KEY)))
    return app


class Door(Protocol):
    """A machine that may answer requests."""

    async def answer(self, exchange: Exchange, patience: float) -> None:
        """Answer a request. Raises `httpx.TransportError` when no answer came."""
        ...


class Exchange:
    """A request and its answer, as a server sees them (ASGI)."""

    def __init__(self, request: httpx.Request, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._content = bytearray()
        self.is_over = asyncio.Event()
        """Set when nobody waits for the answer any more."""
        self.scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.url.path,
            "raw_path": request.url.raw_path,
            "root_path": "",
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": None,
            "server": ("penstock", 80),
        }

    async def receive(self) -> Message:
        """Give the request, then wait for its end."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.is_over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message["headers"])
        else:
            self._content += message.get("body", b"")

    def response(self) -> httpx.Response:
        """Return the answer."""
        return httpx.Response(self._status, headers=self._headers, stream=httpx.ByteStream(bytes(self._content)))


class Wire(httpx.AsyncBaseTransport):
    """What a worker's HTTP client sends by.

    Args:
        line: What is wrong with it.
        doors: The machines that may answer; any of them does.
        loop: The loop.
        chance: Decides who answers, and how long things take.
        crash: Ends the worker's process.
    """

    def __init__(
        self,
        line: Line,
        doors: Sequence[Door],
        loop: SimulatedLoop,
        chance: Random,
        crash: Callable[[str], None],
    ) -> None:
        self._line = line
        self._doors = doors
        self._loop = loop
        self._chance = chance
        self._crash = crash

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Bring a request to a server and the answer back."""
        body = await request.aread()
        trap = self._line.traps.pop(0) if self._line.traps else ""
        if trap == "end before":
            await self._die(trap)
        if trap == "stall":
            await self._stand_still()
        if trap == "refuse":
            raise httpx.ConnectError("the connection is refused")
        if trap == "repeat":
            outside = copy_context()
            outside.run(PROCESS.set, None)  # what is on its way arrives, whatever becomes of the worker
            self._loop.create_task(self._once_more(request, body), name="repetition", context=outside)
        response = await self._asked(request, body)
        if trap == "end after":
            await self._die(trap)
        if trap == "lose the answer":
            raise httpx.ReadError("the answer got lost")
        await self._travel()
        return response

    async def _asked(self, request: httpx.Request, body: bytes) -> httpx.Response:
        await self._travel()
        exchange = Exchange(request, body)
        try:
            await self._chance.choice(self._doors).answer(exchange, request.extensions["timeout"]["read"])
        finally:
            exchange.is_over.set()
        return exchange.response()

    async def _once_more(self, request: httpx.Request, body: bytes) -> None:
        """Bring a request a second time, some time or other; nobody hears the answer."""
        await asyncio.sleep(self._chance.randrange(_LATEST) / SECOND)
        try:
            await self._asked(request, body)
        except httpx.TransportError:
            return

    async def _travel(self) -> None:
        slow = self._loop.now < self._line.slow_until
        await asyncio.sleep(self._chance.randrange(3 * SECOND if slow else 5_000) / SECOND)
        if self._loop.now < self._line.cut_until:
            raise httpx.ReadError("the network is cut")

    async def _stand_still(self) -> None:
        process = PROCESS.get()
        if process is not None:
            process.still_until = self._loop.now + self._line.stall
        await asyncio.sleep(0)

    async def _die(self, why: str) -> None:
        self._crash(why)
        await self._loop.create_future()
