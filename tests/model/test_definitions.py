"""Definitions judged by their types: names, values, ids, nesting, and scalars where text is wanted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from penstock.model.flow import ParsedFlow
from penstock.model.problems import Problem, Severity
from penstock.model.registry import InvalidTypeError, TypeEntry, TypeKind
from penstock.sdk.task import Task

Problems = Callable[..., list[Problem]]
Parse = Callable[[str], ParsedFlow]


def test_unknown_property_of_a_task_names_the_nearest_one(problems: Problems) -> None:
    """Implements ENG-399."""
    [problem] = problems("tasks:", "  - id: a", "    type: test.log.Log", "    message: x", "    runif: y")
    assert (problem.path, problem.line, problem.column) == ("tasks[0].runif", 7, 5)
    assert problem.message == "unknown property `runif`"
    assert problem.hint == "did you mean `runIf`?"


def test_property_in_snake_case_is_unknown_and_names_the_camel_case_one(problems: Problems) -> None:
    [problem] = problems("tasks:", "  - {id: a, type: test.Return, run_if: x}")
    assert problem.hint == "did you mean `runIf`?"


def test_misspelt_required_property_is_told_once(problems: Problems) -> None:
    assert [one.message for one in problems("tasks: [{id: a, type: test.log.Log, mesage: x}]")] == [
        "unknown property `mesage`"
    ]


def test_unknown_type_names_the_nearest_one(problems: Problems) -> None:
    """Implements ENG-007."""
    [problem] = problems("tasks: [{id: a, type: test.return}]")
    assert (problem.code, problem.hint) == ("UNKNOWN_TYPE", "did you mean `test.Return`?")


def test_unknown_type_like_none_known_asks_for_its_plugin(problems: Problems) -> None:
    [problem] = problems("tasks: [{id: a, type: io.example.Zzzzzz}]")
    assert problem.hint == "install the plugin that provides it"


def test_trigger_type_among_tasks_is_of_the_wrong_kind(problems: Problems) -> None:
    [problem] = problems("tasks: [{id: a, type: test.Timer}]")
    assert (problem.message, problem.hint) == ("`test.Timer` is a trigger, not a task", "it belongs under `triggers`")


def test_older_type_name_works_and_is_reported(problems: Problems) -> None:
    """Implements MIG-010."""
    [problem] = problems("tasks: [{id: a, type: test.old.Return}]")
    assert problem.severity is Severity.DEPRECATION
    assert problem.hint == "write `test.Return`"


def test_older_property_name_works_and_is_reported(problems: Problems) -> None:
    """Implements MIG-025."""
    [problem] = problems("tasks: [{id: a, type: test.Script, script: x, containerImage: y}]")
    assert (problem.severity, problem.path) == (Severity.DEPRECATION, "tasks[0].containerImage")


def test_older_and_newer_property_name_together_are_refused(problems: Problems) -> None:
    [problem] = problems("tasks: [{id: a, type: test.Script, script: x, containerImage: y, image: z}]")
    assert (problem.severity, problem.hint) == (Severity.ERROR, "keep one of the two")


def test_value_of_the_wrong_kind_under_an_older_name_is_reported_where_it_stands(problems: Problems) -> None:
    found = problems("tasks: [{id: a, type: test.Script, script: x, containerImage: [y]}]")
    assert "tasks[0].containerImage" in [one.path for one in found if one.severity is Severity.ERROR]


@pytest.mark.parametrize(
    ("nested", "path"),
    [
        ("{id: g, type: test.Group, tasks: [{id: x, type: test.Nope}]}", "tasks[0].tasks[0].type"),
        ("{id: g, type: test.Group, tasks: [A], errors: [{id: x, type: test.Nope}]}", "tasks[0].errors[0].type"),
        ("{id: g, type: test.Group, tasks: [A], finally: [{id: x, type: test.Nope}]}", "tasks[0].finally[0].type"),
        (
            "{id: g, type: test.Choose, value: v, cases: {one: [{id: x, type: test.Nope}]}}",
            "tasks[0].cases.one[0].type",
        ),
        ("{id: g, type: test.Graph, tasks: [{task: {id: x, type: test.Nope}}]}", "tasks[0].tasks[0].task.type"),
        ("{id: g, type: test.Script, script: s, taskRunner: {type: test.Nope}}", "tasks[0].taskRunner.type"),
        ("{id: g, type: test.Choose, value: v, cases: {}, onAsk: [{id: x, type: NOPE}]}", "tasks[0].onAsk[0].type"),
    ],
)
def test_definition_nested_in_a_task_is_judged_by_its_own_type(problems: Problems, nested: str, path: str) -> None:
    nested = nested.replace("[A]", "[{id: a, type: test.Return}]")
    [problem] = problems(f"tasks: [{nested}]")
    assert problem.path == path
    assert problem.code == "UNKNOWN_TYPE"


def test_conditions_of_a_trigger_are_judged_by_their_own_types(problems: Problems) -> None:
    found = problems(
        "triggers: [{id: t, type: test.Timer, conditions: [{type: test.Weekend, day: 1}, {type: test.Log}]}]"
    )
    assert [one.path for one in found] == ["triggers[0].conditions[0].day", "triggers[0].conditions[1].type"]


def test_task_id_given_twice_at_any_depth_is_refused(problems: Problems) -> None:
    """Implements ENG-042."""
    [problem] = problems(
        "tasks: [{id: a, type: test.Group, tasks: [{id: b, type: test.Return}]}]",
        "afterExecution: [{id: b, type: test.Return}]",
    )
    assert (problem.path, problem.code) == ("afterExecution[0].id", "DUPLICATE_ID")


@pytest.mark.parametrize("identifier", ["a", "1st", "my-task", "my_task", "A1"])
def test_task_id_of_letters_digits_hyphens_underscores_is_accepted(problems: Problems, identifier: str) -> None:
    """Implements ENG-006, USE-B042."""
    assert problems(f"tasks: [{{id: {identifier}, type: test.Return}}]") == []


@pytest.mark.parametrize("identifier", ["-a", "a b", "a.b", "_a", "ä"])
def test_task_id_of_other_signs_is_refused(problems: Problems, identifier: str) -> None:
    [problem] = problems(f"tasks: [{{id: {identifier}, type: test.Return}}]")
    assert problem.path == "tasks[0].id"


def test_scalars_where_text_is_wanted_become_the_text_that_was_written(parse: Parse) -> None:
    parsed = parse(
        "id: f\nnamespace: n\ntasks:\n  - {id: 1.10, type: test.Script, script: 3.10, image: 0x10, "
        "env: {A: 1.20, B: yes, C: 5}, retries: 0x10, options: {x: 1.10, y: yes}}\n"
    )
    assert parsed.problems[0].message == "`1.10` cannot be an id"
    assert parsed.document is not None
    [task] = parsed.document.tasks
    assert task == {
        "id": "1.10",
        "type": "test.Script",
        "script": "3.10",
        "image": "0x10",
        "env": {"A": "1.20", "B": "yes", "C": "5"},
        "retries": 16,
        "options": {"x": 1.1, "y": True},
    }
    assert type(task["options"]["x"]) is float


def test_union_of_kinds_names_them_all(problems: Problems) -> None:
    [problem] = problems("tasks: [{id: a, type: test.log.Log, message: {a: 1}}]")
    assert problem.message == "must be text or a list, not a map"


def test_dynamic_property_with_an_expression_is_not_judged_before_it_is_rendered(problems: Problems) -> None:
    assert problems("tasks: [{id: a, type: test.Script, script: x, retries: '{{ flow.revision }}'}]") == []


def test_dynamic_property_without_an_expression_is_judged_when_the_flow_is_read(problems: Problems) -> None:
    """Implements PLG-016."""
    [problem] = problems("tasks: [{id: a, type: test.Script, script: x, retries: many}]")
    assert problem.message == "must be a whole number, not `many`"


def test_value_of_a_property_named_like_a_secret_is_not_repeated(problems: Problems) -> None:
    [problem] = problems("tasks: [{id: a, type: test.Script, script: x, env: {PASSWORD: [hunter2]}}]")
    assert problem.message == "must be text"


def test_flow_that_calls_itself_is_refused(problems: Problems) -> None:
    """Implements ENG-015."""
    [problem] = problems("tasks: [{id: a, type: test.Call, namespace: n, flowId: f}]")
    assert problem.path == "tasks[0].flowId"


def test_class_that_declares_the_property_version_is_no_type() -> None:
    """Implements PLG-018."""

    class Versioned(Task):
        type_name = "test.Versioned"
        version: str | None = None

    with pytest.raises(InvalidTypeError, match="version"):
        TypeEntry.of(Versioned)


def test_class_without_a_name_is_no_type() -> None:
    class Nameless(Task):
        pass

    with pytest.raises(InvalidTypeError, match="type_name"):
        TypeEntry.of(Nameless)


def test_entry_of_a_class_has_its_kind_and_older_names() -> None:
    class Named(Task):
        type_name = "test.Named"
        type_aliases = ("test.Older",)

    entry = TypeEntry.of(Named, "penstock-test")
    assert (entry.name, entry.kind, entry.aliases, entry.plugin) == (
        "test.Named",
        TypeKind.TASK,
        ("test.Older",),
        "penstock-test",
    )


def test_trigger_that_gives_no_value_for_a_required_input_is_warned_of(problems: Problems) -> None:
    """Implements ENG-171."""
    inputs = "inputs: [{id: a, type: STRING}, {id: b, type: STRING, defaults: x}, {id: c, type: INT, required: false}]"
    [problem] = problems(inputs, "triggers: [{id: t, type: test.Timer}]")
    assert (problem.severity, problem.path) == (Severity.WARNING, "triggers[0]")
    assert problem.message == "no value for the required input `a`"
    assert problems(inputs, "triggers: [{id: t, type: test.Timer, inputs: {a: 1}}]") == []
