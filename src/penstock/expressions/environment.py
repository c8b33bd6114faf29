"""What a template may use besides its variables: a clock, chance, bounds, and one door to the outside.

All of it comes in from the caller, so that a test can fix the time and the engine stays a function of its arguments.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol


class Resolver(Protocol):
    """The one door to what is not in the variables: secrets, keys, files, HTTP, logs."""

    def call(self, function: str, arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
        """Return the result of an outside function; every declared argument is present, defaults included."""
        ...


class RandomSource(Protocol):
    """What `uuid`, `randomInt` and the like draw from."""

    def getrandbits(self, k: int, /) -> int:
        """Return an integer of `k` random bits."""
        ...

    def randrange(self, start: int, stop: int) -> int:
        """Return an integer from `start` up to, but not including, `stop`."""
        ...


_RANDOM = random.SystemRandom()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much work one template may do. Implements EXP-014."""

    output: int = 16 * 1024 * 1024
    """Characters a template, a filter or a concatenation may produce."""
    work: int = 256 * 1024 * 1024
    """Characters and elements all steps of one rendering may produce together."""
    elements: int = 1_000_000
    """Elements of one list made by the template itself (`range`, `merge`, `1..n`, parsed YAML)."""
    iterations: int = 1_000_000
    """Rounds of all loops of one rendering together."""
    depth: int = 32
    """Nesting of macros, blocks, parent templates and `render()`."""


RunJq = Callable[[str, str, float], list[Any]]
"""Runs a jq program that may not end: (program, input as JSON, seconds it may take) -> its results."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator of a server decides for all renderings.

    Args:
        regex_timeout: Seconds one regular expression may take (EXP-123).
        recursive_rendering: Render results again until they are stable (EXP-003).
        jq: Runs jq programs that are not sure to end; without it they are refused (EXP-087).
        jq_timeout: Seconds one of them may take.
    """

    regex_timeout: float = 10.0
    recursive_rendering: bool = False
    jq: RunJq | None = None
    jq_timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a rendering takes the present and chance from.

    Args:
        clock: Returns the present as an aware datetime.
        random: Source of chance for ids and random numbers.
        zone: Time zone of the server; None means the machine's own.
    """

    clock: Callable[[], datetime] = _utc_now
    random: RandomSource = _RANDOM
    zone: tzinfo | None = None


DEFAULT = Limits()
SYSTEM = Environment()
