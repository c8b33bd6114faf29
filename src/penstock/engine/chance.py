"""Chance without randomness: what `uuid()` or `randomInt()` draw from inside a decision.

Seeded with what the decision is about, so that deciding again about the same thing gives the same; seeded only when
drawn from, since hardly any condition does.
"""

from __future__ import annotations

import random


class Chance:
    """A `RandomSource` that always gives the same numbers for the same seed."""

    __slots__ = ("_random", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._random: random.Random | None = None

    def _source(self) -> random.Random:
        if self._random is None:
            self._random = random.Random(self._seed)  # noqa: S311  # repeatable on purpose
        return self._random

    def getrandbits(self, k: int, /) -> int:
        """Return an integer of `k` bits."""
        return self._source().getrandbits(k)

    def randrange(self, start: int, stop: int) -> int:
        """Return an integer from `start` up to, but not including, `stop`."""
        return self._source().randrange(start, stop)
