"""The values an execution begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from penstock.expressions import UndefinedVariableError, evaluate
from penstock.model.flow import read_flow
from penstock.model.input_types import Input
from penstock.model.inputs import InvalidInputs, check_given, check_inputs, read_inputs
from penstock.model.registry import TypeRegistry


def declare(*lines: str, registry: TypeRegistry) -> list[Input]:
    """Return inputs declared in YAML."""
    entries = "\n".join(f"  - {line}" for line in lines)
    parsed = read_flow(f"id: f\nnamespace: n\ninputs:\n{entries}\ntasks: [{{id: a, type: test.Return}}]\n", registry)
    assert parsed.document is not None
    return parsed.document.inputs


def render(template: str, extra: Mapping[str, Any]) -> Any:
    return evaluate(template, {"labels": {"team": "core"}, **extra})


class Inputs:
    """Declares inputs and reads values for them."""

    def __init__(self, registry: TypeRegistry) -> None:
        self.registry = registry

    def read(self, *lines: str, **given: Any) -> dict[str, Any]:
        return read_inputs(
            declare(*lines, registry=self.registry), given, render, encrypt=lambda _, text: f"<{text[::-1]}>"
        )

    def refused(self, *lines: str, **given: Any) -> list[str]:
        with pytest.raises(InvalidInputs) as raised:
            self.read(*lines, **given)
        return [str(problem) for problem in raised.value.problems]


@pytest.fixture
def inputs(registry: TypeRegistry) -> Inputs:
    return Inputs(registry)


def test_given_values_are_brought_to_their_types(inputs: Inputs) -> None:
    """Implements ENG-158."""
    assert inputs.read("{id: a, type: INT}", "{id: b, type: BOOL}", a="5", b="true") == {"a": 5, "b": True}


def test_required_input_without_a_value_is_named(inputs: Inputs) -> None:
    """Implements ENG-159."""
    [problem] = inputs.refused("{id: a, type: STRING}")
    assert problem.startswith("input `a`: is required")


def test_optional_input_without_a_value_is_a_defined_null(inputs: Inputs) -> None:
    """Implements ENG-159."""
    assert inputs.read("{id: a, type: STRING, required: false}") == {"a": None}


def test_default_stands_in_for_a_missing_value_and_for_null(inputs: Inputs) -> None:
    """Implements ENG-160."""
    assert inputs.read("{id: a, type: INT, defaults: '7'}") == {"a": 7}
    assert inputs.read("{id: a, type: INT, defaults: 7}", a=None) == {"a": 7}


def test_text_default_keeps_the_way_it_is_written(inputs: Inputs) -> None:
    assert inputs.read("{id: a, type: STRING, defaults: 1.10}") == {"a": "1.10"}


def test_default_expression_sees_inputs_read_before(inputs: Inputs) -> None:
    """Implements ENG-161."""
    lines = ("{id: a, type: STRING}", "{id: b, type: STRING, defaults: '{{ inputs.a }} of {{ labels.team }}'}")
    assert inputs.read(*lines, a="x") == {"a": "x", "b": "x of core"}


def test_default_expression_that_cannot_be_rendered_is_a_problem_of_its_input(inputs: Inputs) -> None:
    """Implements MIG-044."""
    [problem] = inputs.refused("{id: a, type: STRING, defaults: '{{ execution.id }}'}")
    assert "input `a`: `defaults` cannot be rendered" in problem


def test_prefill_is_not_applied_to_a_launch_without_the_input(inputs: Inputs) -> None:
    """Implements ENG-162, ENG-404."""
    assert inputs.read("{id: a, type: STRING, required: false, prefill: x}") == {"a": None}


def test_empty_text_stays_empty_and_an_empty_field_of_another_type_is_missing(inputs: Inputs) -> None:
    """Implements MIG-041."""
    assert inputs.read("{id: a, type: STRING}", "{id: b, type: INT, required: false}", a="", b="") == {
        "a": "",
        "b": None,
    }


def test_dotted_ids_build_objects_and_are_taken_flat_or_nested(inputs: Inputs) -> None:
    """Implements ENG-106, ENG-168."""
    lines = ("{id: user.name, type: STRING}", "{id: user.age, type: INT}")
    expected = {"user": {"name": "Ada", "age": 36}}
    assert inputs.read(*lines, **{"user.name": "Ada", "user.age": "36"}) == expected
    assert inputs.read(*lines, user={"name": "Ada", "age": 36}) == expected


def test_value_that_no_input_takes_is_refused_with_the_nearest(inputs: Inputs) -> None:
    """Implements BEY-045, ENG-105."""
    found = inputs.refused("{id: user.name, type: STRING, required: false}", usr="x", user={"nam": 1})
    assert found == [
        "input `usr`: is not declared (the flow declares no such input)",
        "input `user.nam`: is not declared (did you mean `user.name`?)",
    ]


def test_all_wrong_values_are_told_at_once_with_what_is_wanted(inputs: Inputs) -> None:
    """Implements ENG-189."""
    found = inputs.refused("{id: a, type: INT}", "{id: b, type: DATE}", "{id: c, type: STRING}", a="x", b="y")
    assert found == [
        "input `a`: `x` is given, it must be a whole number such as 42",
        "input `b`: `y` is given, it must be a date such as 2026-01-31",
        "input `c`: is required (give a value, or declare `defaults` or `required: false`)",
    ]


@pytest.mark.parametrize(
    ("line", "good", "bad"),
    [
        ("{id: a, type: INT, min: 18, max: 64}", [18, "64", 40], [17, "65"]),
        ("{id: a, type: FLOAT, min: 0.5, max: 1}", [0.5, "1", 0.75], [0.4, 1.01]),
        ("{id: a, type: DURATION, min: PT1M, max: PT1H}", ["PT60S", "PT1H", "PT0.5H"], ["PT59S", "PT61M"]),
        ("{id: a, type: DATE, after: 2024-04-10, before: 2024-04-15}", ["2024-04-10", "2024-04-15"], ["2024-04-09"]),
        ("{id: a, type: TIME, after: 08:00:00, before: '18:00'}", ["08:00", "18:00:00"], ["07:59:59", "18:00:01"]),
        (
            "{id: a, type: DATETIME, after: 2024-01-01T00:00:00Z}",
            ["2024-01-01T00:00:00Z", "2024-01-01T02:00:00+02:00"],
            ["2023-12-31T23:59:59Z", "2024-01-01T01:00:00+02:00"],
        ),
        ("{id: a, type: STRING, validator: '^student(\\d+)?$'}", ["student", "student42"], ["teacher", "student x"]),
        ("{id: a, type: STRING, validator: 'b+'}", ["bb"], ["abb", "bba", "bb\n"]),
        ("{id: a, type: SELECT, values: [x, y, 5]}", ["x", 5, "5"], ["z"]),
        ("{id: a, type: ENUM, values: [x, y]}", ["x"], ["X"]),
        ("{id: a, type: SELECT, values: [x], allowCustomValue: true}", ["z"], []),
        ("{id: a, type: MULTISELECT, values: [x, y]}", [["x", "y"], '["x"]', []], [["x", "z"]]),
        (
            "{id: a, type: FILE, allowedFileExtensions: [.md, txt]}",
            ["kestra:///a/b.MD", "kestra:///b.txt"],
            ["kestra:///a.csv"],
        ),
        ("{id: a, type: ARRAY, itemType: INT}", [[1, 2], "[1, 2]", []], [["x"], "x"]),
    ],
)
def test_constraint_accepts_its_bounds_and_refuses_what_lies_outside(
    inputs: Inputs, line: str, good: list[Any], bad: list[Any]
) -> None:
    """Implements ENG-166, ENG-167, ENG-173 to ENG-182, ENG-187, ENG-190, ENG-191, ENG-403."""
    for value in good:
        assert inputs.read(line, a=value)["a"] is not None
    for value in bad:
        assert inputs.refused(line, a=value)


def test_validator_that_takes_too_long_is_a_problem(registry: TypeRegistry) -> None:
    """Implements ENG-190."""
    declared = declare("{id: a, type: STRING, validator: '(a|aa)+$'}", registry=registry)
    with pytest.raises(InvalidInputs, match=r"can be tried on within 0\.05 s"):
        read_inputs(declared, {"a": "a" * 60 + "b"}, render, regex_timeout=0.05)


def test_default_of_the_list_is_its_first_value(inputs: Inputs) -> None:
    """Implements ENG-166."""
    assert inputs.read("{id: a, type: SELECT, values: [x, y], autoSelectFirst: true}") == {"a": "x"}
    assert inputs.read("{id: a, type: MULTISELECT, values: [x, y], autoSelectFirst: true}") == {"a": ["x"]}


DEPENDENT = (
    "{id: kind, type: SELECT, values: [Access, VM]}",
    """{id: access, type: SELECT, expression: "{{ ['Admin', 'Reader'] }}",
        dependsOn: {inputs: [kind], condition: "{{ inputs.kind == 'Access' }}"}}""",
    """{id: vm, type: SELECT, expression: "{{ {'AWS': ['t2'], 'GCP': ['f1']}['AWS'] }}", defaults: t2,
        dependsOn: {inputs: [kind], condition: "{{ inputs.kind == 'VM' }}"}}""",
)


def test_input_whose_condition_is_false_is_neither_asked_nor_taken_nor_completed(inputs: Inputs) -> None:
    """Implements ENG-164, ENG-165, ENG-402."""
    assert inputs.read(*DEPENDENT, kind="Access", access="Admin", vm="nonsense") == {
        "kind": "Access",
        "access": "Admin",
        "vm": None,
    }


def test_input_whose_condition_holds_is_checked_against_the_rendered_list(inputs: Inputs) -> None:
    """Implements ENG-165."""
    assert inputs.read(*DEPENDENT, kind="VM") == {"kind": "VM", "access": None, "vm": "t2"}
    assert inputs.refused(*DEPENDENT, kind="VM", vm="f1") == ["input `vm`: `f1` is given, it must be one of t2"]
    assert inputs.refused(*DEPENDENT, kind="Access")[0].startswith("input `access`: is required")


def test_input_that_depends_on_one_declared_later_waits_for_it(inputs: Inputs) -> None:
    lines = (
        "{id: b, type: STRING, defaults: 'after {{ inputs.a }}', dependsOn: {inputs: [a]}}",
        "{id: a, type: STRING, required: false}",
    )
    assert inputs.read(*lines, a="x") == {"b": "after x", "a": "x"}
    assert inputs.read(*lines) == {"b": None, "a": None}


def test_expression_on_another_type_is_used_like_a_default(inputs: Inputs) -> None:
    """Implements ENG-405."""
    assert inputs.read("{id: a, type: INT, expression: '{{ 6 * 7 }}'}") == {"a": 42}


def test_expression_that_gives_no_list_is_a_problem(inputs: Inputs) -> None:
    assert inputs.refused("{id: a, type: SELECT, expression: '{{ 5 }}'}", a="x")[0].startswith(
        "input `a`: `expression` does not render to a list"
    )


def test_secret_is_checked_encrypted_and_never_repeated(inputs: Inputs) -> None:
    """Implements ENG-186."""
    line = "{id: a, type: SECRET, validator: '[a-z]+'}"
    assert inputs.read(line, a="abc") == {"a": "<cba>"}
    [problem] = inputs.refused(line, a="HUNTER2")
    assert "HUNTER2" not in problem


def test_secret_without_an_encryption_key_is_refused_and_says_how_to_set_one(registry: TypeRegistry) -> None:
    with pytest.raises(InvalidInputs, match=r"kestra\.encryption\.secret-key"):
        read_inputs(declare("{id: a, type: SECRET}", registry=registry), {"a": "x"}, render)


def test_error_of_another_kind_while_rendering_passes_through(registry: TypeRegistry) -> None:
    """The caller looks up what an expression needs, and asks again."""

    class Asked(Exception):
        pass

    def ask(template: str, extra: Mapping[str, Any]) -> Any:
        raise Asked

    with pytest.raises(Asked):
        read_inputs(declare("{id: a, type: STRING, defaults: \"{{ kv('x') }}\"}", registry=registry), {}, ask)


def test_launch_form_is_told_what_is_asked_what_there_is_to_choose_and_what_is_wrong(registry: TypeRegistry) -> None:
    """Implements ENG-170."""
    states, unknown = check_inputs(declare(*DEPENDENT, registry=registry), {"kind": "VM", "vm": "f1", "x": 1}, render)
    assert [state.enabled for state in states] == [True, False, True]
    assert states[2].choices == ["t2"]
    assert states[2].problem is not None
    assert [problem.id for problem in unknown] == ["x"]


def test_values_for_executions_to_come_are_judged_as_far_as_they_can_be_by_themselves(registry: TypeRegistry) -> None:
    """ENG-285: with the same words as those of an execution."""
    plain = declare("{id: day, type: DATE}", "{id: team, type: SELECT, values: [red, blue]}", registry=registry)
    check_given(plain, {"day": "2024-05-01", "team": "red"})
    check_given(plain, {"team": None})  # what is not given may come from the trigger
    given = {"day": "soon", "team": "green", "x": 1}
    with pytest.raises(InvalidInputs) as refused:
        check_given(plain, given)
    with pytest.raises(InvalidInputs) as read:
        read_inputs(plain, given, render)
    assert [str(problem) for problem in refused.value.problems] == [str(problem) for problem in read.value.problems]
    assert [problem.id for problem in refused.value.problems] == ["day", "team", "x"]
    check_given(declare(*DEPENDENT, registry=registry), {"kind": "VM", "vm": "f1"})


def test_undefined_names_are_told_as_expressions_tell_them() -> None:
    with pytest.raises(UndefinedVariableError):
        render("{{ nothing }}", {})
