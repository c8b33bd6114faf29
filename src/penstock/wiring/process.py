"""How the interpreter runs a server: set once, when everything has started."""

from __future__ import annotations

import gc
import sys

_SWITCH_INTERVAL = 0.001
"""Seconds a thread keeps the interpreter while the loop waits for it: tasks must not hold up the executor."""
_COLLECT_AFTER = (50_000, 20, 50)
"""Working sets are many small objects that live for a while: looking through all of them again and again made the
cost of a loop's value grow with the loop (twice the time at 10,000 values)."""


def settle() -> None:
    """Leave what has been loaded so far out of garbage collection, and collect less often."""
    sys.setswitchinterval(_SWITCH_INTERVAL)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
