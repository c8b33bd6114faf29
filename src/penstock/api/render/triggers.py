"""States of triggers as JSON.

Implements API-037, BEY-006.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.api.render.instants import iso, iso_or_none
from penstock.base.clock import Instant
from penstock.ports.triggers import TriggerState
from penstock.services.preconditions import Expectation, Precondition


def render_trigger(state: TriggerState, now: Instant) -> dict[str, Any]:
    """Return a trigger's state."""
    body: dict[str, Any] = {
        "tenantId": state.tenant,
        "namespace": state.namespace,
        "flowId": state.flow_id,
        "triggerId": state.trigger_id,
        "date": iso(state.date if state.date is not None else state.updated),
        "disabled": state.disabled,
    }
    optional = {
        "nextExecutionDate": iso_or_none(state.next_date),
        "executionId": state.execution_id,
        "backfill": state.backfill,
        "updatedDate": iso_or_none(state.updated or None),
        "evaluateRunningDate": iso_or_none(state.evaluating_since),
        "failures": state.failures or None,
        "error": state.error,
        "lateSince": iso_or_none(state.late_since(now)),
    }
    return body | {key: value for key, value in optional.items() if value is not None}


def render_expectation(expectation: Expectation) -> dict[str, Any]:
    """Return what a trigger waits for."""
    namespace, flow_id, trigger_id = expectation.name
    body: dict[str, Any] = {
        "namespace": namespace,
        "flowId": flow_id,
        "triggerId": trigger_id,
        "preconditions": [_precondition(one) for one in expectation.preconditions],
        "waiting": [
            {"executionId": one.execution, "state": one.state, "date": iso(one.at)} for one in expectation.waiting
        ],
    }
    return body if expectation.execution_id is None else body | {"executionId": expectation.execution_id}


def _precondition(one: Precondition) -> dict[str, Any]:
    body = {"id": one.name, "wanted": dict(one.wanted), "met": one.met is not None}
    if one.met is None:
        return body
    return body | {"executionId": one.met.execution, "date": iso(one.met.at), "until": iso(one.met.until)}


def render_trigger_row(state: TriggerState, definition: Mapping[str, Any] | None, now: Instant) -> dict[str, Any]:
    """Return a trigger as lists show it: its definition in the flow, and its state."""
    body: dict[str, Any] = {"triggerContext": render_trigger(state, now)}
    if definition is not None:
        body["abstractTrigger"] = definition
    return body
