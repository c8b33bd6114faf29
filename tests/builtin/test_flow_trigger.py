"""The Flow trigger by itself: filters, needs, and what is refused where it is written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from penstock.builtin.triggers.upstream import Filter, Flow
from penstock.expressions import evaluate
from penstock.model.flow import parse_flow
from penstock.wiring.plugins import load_plugins

REGISTRY = load_plugins().registry
CONDITION = "io.kestra.plugin.core.condition"
A = {"namespace": "n", "flowId": "a"}
UPSTREAM = {"namespace": "company.team", "flowId": "load_orders", "state": "SUCCESS", "labels": {"team": "data"}}
FLOW = """
id: after
namespace: company.team
tasks:
  - {id: log, type: io.kestra.plugin.core.log.Log, message: hello}
triggers:
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: abc}
  - id: upstream
    type: io.kestra.plugin.core.trigger.Flow
"""


def problems(trigger: str) -> list[tuple[str, str]]:
    return [(one.path, one.message) for one in parse_flow(FLOW + trigger, REGISTRY).errors]


@pytest.mark.parametrize(
    ("operator", "fitting", "other"),
    [
        ("EQUAL_TO", "load_orders", "load"),
        ("NOT_EQUAL_TO", "load", "load_orders"),
        ("IN", ["a", "load_orders"], ["a", "b"]),
        ("NOT_IN", ["a", "b"], ["a", "load_orders"]),
        ("STARTS_WITH", "load", "orders"),
        ("ENDS_WITH", "orders", "load"),
        ("CONTAINS", "d_o", "d-o"),
        ("REGEX", "load_[a-z]+", "load"),
    ],
)
def test_filter_compares_by_its_operator(operator: str, fitting: object, other: object) -> None:
    """ENG-412."""
    for value, holds in ((fitting, True), (other, False)):
        one = Filter.model_validate({"field": "FLOW_ID", "type": operator, "value": value})
        assert one.holds(UPSTREAM, lambda text: text) is holds
        if isinstance(value, list):
            listed = Filter.model_validate({"field": "FLOW_ID", "type": operator, "values": value})
            assert listed.holds(UPSTREAM, lambda text: text) is holds


@pytest.mark.parametrize(
    ("operator", "fitting", "other"),
    [
        ("IS_TRUE", "{{ 1 == 1 }}", "{{ 1 == 2 }}"),
        ("IS_FALSE", "{{ 1 == 2 }}", "{{ 1 == 1 }}"),
        ("IS_NULL", "{{ null }}", "{{ 0 }}"),
        ("IS_NOT_NULL", "{{ 0 }}", "{{ null }}"),
    ],
)
def test_filter_on_an_expression_asks_for_its_value(operator: str, fitting: str, other: str) -> None:
    """ENG-412, ENG-396."""
    for value, holds in ((fitting, True), (other, False)):
        one = Filter.model_validate({"field": "EXPRESSION", "type": operator, "value": value})
        assert one.holds(UPSTREAM, lambda text: evaluate(text, {})) is holds


@pytest.mark.parametrize("expression", ["(", "(" * 5_000 + ")" * 5_000], ids=["open", "deep"])
def test_filter_by_what_is_no_regular_expression_is_refused(expression: str) -> None:
    """ENG-412."""
    with pytest.raises(ValueError, match="is no regular expression"):
        Filter.model_validate({"field": "FLOW_ID", "type": "REGEX", "value": expression})


@pytest.mark.parametrize("field", ["NAMESPACE", "STATE", "FLOW_ID"])
def test_filter_looks_at_its_field(field: str) -> None:
    """ENG-293."""
    value = {"NAMESPACE": "company.team", "STATE": "SUCCESS", "FLOW_ID": "load_orders"}[field]
    assert Filter.model_validate({"field": field, "type": "EQUAL_TO", "value": value}).holds(UPSTREAM, str)


@pytest.mark.parametrize(
    ("trigger", "path"),
    [
        ('    states: ["{{ vars.x }}"]', "triggers[1].states[0]"),
        ('    labels: {team: "{{ vars.x }}"}', "triggers[1].labels.team"),
        (
            '    preconditions: {id: p, flows: [{namespace: "{{ flow.namespace }}", flowId: a}]}',
            "triggers[1].preconditions.flows[0].namespace",
        ),
        (
            '    preconditions: {id: p, where: [{id: w, filters: [{field: STATE, type: EQUAL_TO, value: "{{ x }}"}]}]}',
            "triggers[1].preconditions.where[0].filters[0].value",
        ),
        (
            f'    conditions: [{{type: {CONDITION}.ExecutionFlow, namespace: "{{{{ flow.namespace }}}}", flowId: a}}]',
            "triggers[1].conditions[0].namespace",
        ),
        (
            f'    conditions: [{{type: {CONDITION}.ExecutionLabels, labels: [{{key: a, value: "{{{{ x }}}}"}}]}}]',
            "triggers[1].conditions[0].labels[0].value",
        ),
    ],
)
def test_flow_trigger_expression_where_a_value_belongs_is_refused_there(trigger: str, path: str) -> None:
    """ENG-294."""
    assert [message for place, message in problems(trigger) if place == path and "not rendered here" in message]


def test_flow_trigger_expressions_where_they_belong_are_accepted() -> None:
    """ENG-294, ENG-396."""
    trigger = """
    inputs: {state: "{{ trigger.state }}"}
    conditions: [{type: io.kestra.plugin.core.condition.Expression, expression: "{{ trigger.state == 'FAILED' }}"}]
    preconditions:
      id: p
      where: [{id: w, filters: [{field: EXPRESSION, type: IS_TRUE, value: "{{ trigger.outputs.rows > 1 }}"}]}]
"""
    assert [one for one in problems(trigger) if "inputs" not in one[0]] == []


@pytest.mark.parametrize(
    ("trigger", "path", "part"),
    [
        ("    dependsOn: {flow: a}", "triggers[1].dependsOn", "must be a list"),
        ("    dependsOn: [{flowId: a}]", "triggers[1].dependsOn[0].namespace", "is required"),
        (
            "    dependsOn: [{namespace: a}]\n    preconditions: {id: p}",
            "triggers[1]",
            "write one of the two",
        ),
    ],
)
def test_flow_trigger_depends_on_of_another_form_is_refused_there(trigger: str, path: str, part: str) -> None:
    """BEY-050."""
    [(place, message)] = problems(trigger)
    assert place == path
    assert part in message


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ([], ("any",)),
        ([A, {"namespace": "n"}], ("n.a", "n.*")),
        (
            [{"namespace": "n", "flowId": "a", "states": ["SUCCESS"]}, {"namespace": "n", "flowId": "a"}],
            ("n.a", "n.a#2"),
        ),
    ],
)
def test_flow_trigger_needs_are_named_after_flows(listed: Sequence[object], names: tuple[str, ...]) -> None:
    """ENG-292, BEY-006."""
    given = {"dependsOn": listed} if listed else {}
    assert Flow.model_validate({"id": "t", "type": Flow.type_name, **given}).needs == names
