"""Type names of conditions: today's and the two generations before it."""

from __future__ import annotations

TODAY = "io.kestra.plugin.core.condition."
_OLDEST = "io.kestra.core.models.conditions.types."


def older(name: str) -> tuple[str, ...]:
    """Return the older names of a condition that lost its suffix. Implements MIG-020, MIG-021."""
    return (f"{TODAY}{name}Condition", f"{_OLDEST}{name}Condition", f"{_OLDEST}{name}")


def oldest(name: str) -> tuple[str, ...]:
    """Return the older name of a condition that kept its own."""
    return (f"{_OLDEST}{name}",)
