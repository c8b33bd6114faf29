"""Launch forms: how each input stands, and which checks fail.

Implements API-035 and the `validate` endpoint of API-101.
"""

from __future__ import annotations

from typing import Any

from penstock.model.inputs import InputState
from penstock.services.executions import LaunchCheck


def render_input_checks(namespace: str, flow_id: str, check: LaunchCheck) -> dict[str, Any]:
    """Return what a launch would find; a secret's value is not repeated."""
    inputs = [_state(state) for state in check.inputs]
    inputs.extend(
        {"input": {"id": problem.id, "type": "STRING"}, "enabled": False, "errors": [_error(problem)]}
        for problem in check.unknown
    )
    checks = [{"message": one.message, "style": one.style, "behavior": one.behavior} for one in check.failing]
    return {"id": flow_id, "namespace": namespace, "inputs": inputs, "checks": checks}


def _state(state: InputState) -> dict[str, Any]:
    declared = state.input.model_dump(by_alias=True, exclude_none=True)
    if state.choices is not None:
        declared["values"] = list(state.choices)
    body: dict[str, Any] = {
        "input": declared,
        "enabled": state.enabled,
        "isDefault": state.is_default,
        "errors": [_error(state.problem)] if state.problem is not None else [],
    }
    if state.value is not None and state.input.type != "SECRET":
        body["value"] = state.value
    return body


def _error(problem: Any) -> dict[str, str]:
    return {"message": f"{problem.message} ({problem.hint})" if problem.hint else problem.message}
