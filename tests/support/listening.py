"""A whole server in a thread of its own, reached over a socket by code that waits for answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import structlog
import uvicorn

from penstock.wiring.application import build_scheduler
from tests.support.live import live_server
from tests.support.waiting import PATIENCE, eventually


@contextmanager
def listening_server(folder: Path, **options: Any) -> Iterator[str]:
    """Run a server with its files in a folder; gives its address."""
    address: Future[str] = Future()
    ended: Future[None] = Future()
    stop = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with live_server(folder, **options) as server:
            web = uvicorn.Server(uvicorn.Config(server.app, port=0, log_config=None, lifespan="off", ws="none"))
            task = asyncio.create_task(web.serve())
            await eventually(lambda: web.started)
            address.set_result(f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}")
            scheduler = build_scheduler(server.core)
            scheduling = asyncio.create_task(scheduler.run(), name="scheduler")
            await stop.wait()
            web.should_exit = True
            scheduler.stop()
            await asyncio.gather(task, scheduling)

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if not address.done():
                address.set_exception(error)
            ended.set_exception(error)
        else:
            ended.set_result(None)

    thread = Thread(target=run, name="server", daemon=True)
    with _quiet():
        thread.start()
        found = address.result(PATIENCE)
        try:
            yield found
        finally:
            loops[0].call_soon_threadsafe(stop.set)
            ended.result(PATIENCE)
            thread.join(PATIENCE)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the server logs out of what commands print in the same process."""
    before = structlog.get_config()
    with Path(os.devnull).open("w") as nowhere:
        structlog.reset_defaults()  # a command may have set it up for its own process, which is this one
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(nowhere))
        try:
            yield
        finally:
            structlog.configure(**before)
