"""Values of triggers and conditions that are compared as they are written, never rendered."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from penstock.sdk.flow import StateType


def without_expression(value: Any) -> Any:
    """Return a value that is no expression; one would be compared as it is, and never fit (ENG-294).

    Raises:
        ValueError: It is one.
    """
    if isinstance(value, str) and "{{" in value:
        raise ValueError("expressions are not rendered here: write the value itself, or use a condition `Expression`")
    return value


Verbatim = Annotated[str, AfterValidator(without_expression)]
VerbatimState = Annotated[StateType, BeforeValidator(without_expression)]
VerbatimLabels = dict[str, Annotated[Any, AfterValidator(without_expression)]]
