"""An asyncio event loop with virtual time: nothing waits, nothing runs beside it, and chance decides who comes next.

Steps belong to processes. Within a process they run in the order in which they were asked for, as on a real loop;
between processes any order may come. A process can end between any two of its steps, or stand still for a while.
"""

from __future__ import annotations

import asyncio
import heapq
import inspect
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from math import ceil
from random import Random
from typing import Any, TypeVar, TypeVarTuple

from penstock.base.clock import SECOND, Micros
from penstock.base.errors import PenstockError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_ROUNDS = 20


class Process:
    """What steps belong to: it ends as one, and stands still as one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_alive = True
        self.still_until: Micros = 0
        self.ready: deque[asyncio.Handle] = deque()
        self.never: list[asyncio.Handle] = []
        """Steps that were asked for and not run, since the process has ended."""
        self.ended = asyncio.Event()
        """Set at the end, for those outside who wait for it."""

    def __repr__(self) -> str:
        return self.name


PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
"""The process of the step at hand; tasks and callbacks inherit it. None is the outside: whoever uses the processes."""


class TooManySteps(PenstockError):
    """The processes are busy without end."""

    code = "TOO_MANY_STEPS"


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs the steps of all processes in one thread.

    Args:
        chance: Decides which process comes next.
        most_steps: More than this is taken for a loop that never rests.
    """

    def __init__(self, chance: Random, most_steps: int) -> None:
        super().__init__()
        self.set_task_factory(self._made)
        self._chance = chance
        self._most_steps = most_steps
        self._now: Micros = 0
        self._outside = Process("outside")
        self._processes: list[Process] = []
        self._timers: list[tuple[Micros, int, asyncio.TimerHandle, Process | None]] = []
        self._count = 0
        self._busy: list[Process] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self.steps = 0
        self.errors: list[BaseException] = []
        """What callbacks raised."""

    # -- time

    @property
    def now(self) -> Micros:
        """Virtual microseconds since the beginning."""
        return self._now

    def time(self) -> float:
        """Return virtual seconds since the beginning."""
        return self._now / SECOND

    # -- asking for steps

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback as one of the next steps of its process."""
        context = copy_context() if context is None else context
        handle = asyncio.Handle(callback, args, self, context)
        self._put(handle, context.get(PROCESS))
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Do what `call_soon` does: a simulated thread runs only while the loop waits for it."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback after virtual seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback at a virtual time."""
        context = copy_context() if context is None else context
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        due = max(self._now + 1, ceil(when * SECOND))  # never at once, or tiny waits would add up to no time
        heapq.heappush(self._timers, (due, self._count, handle, context.get(PROCESS)))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: a cancelled timer is passed over when it comes up."""

    def _put(self, handle: asyncio.Handle, process: Process | None) -> None:
        owner = process or self._outside
        if not owner.is_alive:
            owner.never.append(handle)
            return
        if not owner.ready:
            self._busy.append(owner)
        owner.ready.append(handle)

    # -- running

    def run_to_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Run steps until a task is done, and return its result."""
        task = self.create_task(work)
        events._set_running_loop(self)
        try:
            while not task.done():
                if not self._step():
                    raise TooManySteps("nothing can ever happen any more, and the simulation has not ended")
        finally:
            events._set_running_loop(None)
        return task.result()

    def _step(self) -> bool:
        """Run one step; False when there will never be one."""
        process = self._next_process()
        if process is None:
            return False
        handle = process.ready.popleft()
        if not process.ready:
            self._busy.remove(process)
        if not handle.cancelled():
            self.steps += 1
            if self.steps > self._most_steps:
                raise TooManySteps(f"more than {self._most_steps} steps in {self.time():.0f} virtual seconds")
            handle._run()
        return True

    def _next_process(self) -> Process | None:
        while True:
            awake = [process for process in self._busy if process.still_until <= self._now]
            if awake:
                return awake[0] if len(awake) == 1 else self._chance.choice(awake)
            moments = [process.still_until for process in self._busy]
            if self._timers:
                moments.append(self._timers[0][0])
            if not moments:
                return None
            self._now = max(self._now, min(moments))
            while self._timers and self._timers[0][0] <= self._now:
                _, _, timer, owner = heapq.heappop(self._timers)
                if not timer.cancelled():
                    self._put(timer, owner)

    def process(self, name: str) -> Process:
        """Return a new process."""
        process = Process(name)
        self._processes.append(process)
        return process

    def end(self, process: Process) -> None:
        """End a process between two steps: nothing of it runs any more, not even what would clean up."""
        process.is_alive = False
        process.ended.set()
        process.never.extend(process.ready)
        process.ready.clear()
        if process in self._busy:
            self._busy.remove(process)

    def wind_down(self) -> None:
        """Cancel whatever is left, of ended processes too, so that nothing is left to the garbage collector."""
        for process in self._processes:
            process.is_alive, process.still_until = True, 0
            for handle in process.never:
                self._put(handle, process)
        events._set_running_loop(self)
        try:
            for _ in range(_ROUNDS):
                left = [task for task in self._tasks if not task.done()]
                for task in left:
                    task.cancel()
                self._most_steps = self.steps + 100 * len(left) + 1000
                while self._busy and self.steps < self._most_steps:
                    self._step()
        finally:
            events._set_running_loop(None)
        for task in self._tasks:
            coroutine = task.get_coro()
            if task.done() and not task.cancelled():
                task.exception()  # seen, so that nobody complains of it
            elif inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                coroutine.close()  # its process ended before the first step

    # -- what the library asks of a loop

    def _made(self, loop: asyncio.AbstractEventLoop, work: Any, **about: Any) -> asyncio.Task[Any]:
        """Make a task and remember it (the loop's task factory)."""
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **about)
        self._tasks.append(task)
        return task

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Run a function as a step of its own; there are no threads."""
        future: asyncio.Future[T] = self.create_future()

        def run() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(func(*args))
            except Exception as error:
                future.set_exception(error)

        self.call_soon(run)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Note what a callback raised; a task's exception is its owner's concern."""
        error = context.get("exception")
        if error is not None and "handle" in context:
            self.errors.append(error)
