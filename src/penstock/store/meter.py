"""Measures how the connections to a database are used, from all threads that use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import perf_counter
from typing import TypeVar

from penstock.base.measures import Summary
from penstock.ports.pools import PoolFigures

T = TypeVar("T")


class Meter:
    """Counts for one process. Implements the measuring of OPS-149."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting = 0
        self._active = 0
        self._timeouts = 0
        self._acquired = Summary()
        self._created = Summary()
        self._used = Summary()

    def asked(self) -> float:
        """Somebody wants a connection; returns when."""
        with self._lock:
            self._waiting += 1
        return perf_counter()

    def got(self, asked: float) -> None:
        """The wait for a connection is over."""
        with self._lock:
            self._waiting -= 1
            self._acquired.add(perf_counter() - asked)

    def timed_out(self) -> None:
        """No connection became free in time."""
        with self._lock:
            self._timeouts += 1

    @contextmanager
    def using(self) -> Iterator[None]:
        """Measure one transaction."""
        began = perf_counter()
        with self._lock:
            self._active += 1
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1
                self._used.add(perf_counter() - began)

    def connecting(self, connect: Callable[[], T]) -> T:
        """Connect, and measure that."""
        began = perf_counter()
        made = connect()
        with self._lock:
            self._created.add(perf_counter() - began)
        return made

    def figures(self, *, is_open: int, most: int, least: int) -> PoolFigures:
        """Return what was measured, with what the pool knows by itself."""
        return PoolFigures(
            is_open, self._active, most, least, self._waiting, self._timeouts, self._acquired, self._created, self._used
        )
