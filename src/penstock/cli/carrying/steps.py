"""What became of each thing that was to be copied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What was done with a thing."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT = "left"
    """It cannot be copied; the message says what to do instead."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing and what became of it.

    Attributes:
        kind: `flow`, `file`, `pair`, `namespace`, `trigger`, or what else the source has.
        name: What it is called, its namespace in front.
        action: What was done with it.
        message: Why it was left or failed.
        hint: What to do about that.
    """

    kind: str
    name: str
    action: Action
    message: str = ""
    hint: str = ""


def summary(steps: Iterable[Step]) -> list[str]:
    """Return a line for each kind, saying how many became what."""
    counts: dict[str, Counter[Action]] = {}
    for step in steps:
        counts.setdefault(step.kind, Counter())[step.action] += 1
    return [
        f"{kind}s: " + ", ".join(f"{found[action]} {action}" for action in Action if found[action])
        for kind, found in counts.items()
    ]
