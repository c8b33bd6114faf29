"""Named tasks under supervision: one that ends by itself ends the server loudly."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from penstock.base.errors import PenstockError

log = structlog.get_logger(__name__)


class ServiceDied(PenstockError):
    """A part of the server ended that should not have."""

    code = "SERVICE_DIED"


class Supervisor:
    """Runs named tasks and notices when one ends that nobody stopped."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._stopped: set[str] = set()
        self._died = asyncio.Event()
        self.failure: ServiceDied | None = None

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine under a name."""
        task = asyncio.create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._ended(name, done))
        return task

    def _ended(self, name: str, task: asyncio.Task[Any]) -> None:
        if name in self._stopped or task.cancelled():
            return
        error = task.exception()
        reason = "it returned" if error is None else f"{type(error).__name__}: {error}"
        if self.failure is None:
            self.failure = ServiceDied(f"{name} ended: {reason}")
            self.failure.__cause__ = error
        log.error("service ended", action="server.died", service=name, reason=reason, exc_info=error)
        self._died.set()

    async def failed(self) -> ServiceDied:
        """Wait until a task ends by itself, and return how."""
        await self._died.wait()
        assert self.failure is not None
        return self.failure

    def expect_end(self, *names: str) -> None:
        """Take the end of these tasks for granted from now on: they have been told to stop."""
        self._stopped.update(names)

    async def stop(self, name: str, *, cancel: bool = False) -> None:
        """Wait for the end of a task that was told to stop; `cancel` tells it here."""
        task = self._tasks.pop(name, None)
        if task is None:
            return
        self._stopped.add(name)
        if cancel:
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
