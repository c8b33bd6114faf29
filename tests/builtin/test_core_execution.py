from typing import Any

import pytest

from penstock.builtin.execution import (
    Assert,
    Exit,
    Fail,
    FailureChosen,
    Labels,
    SetVariables,
    TaskFailure,
    UnsetVariables,
)
from penstock.builtin.metric import MetricInvalid, Publish
from penstock.builtin.output import OutputValues
from penstock.sdk import Task
from penstock.testing.run_context import RunContextFactory, messages_of


def build(kind: type[Task], **properties: Any) -> Task:
    return kind.model_validate({"id": "t", "type": kind.type_name, **properties})


def test_fail_without_condition_always_fails_with_its_message(contexts: RunContextFactory) -> None:
    """ENG-093."""
    with pytest.raises(TaskFailure, match="no Ada here"):
        build(Fail, errorMessage="no {{ name }} here").run(contexts.of({"name": "Ada"}))
    with pytest.raises(TaskFailure, match="Task failure"):
        build(Fail).run(contexts.of())


@pytest.mark.parametrize("written", ["{{ n == 2 }}", "{{ false }}", "{{ '' }}", "0", False, "{{ n - 1 }}"])
def test_fail_condition_false_lets_the_flow_go_on(contexts: RunContextFactory, written: object) -> None:
    """ENG-093."""
    assert build(Fail, condition=written).run(contexts.of({"n": 1})) is None


@pytest.mark.parametrize("written", ["{{ n == 1 }}", "{{ 'yes' }}", True, "{{ n }}"])
def test_fail_condition_true_fails(contexts: RunContextFactory, written: object) -> None:
    """ENG-093."""
    with pytest.raises(TaskFailure):
        build(Fail, condition=written).run(contexts.of({"n": 1}))


def test_assert_all_true_succeeds(contexts: RunContextFactory) -> None:
    """ENG-094."""
    assert build(Assert, conditions=["{{ n == 1 }}", "{{ n > 0 }}"]).run(contexts.of({"n": 1})) is None


def test_assert_one_false_fails_and_names_it(contexts: RunContextFactory) -> None:
    """ENG-094."""
    context = contexts.of({"n": 1})
    with pytest.raises(TaskFailure, match="n is 1"):
        build(Assert, conditions=["{{ n == 1 }}", "{{ n > 5 }}"], errorMessage="n is {{ n }}").run(context)
    assert messages_of(context) == [("ERROR", "condition is false: {{ n > 5 }}")]
    with pytest.raises(TaskFailure, match="1 of 2 conditions"):
        build(Assert, conditions=["{{ n == 1 }}", "{{ n > 5 }}"]).run(contexts.of({"n": 1}))


def test_labels_map_given_are_set(contexts: RunContextFactory) -> None:
    """ENG-029."""
    context = contexts.of({"team": "data"})
    build(Labels, labels={"team": "{{ team }}", "idempotency.key": "k1", "n": 3}).run(context)
    assert context.labels == {"team": "data", "idempotency.key": "k1", "n": "3"}


def test_labels_list_given_have_dynamic_keys(contexts: RunContextFactory) -> None:
    """ENG-029."""
    context = contexts.of({"k": "a", "v": "b"})
    build(Labels, labels=[{"key": "{{ k }}", "value": "{{ v }}"}]).run(context)
    assert context.labels == {"a": "b"}


def test_labels_expression_giving_a_map_is_read_as_one(contexts: RunContextFactory) -> None:
    """EXP-007."""
    context = contexts.of({"found": {"a": "b"}})
    build(Labels, labels="{{ found }}").run(context)
    assert context.labels == {"a": "b"}


def test_labels_of_the_system_are_refused(contexts: RunContextFactory) -> None:
    """ENG-034."""
    with pytest.raises(TaskFailure, match=r"system\.correlationId"):
        build(Labels, labels={"system.correlationId": "mine"}).run(contexts.of())


