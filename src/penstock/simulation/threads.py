"""Threads that run only while the loop stands still, so that chance alone decides what happens when.

A task's `run` is an ordinary function: it needs a stack of its own to wait in the middle. So each piece of work has a
real thread, but there is one baton: the loop hands it over and waits until the thread waits for virtual time, or ends.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from contextvars import ContextVar, copy_context
from random import Random
from typing import Any, TypeVar

from penstock.base.clock import SECOND, Micros
from penstock.base.errors import UnavailableError
from penstock.services.worker.machinery import Lane, Pool
from penstock.simulation.loop import SimulatedLoop

Item = TypeVar("Item")
Result = TypeVar("Result")


class Dismissed(BaseException):
    """The simulation is over; whoever still waits may go."""


class SimulatedThread:
    """One piece of work that may wait for virtual time.

    Args:
        loop: The loop.
        work: What to do; told that it is over when the simulation ends.
        ended: Called on the loop when it has been done.
    """

    def __init__(self, loop: SimulatedLoop, work: Callable[[], None], ended: Callable[[SimulatedThread], None]) -> None:
        self._loop = loop
        self._ended = ended
        self._mine = threading.Semaphore(0)
        self._loops = threading.Semaphore(0)
        self.is_dismissed = False
        self._timer: asyncio.TimerHandle | None = None
        self.is_over = False
        context = copy_context()
        context.run(CURRENT.set, self)
        self.thread = threading.Thread(target=context.run, args=(self._run, work), daemon=True)

    def begin(self) -> None:
        """Run until the work waits or is done; called on the loop."""
        self.thread.start()
        self._loops.acquire()
        self._after()

    def wait(self, duration: Micros) -> None:
        """Let virtual time pass; called by the work."""
        if self.is_dismissed:
            raise Dismissed
        self._timer = self._loop.call_later(duration / SECOND, self._resume)
        self._loops.release()
        self._mine.acquire()
        if self.is_dismissed:
            raise Dismissed

    def wait_for(self, task: asyncio.Task[Result]) -> Result:
        """Wait for a task of the loop; called by the work."""
        task.add_done_callback(lambda _: self._go_on())
        self._loops.release()
        self._mine.acquire()
        if self.is_dismissed:
            raise Dismissed
        if task.cancelled():
            raise UnavailableError("the worker is stopping")
        return task.result()

    def wake(self) -> None:
        """End the waiting; called on the loop."""
        if self._timer is not None:
            self._timer.cancel()
            self._loop.call_soon(self._resume)

    def dismiss(self) -> None:
        """Let go of work that would wait for ever."""
        if self.thread.is_alive():
            self.is_dismissed = True
            self._mine.release()
            self.thread.join()

    def _resume(self) -> None:
        if self._timer is None:
            return  # it has been resumed already
        self._timer = None
        self._go_on()

    def _go_on(self) -> None:
        if not self.is_dismissed:
            self._mine.release()
            self._loops.acquire()
            self._after()

    def _after(self) -> None:
        if self.is_over:
            self._ended(self)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            with suppress(Dismissed):
                work()
        finally:
            self.is_over = True
            self._loops.release()


CURRENT: ContextVar[SimulatedThread] = ContextVar("thread")
"""The thread of the work at hand."""


class SimulatedPool:
    """A number of threads (`Pool`)."""

    def __init__(self, size: int, machinery: SimulatedThreads) -> None:
        self._free = size
        self._machinery = machinery
        self._waiting: deque[Callable[[], None]] = deque()
        self._given_up: set[threading.Thread] = set()

    def submit(self, work: Callable[[], None]) -> None:
        """Have work done by the next free thread."""
        self._waiting.append(work)
        self._begin()

    def replace(self, thread: threading.Thread) -> None:
        """Give a thread up."""
        self._given_up.add(thread)
        self._free += 1
        self._begin()

    def close(self) -> None:
        """Begin nothing any more."""
        self._waiting.clear()

    def _begin(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            thread = self._machinery.thread(self._waiting.popleft(), self._ended)
            self._machinery.soon(thread.begin)

    def _ended(self, thread: SimulatedThread) -> None:
        if thread.thread not in self._given_up:
            self._free += 1
            self._begin()


class SimulatedLane(Lane[Item]):
    """The lane of quick items: all that wait are run in one step (`Lane`)."""

    def __init__(
        self, machinery: SimulatedThreads, run: Callable[[Item], Result], done: Callable[[list[Result]], None]
    ) -> None:
        self._machinery = machinery
        self._items: deque[Item] = deque()

        def drain() -> None:
            taken, self._items = self._items, deque()
            done([run(item) for item in taken])

        self._drain = drain

    def submit(self, items: Iterable[Item]) -> None:
        """Run these items."""
        self._items.extend(items)
        self._machinery.soon(self._drain)

    def take_back(self) -> list[Item]:
        """Return what has not begun."""
        taken, self._items = self._items, deque()
        return list(taken)

    def close(self) -> None:
        """Begin nothing any more."""
        self._items.clear()


class SimulatedThreads:
    """What workers of a simulation run their tasks on (`Machinery`).

    Args:
        loop: The loop.
        chance: Decides how soon a thread begins.
    """

    def __init__(self, loop: SimulatedLoop, chance: Random) -> None:
        self._loop = loop
        self._chance = chance
        self._threads: list[SimulatedThread] = []

    def pool(self, size: int, name: str) -> Pool:
        """Return threads for tasks that may wait."""
        return SimulatedPool(size, self)

    def lane(
        self,
        loop: asyncio.AbstractEventLoop,
        run: Callable[[Item], Result],
        done: Callable[[list[Result]], None],
        name: str,
    ) -> Lane[Item]:
        """Return the lane of the tasks that never wait."""
        return SimulatedLane(self, run, done)

    def apart(self, work: Callable[[], None], name: str) -> None:
        """Do work beside everything else."""
        self.soon(self.thread(work, lambda thread: None).begin)

    def wait_for(self, coroutine: Coroutine[Any, Any, Result], loop: asyncio.AbstractEventLoop) -> Result:
        """Have a coroutine run on the loop and wait for its result."""
        thread = CURRENT.get()
        if thread.is_dismissed:
            coroutine.close()
            raise Dismissed
        return thread.wait_for(self._loop.create_task(coroutine))

    def pause(self, stop: threading.Event, seconds: float) -> None:
        """Let virtual time pass."""
        if not stop.is_set():
            CURRENT.get().wait(round(seconds * SECOND))

    async def join(self, threads: Iterable[threading.Thread | None], seconds: float) -> None:
        """Wait for threads to let go of what they do."""
        wanted = {thread for thread in threads if thread is not None}
        for _ in range(round(seconds * 10)):
            if all(one.is_over for one in self._threads if one.thread in wanted):
                return
            await asyncio.sleep(0.1)

    def thread(self, work: Callable[[], None], ended: Callable[[SimulatedThread], None]) -> SimulatedThread:
        """Return a thread that has not begun."""
        made = SimulatedThread(self._loop, work, ended)
        self._threads.append(made)
        return made

    def soon(self, work: Callable[[], None]) -> None:
        """Have a step run within a moment, of the present process."""
        self._loop.call_later(self._chance.randrange(2_000) / SECOND, work)

    def dismiss(self) -> None:
        """Let go of all threads; the simulation is over."""
        for thread in self._threads:
            thread.dismiss()
