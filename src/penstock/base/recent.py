"""What was used last stays in memory, the rest is forgotten: a map that never outgrows its bound."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A bounded map that forgets what was used longest ago. May be used by several threads at once.

    Args:
        bound: How many values are kept.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._lock = threading.Lock()
        self._values: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[K]:
        """Yield the keys as they are now, whatever happens to the map meanwhile."""
        with self._lock:
            return iter(list(self._values))

    def get(self, key: K) -> V | None:
        """Return the value of a key, which counts as a use; None when it is not (or no longer) there."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def put(self, key: K, value: V) -> None:
        """Insert or replace a value."""
        with self._lock:
            self._values[key] = value
            self._used(key)

    def of(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key, made when there is none; all get the same, even when several make it at once."""
        found = self.get(key)
        if found is not None:
            return found
        made = make()  # without the lock: it may take long, or ask this map for something else
        with self._lock:
            kept = self._values.setdefault(key, made)
            self._used(key)
        return kept

    def forget(self, key: K) -> None:
        """Drop a value, if it is there."""
        with self._lock:
            self._values.pop(key, None)

    def clear(self) -> None:
        """Drop all values."""
        with self._lock:
            self._values.clear()

    def _used(self, key: K) -> None:
        self._values.move_to_end(key)
        while len(self._values) > self._bound:
            self._values.popitem(last=False)
