"""How sure a worker can be that what it was given is still its own.

A worker that is silent for too long loses its jobs to others, and may be the last to learn of it: it was frozen, or cut
off. So it begins nothing once its last confirmed heartbeat is older than the server's patience allows for.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from penstock.base.clock import SECOND, Micros


class Lease:
    """Written on the worker's loop, asked in its threads.

    Args:
        time: Seconds that only ever grow.
        lasts: How long a confirmation holds; shorter than the server waits for the next.
    """

    def __init__(self, time: Callable[[], float], lasts: Micros) -> None:
        self._time = time
        self._lasts = lasts / SECOND
        self._confirmed = -math.inf

    def confirm(self, asked: float) -> None:
        """The server has confirmed the lease, some time after it was asked."""
        self._confirmed = asked

    def end(self) -> None:
        """The server has given the worker up."""
        self._confirmed = -math.inf

    @property
    def is_sure(self) -> bool:
        """Whether the server cannot have given the worker up: what it holds may begin."""
        return self._time() - self._confirmed < self._lasts
