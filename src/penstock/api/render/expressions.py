"""What an expression gave, as JSON."""

from __future__ import annotations

from penstock.services.executions import Outcome


def render_outcome(outcome: Outcome) -> dict[str, str | None]:
    """Return the result, or why there is none."""
    return {"result": outcome.result} if outcome.error is None else {"error": outcome.error}
