"""A way to a database that can be cut: whatever is sent then stays where it is, as on a network that lost its route."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from threading import Thread
from typing import Any, TypeVar

from tests.support.waiting import PATIENCE

T = TypeVar("T")
_PIECE = 65_536


class Proxy:
    """Passes connections on to a server on this machine, which may change. Runs in a thread of its own.

    Args:
        target: The server's port.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._passing = asyncio.Event()
        self._passing.set()
        self._connections: set[asyncio.Task[Any]] = set()
        self._server = self._call(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Let nothing through, and tell nobody."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def heal(self) -> None:
        """Let through what was held back, and all that follows."""
        self._loop.call_soon_threadsafe(self._passing.set)

    def lead_to(self, target: int) -> None:
        """Lead new connections to another server, and break those there are."""
        self._target = target
        self._call(self._break())

    def close(self) -> None:
        """Break all connections and end."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()  # in the loop's own thread: connections that end at the same time close it too
        await self._break()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        writers = [writer]
        try:
            await self._passing.wait()
            back, onward = await asyncio.open_connection("127.0.0.1", self._target)
            writers.append(onward)
            both = [asyncio.ensure_future(self._pump(reader, onward)), asyncio.ensure_future(self._pump(back, writer))]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in both:
                    one.cancel()
                await asyncio.gather(*both, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            for one in writers:
                one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE):
                await self._passing.wait()
                writer.write(piece)
                await writer.drain()

    async def _break(self) -> None:
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
