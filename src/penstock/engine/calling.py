"""A call's beginning and end: inputs are read by what the called flow declares, its outputs are made.

The same words and checks as for an execution of that flow. Implements BEY-037.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.base.errors import ConflictError
from penstock.engine.calls import INPUTS, Call
from penstock.engine.facts import FactNeeded
from penstock.engine.states import StateType
from penstock.engine.turn import Turn, replace
from penstock.expressions.encrypted import SEALING
from penstock.model.document import FlowDocument
from penstock.model.inputs import read_inputs
from penstock.model.values import render_outputs

_WITHOUT_OUTPUTS = (StateType.KILLED, StateType.CANCELLED)


def enter(turn: Turn, call: Call, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the memory with which the called flow's tasks begin.

    Raises:
        ConflictError: The called flow is disabled.
        InvalidInputs: A value is missing, wrong or unknown.
    """
    called = call.flow
    if called.disabled:
        raise ConflictError(f"flow {called.namespace}.{called.id} is disabled", hint="enable it, or skip the call")
    document: FlowDocument = called.source
    inputs = read_inputs(
        document.inputs,
        given,
        lambda template, added: turn.evaluate_inside(template, call, added),
        encrypt=lambda name, value: turn.facts.call(SEALING, {"value": value, "input": name}, {}),
    )
    return {INPUTS: inputs}


def leave(turn: Turn, call: Call, state: StateType) -> StateType:
    """Make the called flow's outputs those of the call; one that cannot be made fails a call that had not failed."""
    fixtures = turn.execution.fixtures
    if state in _WITHOUT_OUTPUTS:
        return state
    try:
        outputs = render_outputs(
            call.flow.outputs,
            lambda template: turn.evaluate_inside(template, call),
            lambda value: turn.facts.call(SEALING, {"value": value}, {}),
        )
    except FactNeeded:
        raise
    except Exception as error:
        if state is StateType.FAILED or (fixtures is not None and fixtures.is_partial):
            return state
        name = f"{call.flow.namespace}.{call.flow.id}"
        turn.log("ERROR", f"The outputs of flow {name} could not be made: {turn.explain(error)}", call.run)
        return StateType.FAILED
    turn.put(replace(turn.run(call.run.id), outputs={"outputs": outputs}))
    return state
