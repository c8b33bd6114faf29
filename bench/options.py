"""Options of benchmarks: numbers of which a measurement can be made."""

from __future__ import annotations

import argparse


def whole(text: str) -> int:
    """Return a whole number of one or more.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number of one or more")
    return int(text)


def positive(text: str) -> float:
    """Return a number above zero.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return number


def rounds_of(total: int, size: int) -> int:
    """Return how many batches of a size come nearest to a total from below, one at least."""
    return max(1, total // size)
