"""Conditions on executions and flows, alone and combined."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from penstock.builtin.conditions.logic import MultipleCondition
from penstock.engine.records import Attempt, Execution, TaskRun
from penstock.engine.states import State, StateType
from penstock.sdk.condition import ExecutionFacts, all_hold
from tests.builtin.conditions.conftest import PREFIX, Ask, context_of, make

ENDED = ExecutionFacts(
    "e1", "company.data.load", "loads", "WARNING", {"team": "data", "n": "3"}, {"code": 200}, frozenset({"SUCCESS"})
)


@pytest.mark.parametrize(
    ("name", "properties", "expected"),
    [
        ("ExecutionFlow", {"namespace": "company.data.load", "flowId": "loads"}, True),
        ("ExecutionFlow", {"namespace": "company.data", "flowId": "loads"}, False),
        ("ExecutionNamespace", {"namespace": "company.data.load"}, True),
        ("ExecutionNamespace", {"namespace": "company.data"}, False),
        ("ExecutionNamespace", {"namespace": "company.data", "prefix": True}, True),
        ("ExecutionNamespace", {"namespace": "data", "prefix": True}, False),
        ("ExecutionNamespace", {"namespace": "load", "comparison": "SUFFIX"}, True),
        ("ExecutionNamespace", {"namespace": "company", "prefix": True, "comparison": "EQUALS"}, False),
        ("ExecutionStatus", {"in": ["FAILED", "WARNING"]}, True),
        ("ExecutionStatus", {"in": ["FAILED"]}, False),
        ("ExecutionStatus", {"notIn": ["WARNING"]}, False),
        ("ExecutionStatus", {"in": ["WARNING"], "notIn": ["FAILED"]}, True),
        ("ExecutionStatus", {}, True),
        ("ExecutionLabels", {"labels": {"team": "data", "n": 3}}, True),
        ("ExecutionLabels", {"labels": {"team": "data", "other": "x"}}, False),
        ("ExecutionLabels", {"labels": [{"key": "team", "value": "data"}]}, True),
        ("ExecutionLabels", {"labels": [{"key": "team", "value": "web"}]}, False),
        ("ExecutionOutputs", {"expression": "{{ trigger.outputs.code == 200 }}"}, True),
        ("ExecutionOutputs", {"expression": "{{ trigger.outputs.code == 500 }}"}, False),
        ("HasRetryAttempt", {}, True),
        ("HasRetryAttempt", {"in": ["SUCCESS", "KILLED"]}, True),
        ("HasRetryAttempt", {"in": ["FAILED"]}, False),
    ],
)
def test_condition_on_an_execution_looks_at_it(
    holds: Ask, name: str, properties: dict[str, Any], expected: bool
) -> None:
    """ENG-273, ENG-274."""
    assert holds(name, context_of(execution=ENDED), **properties) is expected
    assert not holds(name, context_of(), **properties)  # PLG-037: there may be no execution


def test_outputs_and_retries_that_are_none_do_not_hold(holds: Ask) -> None:
    """ENG-273."""
    context = context_of(execution=replace(ENDED, outputs=None, retried_states=frozenset()))
    assert not holds("ExecutionOutputs", context, expression="{{ true }}")
    assert not holds("HasRetryAttempt", context)


def test_facts_come_from_the_records() -> None:
    """PLG-037."""
    execution = Execution(
        "e1", "main", "company.team", "flow", 1, 0, "e1", 0,
        labels=(("team", "data"),), outputs={"a": 1}, state=State.at(StateType.SUCCESS, 1),
    )  # fmt: skip
    attempt = Attempt(State.at(StateType.SUCCESS, 1))
    runs = [
        TaskRun("r1", "e1", "t", 0, state=State.at(StateType.SUCCESS, 1), attempts=(attempt,)),
        TaskRun("r2", "e1", "u", 1, state=State.at(StateType.WARNING, 1), attempts=(attempt, attempt)),
    ]
    assert ExecutionFacts.of(execution, runs) == ExecutionFacts(
        "e1", "company.team", "flow", "SUCCESS", {"team": "data"}, {"a": 1}, frozenset({"WARNING"})
    )


def test_condition_on_the_flow_itself(holds: Ask) -> None:
    """MIG-020."""
    context = context_of()
    assert holds("FlowCondition", context, namespace="company.team", flowId="flow")
    assert not holds("FlowCondition", context, namespace="company.team", flowId="other")
    assert holds("FlowNamespaceCondition", context, namespace="company", prefix=True)
    assert not holds("FlowNamespaceCondition", context, namespace="company")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{{ n == 1 }}", True),
        ("{{ n > 1 }}", False),
        ("{{ '' }}", False),
        (True, True),
        ("0", False),
        ("{{ n }}\n", True),
    ],
)
def test_expression_is_true_by_the_rule_of_flows(holds: Ask, expression: object, expected: bool) -> None:
    """ENG-273, EXP-179."""
    assert holds("Expression", context_of(variables={"n": 1}), expression=expression) is expected


YES, NO = ({"type": f"{PREFIX}Expression", "expression": value} for value in ("{{ true }}", "{{ false }}"))


@pytest.mark.parametrize(
    ("conditions", "any_holds"), [([YES], True), ([NO], False), ([YES, NO], True), ([NO, NO], False)]
)
def test_or_and_not_are_opposites(holds: Ask, conditions: list[dict[str, Any]], any_holds: bool) -> None:
    """ENG-274."""
    assert holds("Or", context_of(), conditions=conditions) is any_holds
    assert holds("Not", context_of(), conditions=conditions) is not any_holds
    nested = [{"type": f"{PREFIX}Not", "conditions": conditions}]
    assert holds("Not", context_of(), conditions=nested) is any_holds


@pytest.mark.parametrize("name", ["Or", "Not"])
def test_conditions_missing_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        make({"type": f"{PREFIX}{name}", "conditions": []})


def test_all_must_hold_and_none_is_enough() -> None:
    """ENG-272."""
    context = context_of()
    assert all_hold(None, context)
    assert all_hold([], context)
    assert all_hold([YES, YES], context)
    assert not all_hold([YES, NO], context)


def test_multiple_condition_tells_which_are_met_and_holds_when_all_are() -> None:
    """ENG-274, USE-B056."""
    flows = {
        f"flow_{name}": {"type": f"{PREFIX}ExecutionFlow", "namespace": "company.team", "flowId": f"multi_{name}"}
        for name in "ab"
    }
    definition = {
        "type": f"{PREFIX}MultipleCondition", "id": "multiple", "window": "P1D", "windowAdvance": "P0D",
        "conditions": flows,
    }  # fmt: skip
    condition = make(definition)
    assert isinstance(condition, MultipleCondition)
    ended = replace(ENDED, namespace="company.team", flow_id="multi_a")
    assert condition.names_met(context_of(execution=ended)) == {"flow_a"}
    assert not condition.test(context_of(execution=ended))
    alike = {name: {**one, "flowId": "multi_a"} for name, one in flows.items()}
    assert make({**definition, "conditions": alike}).test(context_of(execution=ended))
    with pytest.raises(ValidationError, match="is not a duration"):
        make({**definition, "window": "a day"})
