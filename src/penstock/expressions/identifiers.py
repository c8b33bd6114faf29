"""Random and sortable identifiers of templates. Implements EXP-168."""

from __future__ import annotations

from datetime import datetime

from penstock.expressions.environment import RandomSource

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NANO_ALPHABET = "_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KSUID_EPOCH = 1_400_000_000


def base62(number: int, length: int) -> str:
    """Return the number in base 62, filled to the length."""
    digits: list[str] = []
    while number:
        number, rest = divmod(number, 62)
        digits.append(_BASE62[rest])
    return "".join(reversed(digits)).rjust(length, "0")


def uuid62(random: RandomSource) -> str:
    """Return a random UUID (version 4) in base 62: 22 characters."""
    bits = random.getrandbits(128)
    bits = bits & ~(0xF << 76) | (4 << 76)
    bits = bits & ~(0x3 << 62) | (2 << 62)
    return base62(bits, 22)


def ksuid(now: datetime, random: RandomSource) -> str:
    """Return an id that sorts by its second of creation: 27 characters."""
    seconds = (int(now.timestamp()) - _KSUID_EPOCH) & 0xFFFFFFFF
    return base62(seconds << 128 | random.getrandbits(128), 27)


def nano_id(random: RandomSource, length: int, alphabet: str) -> str:
    """Return a random text over the alphabet."""
    return "".join(alphabet[random.randrange(0, len(alphabet))] for _ in range(length))
