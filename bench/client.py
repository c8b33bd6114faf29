"""A load client that costs next to nothing, since it shares the cores with the server it measures.

Each connection sends a prepared request, reads the answer's head and length, and sends the next one.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable


def prepared(
    method: str,
    path: str,
    host: str,
    body: bytes = b"",
    content_type: str = "",
    credentials: tuple[str, str] | None = None,
) -> bytes:
    """Return a whole HTTP/1.1 request as bytes."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\nAccept: application/json\r\n"
    if content_type:
        head += f"Content-Type: {content_type}\r\n"
    if credentials:
        token = base64.b64encode(":".join(credentials).encode()).decode()
        head += f"Authorization: Basic {token}\r\n"
    return head.encode() + b"\r\n" + body


class _Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at a time."""

    def __init__(
        self, request: bytes, take: Callable[[], bool], ended: asyncio.Future[None], latencies: list[float]
    ) -> None:
        self._request = request
        self._take = take
        self._ended = ended
        self._latencies = latencies
        self._buffer = b""
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None
        self.failures = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def _next(self) -> None:
        assert self._transport is not None
        if not self._take():
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        self._latencies.append(time.perf_counter() - self._sent)
        if not head.startswith(b"http/1.1 2"):
            self.failures += 1
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


async def flood(port: int, request: bytes, count: int, connections: int) -> tuple[float, list[float], int]:
    """Send a request `count` times over so many connections; returns seconds, latencies in seconds, failures."""
    left = count
    latencies: list[float] = []

    def take() -> bool:
        nonlocal left
        left -= 1
        return left >= 0

    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    ends: list[asyncio.Future[None]] = []
    protocols: list[_Connection] = []
    for _ in range(connections):
        ended: asyncio.Future[None] = loop.create_future()
        _, protocol = await loop.create_connection(
            lambda ended=ended: _Connection(request, take, ended, latencies),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        ends.append(ended)
        protocols.append(protocol)
    await asyncio.gather(*ends)
    return time.perf_counter() - started, latencies, sum(protocol.failures for protocol in protocols)
