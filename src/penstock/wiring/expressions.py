"""What the operator decides for the expressions of a process. Implements OPS-060, OPS-061, EXP-003, EXP-012."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.base.clock import SECOND
from penstock.expressions import DEFAULT_RENDERER
from penstock.expressions import Settings as RenderSettings
from penstock.services.jq_process import JqProcesses
from penstock.wiring.config import Settings


@dataclass(frozen=True, slots=True)
class ExpressionPlan:
    """How expressions are rendered.

    Args:
        regex_timeout: Seconds a regular expression may take.
        recursive_rendering: Render results again until they are stable.
        cache_size: How many compiled templates are kept.
    """

    regex_timeout: float = 10.0
    recursive_rendering: bool = False
    cache_size: int = 1000


def expression_plan(settings: Settings) -> ExpressionPlan:
    """Return what is configured."""
    variables = settings.kestra.variables
    return ExpressionPlan(
        regex_timeout=settings.kestra.regex.timeout / SECOND,
        recursive_rendering=variables.recursive_rendering,
        cache_size=variables.cache_size if variables.cache_enabled else 0,
    )


def set_up_expressions(plan: ExpressionPlan) -> JqProcesses:
    """Have all expressions of this process rendered so; the processes returned are for the caller to close.

    There is one cache of compiled templates in a process, so there is one set of these settings: that of the last
    caller.
    """
    processes = JqProcesses()
    settings = RenderSettings(
        regex_timeout=plan.regex_timeout, recursive_rendering=plan.recursive_rendering, jq=processes
    )
    DEFAULT_RENDERER.configure(settings, plan.cache_size)
    return processes
