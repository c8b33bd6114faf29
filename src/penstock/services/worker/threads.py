"""Threads for tasks, some of which may never come back.

Python cannot end a thread. One whose task ignores its kill order is given up: it is left alone, no longer counted, and
another takes its place, so that a worker never runs out of slots.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue

import structlog

log = structlog.get_logger(__name__)


class ThreadPool:
    """A number of daemon threads, started when they are needed.

    `submit`, `replace` and `close` are called from one thread, the owner's.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads: set[threading.Thread] = set()
        self._started = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Have work done by the next free thread; it must not raise."""
        self._queue.put(work)
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._size:
            self._start()

    def replace(self, thread: threading.Thread) -> None:
        """Give a thread up: whenever it comes back it ends."""
        if thread in self._threads:
            self._threads.discard(thread)
            self._start()

    def close(self) -> None:
        """Let every thread end after its present work; what waits is dropped."""
        with suppress(Empty):
            while True:  # until none is left: a thread may take one at this moment, too
                self._queue.get_nowait()
        for _ in self._threads:
            self._queue.put(None)

    def _start(self) -> None:
        self._started += 1
        thread = threading.Thread(target=self._run, name=f"{self._name}-{self._started}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _run(self) -> None:
        me = threading.current_thread()
        while (work := self._queue.get()) is not None:
            work()
            del work
            if me not in self._threads:
                return
            self._idle.release()


def in_turn(actions: Iterable[Callable[[], None]]) -> None:
    """Do what ends a task, one thing after the other; one that goes wrong keeps none from being done."""
    for action in actions:
        try:
            action()
        except Exception:
            log.exception("a task's end action failed", action="worker.end_action")
