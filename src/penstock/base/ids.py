"""Identifiers: 22 characters of 0-9, A-Z, a-z (ENG-126).

Fresh ids start with the time, so that rows written together lie together in an index; derived ids are a digest of
natural keys, so that deciding twice about the same thing names it the same.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [a + b for a in _DIGITS for b in _DIGITS]
_BASE = len(_PAIRS)


def _half(number: int) -> str:
    """Return 64 bits as 11 characters; small integers divide faster than large ones."""
    number, a = divmod(number, _BASE)
    number, b = divmod(number, _BASE)
    number, c = divmod(number, _BASE)
    number, d = divmod(number, _BASE)
    number, e = divmod(number, _BASE)
    return _DIGITS[number] + _PAIRS[e] + _PAIRS[d] + _PAIRS[c] + _PAIRS[b] + _PAIRS[a]


def _encode(number: int) -> str:
    return _half(number >> 64) + _half(number & 0xFFFFFFFFFFFFFFFF)


def _drawn() -> int:
    return (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")


_source: ContextVar[Callable[[], int]] = ContextVar("source of ids", default=_drawn)


def new_id() -> str:
    """Return a fresh id that sorts by its time of creation (48 bits of milliseconds, 80 random bits)."""
    return _encode(_source.get()())


@contextmanager
def ids_from(source: Callable[[], int]) -> Iterator[None]:
    """Draw fresh ids from another source within: repeatable ones, in a simulation.

    Args:
        source: Returns 128 bits, of which the first 48 are milliseconds since 1970.
    """
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


def derived_id(*keys: str) -> str:
    """Return the id that belongs to these natural keys: the same keys always give the same id."""
    digest = hashlib.blake2b("\x00".join(keys).encode(), digest_size=16).digest()
    return _encode(int.from_bytes(digest, "big"))
