"""How the interpreter runs programs, and servers once they have started."""

from __future__ import annotations

import gc
import sys

_SWITCH_INTERVAL = 0.001
"""Seconds a thread keeps the interpreter while the loop waits for it: tasks must not hold up the executor."""
_COLLECT_AFTER = (50_000, 20, 50)
"""Working sets are many small objects that live for a while: looking through all of them again and again made the
cost of a loop's value grow with the loop (twice the time at 10,000 values)."""


def collect_less_often() -> None:
    """Spare a program most of the garbage collections, which an import of many classes calls for in vain."""
    gc.set_threshold(*_COLLECT_AFTER)


def settle() -> None:
    """Leave what has been loaded so far out of garbage collection, and let threads hand over sooner."""
    sys.setswitchinterval(_SWITCH_INTERVAL)
    gc.collect()
    gc.freeze()
    collect_less_often()