def test_set_variables_nested_map_is_merged(contexts: RunContextFactory) -> None:
    """ENG-201."""
    context = contexts.of({"vars": {"nested": {"child": 1, "unchanged": 2}, "top": 3}})
    build(SetVariables, variables={"nested": {"child": "new"}, "more": "{{ vars.top }}"}).run(context)
    assert context.new_variables == {"nested": {"child": "new", "unchanged": 2}, "top": 3, "more": "3"}


def test_set_variables_may_not_overwrite_fails_when_one_exists(contexts: RunContextFactory) -> None:
    """ENG-420."""
    context = contexts.of({"vars": {"nested": {"child": 1}}})
    with pytest.raises(TaskFailure, match=r"`nested\.child` exists already"):
        build(SetVariables, variables={"nested": {"child": 2}}, overwrite=False).run(context)
    build(SetVariables, variables={"nested": {"other": 2}}, overwrite=False).run(context)
    assert context.new_variables == {"nested": {"child": 1, "other": 2}}


def test_unset_variables_dotted_key_removes_only_that_key(contexts: RunContextFactory) -> None:
    """ENG-202."""
    context = contexts.of({"vars": {"nested": {"child": 1, "kept": 2}, "top": 3, "left": 4}})
    build(UnsetVariables, variables=["nested.child", "top"]).run(context)
    assert context.new_variables == {"nested": {"kept": 2}, "left": 4}


def test_unset_variables_missing_key_fails_unless_ignored(contexts: RunContextFactory) -> None:
    context = contexts.of({"vars": {"a": 1}})
    with pytest.raises(TaskFailure, match=r"no variable `b\.c`"):
        build(UnsetVariables, variables=["b.c"]).run(context)
    build(UnsetVariables, variables=["b.c", "a"], ignoreMissing=True).run(context)
    assert context.new_variables == {}


def test_output_values_are_rendered_to_the_lowest_level(contexts: RunContextFactory) -> None:
    """ENG-208, ENG-054."""
    context = contexts.of({"n": 1})
    output = build(OutputValues, values={"a": "{{ n }}", "b": {"c": ["{{ n + 1 }}"]}, "d": 5}).run(context)
    assert output is not None
    assert output.model_dump() == {"values": {"a": "1", "b": {"c": ["2"]}, "d": 5}}  # type: ignore[union-attr]


@pytest.mark.parametrize(("state", "ended"), [("{{ 'WARNING' }}", "WARNING"), ("CANCELED", "CANCELLED")])
def test_exit_tells_the_state_in_which_the_execution_ends(contexts: RunContextFactory, state: str, ended: str) -> None:
    context = contexts.of()
    build(Exit, state=state).run(context)
    assert context.exit == ended


def test_exit_as_failed_fails_for_good(contexts: RunContextFactory) -> None:
    context = contexts.of()
    with pytest.raises(FailureChosen):
        build(Exit, state="FAILED").run(context)
    assert context.exit == "FAILED"


def test_publish_records_metrics_of_each_type(contexts: RunContextFactory) -> None:
    """PLG-025."""
    context = contexts.of({"n": 40})
    metrics = [
        {"type": "counter", "name": "orders", "value": "{{ n + 2 }}", "tags": {"country": "France", "year": 2024}},
        {"type": "timer", "name": "reading", "value": "PT1M30S"},
        {"type": "timer", "name": "writing", "value": 2.5},
        {"type": "gauge", "name": "stock", "value": -3},
    ]
    build(Publish, metrics=metrics).run(context)
    assert [(one.type, one.name, one.value, one.tags) for one in context.log.take_metrics()] == [
        ("counter", "orders", 42.0, {"country": "France", "year": "2024"}),
        ("timer", "reading", 90.0, {}),
        ("timer", "writing", 2.5, {}),
        ("gauge", "stock", -3.0, {}),
    ]


@pytest.mark.parametrize("value", ["many", "nan", "PT1M"])
def test_publish_of_what_is_no_number_fails_and_records_nothing(contexts: RunContextFactory, value: str) -> None:
    context = contexts.of()
    good = {"type": "counter", "name": "one", "value": 1}
    with pytest.raises(MetricInvalid, match=f"metric `two` has the value `{value}`"):
        build(Publish, metrics=[good, {"type": "gauge", "name": "two", "value": value}]).run(context)
    assert not context.log.take_metrics()
