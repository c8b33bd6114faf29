"""What a worker's tasks run on: threads of this machine, or whatever stands in for them in a simulation."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import CancelledError, Future
from typing import Any, Protocol, TypeVar

from penstock.base.errors import UnavailableError
from penstock.services.worker.quick_lane import QuickLane
from penstock.services.worker.threads import ThreadPool

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pool(Protocol):
    """Runs work that may take its time, a number of pieces at once (see `ThreadPool`)."""

    def submit(self, work: Callable[[], None]) -> None:
        """Have work done by the next free thread; it must not raise."""
        ...

    def replace(self, thread: threading.Thread) -> None:
        """Give a thread up: another takes its place."""
        ...

    def close(self) -> None:
        """Begin nothing any more."""
        ...


class Lane(Protocol[Item]):
    """Runs quick items one after another (see `QuickLane`)."""

    def submit(self, items: Iterable[Item]) -> None:
        """Run these items."""
        ...

    def take_back(self) -> list[Item]:
        """Return what has not begun, and run it no more."""
        ...

    def close(self) -> None:
        """End after the item at hand."""
        ...


class Bridge(Protocol):
    """How a task's thread waits: for the loop, or for time to pass."""

    def wait_for(self, coroutine: Coroutine[Any, Any, Result], loop: asyncio.AbstractEventLoop) -> Result:
        """Run a coroutine on the loop and wait for its result; raises UnavailableError when the worker stops."""
        ...

    def pause(self, stop: threading.Event, seconds: float) -> None:
        """Wait for some time, or until the event happens."""
        ...


class Machinery(Bridge, Protocol):
    """Makes what a worker runs its tasks on. All but the work itself happens on the worker's loop."""

    def pool(self, size: int, name: str) -> Pool:
        """Return threads for tasks that may wait."""
        ...

    def lane(
        self,
        loop: asyncio.AbstractEventLoop,
        run: Callable[[Item], Result],
        done: Callable[[list[Result]], None],
        name: str,
    ) -> Lane[Item]:
        """Return the lane of the tasks that never wait."""
        ...

    def apart(self, work: Callable[[], None], name: str) -> None:
        """Do work beside everything else."""
        ...

    async def join(self, threads: Iterable[threading.Thread | None], seconds: float) -> None:
        """Wait for threads to let go of what they do."""
        ...


class Threads:
    """The threads of this machine."""

    def pool(self, size: int, name: str) -> Pool:
        """Return threads for tasks that may wait."""
        return ThreadPool(size, name)

    def lane(
        self,
        loop: asyncio.AbstractEventLoop,
        run: Callable[[Item], Result],
        done: Callable[[list[Result]], None],
        name: str,
    ) -> Lane[Item]:
        """Return the lane of the tasks that never wait."""
        return QuickLane(loop, run, done, name)

    def wait_for(self, coroutine: Coroutine[Any, Any, Result], loop: asyncio.AbstractEventLoop) -> Result:
        """Run a coroutine on the loop and wait for its result."""
        try:
            future: Future[Result] = asyncio.run_coroutine_threadsafe(coroutine, loop)
        except RuntimeError:
            coroutine.close()
            raise UnavailableError("the worker has stopped") from None
        try:
            return future.result()
        except CancelledError:
            raise UnavailableError("the worker is stopping") from None

    def pause(self, stop: threading.Event, seconds: float) -> None:
        """Wait for some time, or until the event happens."""
        stop.wait(seconds)

    def apart(self, work: Callable[[], None], name: str) -> None:
        """Do work in a thread of its own."""
        threading.Thread(target=work, name=name, daemon=True).start()

    async def join(self, threads: Iterable[threading.Thread | None], seconds: float) -> None:
        """Wait for threads to let go of what they do."""
        await asyncio.to_thread(_join, list(threads), seconds)


def _join(threads: Iterable[threading.Thread | None], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for thread in threads:
        if thread is not None:
            thread.join(max(0.0, deadline - time.monotonic()))
