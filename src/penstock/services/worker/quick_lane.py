"""One thread for all tasks that promise never to wait: no thread, no slot and no asyncio object of their own.

What has piled up since the last look is run in one go and handed back in one piece. A task that breaks its promise
(a template that computes for seconds) keeps only itself waiting: another thread takes the lane over.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class QuickLane(Generic[Item, Result]):
    """Runs items one after another in a thread, and hands back their results on the loop.

    Args:
        loop: Where results are handed back.
        run: Turns an item into its result, in the lane's thread; must not raise.
        done: Takes the results of several items, on the loop.
        name: The thread's name.
        patience: Seconds an item may take before another thread takes the lane over.
        batch: Most results handed back at once.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        run: Callable[[Item], Result],
        done: Callable[[list[Result]], None],
        name: str,
        *,
        patience: float = 1.0,
        batch: int = 128,
    ) -> None:
        self._loop = loop
        self._run_item = run
        self._done = done
        self._name = name
        self._patience = patience
        self._batch = batch
        self._items: deque[Item] = deque()
        self._tokens: SimpleQueue[bool] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._since: float | None = None
        """When the item at hand was begun."""
        self._watching = False

    def submit(self, items: Iterable[Item]) -> None:
        """Run these items; called on the loop."""
        if self._thread is None:
            self._start()
        self._items.extend(items)
        self._tokens.put(True)
        if not self._watching:
            self._watching = True
            self._loop.call_later(self._patience, self._watch)

    def take_back(self) -> list[Item]:
        """Return what has not begun, and run it no more."""
        waiting = []
        while self._items:
            try:
                waiting.append(self._items.popleft())
            except IndexError:
                break
        return waiting

    def close(self) -> None:
        """Let the thread end after the item at hand."""
        self._items.clear()
        self._thread = None
        self._tokens.put(False)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        """Replace a thread that is held up; look again as long as there is anything to do."""
        since = self._since
        if since is None and not self._items:
            self._watching = False
            return
        if since is not None and time.monotonic() - since > self._patience and self._thread is not None:
            self._since = None
            self._start()
        if self._items:
            self._tokens.put(True)
        self._loop.call_later(self._patience, self._watch)

    def _work(self) -> None:
        me = threading.current_thread()
        while self._thread is me and self._tokens.get():
            self._drain(me)

    def _drain(self, me: threading.Thread) -> None:
        results: list[Result] = []
        while self._thread is me:
            try:
                item = self._items.popleft()
            except IndexError:
                break
            self._since = time.monotonic()
            results.append(self._run_item(item))
            if len(results) >= self._batch:
                self._hand_back(results)
                results = []
        if self._thread is me:
            self._since = None
        if results:
            self._hand_back(results)

    def _hand_back(self, results: list[Result]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._done, results)
        except RuntimeError:
            return  # the loop is closed: nobody wants results any more
