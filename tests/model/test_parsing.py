"""Reading flows: what never raises, what does, and what survives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.model.document import RESERVED_FLOW_IDS
from penstock.model.flow import ParsedFlow, parse_flow, read_flow
from penstock.model.problems import InvalidFlow, Problem, Severity
from penstock.model.registry import TypeEntry, TypeRegistry
from tests.model.conftest import CLASSES

REGISTRY = TypeRegistry(TypeEntry.of(cls) for cls in CLASSES)
WORDS = st.sampled_from(
    [
        "id",
        "namespace",
        "tasks",
        "inputs",
        "type",
        "test.Return",
        "test.Group",
        "labels",
        "retry",
        "values",
        "{{ x }}",
        "{{",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | WORDS
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)
IDS = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,8}", fullmatch=True)


def test_flow_with_errors_read_raises_one_error_with_all_problems(registry: TypeRegistry) -> None:
    with pytest.raises(InvalidFlow) as raised:
        read_flow("id: f\ntasks: [{id: a, type: test.log.Log}, {id: a, type: test.old.Return}]\n", registry)
    assert len(raised.value.problems) == 4
    assert str(raised.value).splitlines() == [
        "namespace (1:1): `namespace` is required",
        "tasks[0].message (2:9): `message` is required",
        "tasks[1].id (2:39): a task `a` exists already (ids are unique within the flow, nested tasks included)",
    ]


def test_flow_with_warnings_only_read_is_returned_with_them(registry: TypeRegistry) -> None:
    parsed = read_flow("id: f\nnamespace: n\ntasks: [{id: a, type: test.old.Return}]\n", registry)
    assert [problem.severity for problem in parsed.problems] == [Severity.DEPRECATION]
    assert parsed.document is not None


def test_source_of_a_parsed_flow_is_kept_byte_for_byte(registry: TypeRegistry) -> None:
    """Implements ENG-008."""
    source = "# first\r\nid:   f\nnamespace: n # why\ntasks:\n - {type: test.Return,id: a}\n\n"
    assert parse_flow(source, registry).source == source


@pytest.mark.parametrize("word", sorted(RESERVED_FLOW_IDS))
def test_flow_id_that_is_a_word_of_the_api_is_refused(word: str, registry: TypeRegistry) -> None:
    """Implements API-012, MIG-057."""
    [problem] = parse_flow(f"id: {word}\nnamespace: n\ntasks: [{{id: a, type: test.Return}}]\n", registry).problems
    assert problem.path == "id"


@pytest.mark.parametrize("namespace", ["company", "company.team", "a.b_c.d-e", "Company.Team1"])
def test_namespace_of_words_and_dots_is_accepted(namespace: str, registry: TypeRegistry) -> None:
    """Implements ENG-019."""
    source = f"id: f\nnamespace: {namespace}\ntasks: [{{id: a, type: test.Return}}]\n"
    assert parse_flow(source, registry).problems == ()


@pytest.mark.parametrize("namespace", [".a", "a.", "a..b", "a b", "a/b", "''"])
def test_namespace_of_other_forms_is_refused(namespace: str, registry: TypeRegistry) -> None:
    source = f"id: f\nnamespace: {namespace}\ntasks: [{{id: a, type: test.Return}}]\n"
    assert [problem.path for problem in parse_flow(source, registry).problems] == ["namespace"]


@pytest.mark.parametrize(
    "labels", ["labels: {team: 1.10, on: true}", "labels: [{key: team, value: 1.10}, {key: on, value: true}]"]
)
def test_labels_as_a_map_or_a_list_are_pairs_of_text(labels: str, registry: TypeRegistry) -> None:
    """Implements ENG-026, ENG-031."""
    parsed = read_flow(f"id: f\nnamespace: n\n{labels}\ntasks: [{{id: a, type: test.Return}}]\n", registry)
    assert parsed.document is not None
    assert parsed.document.labels == (("team", "1.10"), ("on", "true"))


def test_required_property_that_the_flows_own_defaults_give_is_not_missing(
    problems: Callable[..., list[Problem]],
) -> None:
    """Implements ENG-317."""
    defaults = "pluginDefaults: [{type: test.log.Log, values: {message: hi}}]"
    assert problems(defaults, "tasks: [{id: a, type: test.log.Log}]") == []


def test_position_of_a_later_document_counts_from_the_whole_text(registry: TypeRegistry) -> None:
    parsed = parse_flow("id: f\nnamespace: n\ntaks: 1\n", registry, first_line=20)
    assert ("taks", 22) in [(problem.path, problem.line) for problem in parsed.problems]


def test_validator_of_a_type_that_fails_oddly_is_a_problem_of_its_definition(registry: TypeRegistry) -> None:
    from pydantic import model_validator

    from penstock.sdk.task import Task

    class Odd(Task):
        type_name = "test.Odd"

        @model_validator(mode="after")
        def _fails(self) -> Odd:
            raise RuntimeError("oops")

    parsed = parse_flow("id: f\nnamespace: n\ntasks: [{id: a, type: test.Odd}]\n", TypeRegistry([TypeEntry.of(Odd)]))
    assert [problem.message for problem in parsed.problems] == ["cannot be read: RuntimeError: oops"]


def test_hundred_nested_groups_are_read(registry: TypeRegistry) -> None:
    """Implements ENG-071."""
    task = "{id: inner, type: test.Return}"
    for level in range(100):
        task = f"{{id: g{level}, type: test.Group, tasks: [{task}]}}"
    assert parse_flow(f"id: f\nnamespace: n\ntasks: [{task}]\n", registry).problems == ()


@given(st.text())
def test_any_text_parsed_gives_problems_and_never_raises(text: str) -> None:
    parsed = parse_flow(text, REGISTRY)
    assert parsed.errors
    assert parsed.document is None


@settings(max_examples=300)
@given(DATA)
def test_any_data_parsed_gives_problems_and_never_raises(data: Any) -> None:
    parsed = parse_flow(yaml.safe_dump(data, allow_unicode=True), REGISTRY)
    assert parsed.document is not None or parsed.errors
    assert all(problem.line >= 1 for problem in parsed.problems)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["type", "tasks", "values", "message", "cases", "task"]), DATA, max_size=5))
def test_any_task_in_a_flow_parsed_gives_problems_and_never_raises(task: dict[str, Any]) -> None:
    data = {"id": "f", "namespace": "n", "tasks": [{"id": "a", "type": "test.Group", **task}], "inputs": [task]}
    parsed = parse_flow(yaml.safe_dump(data, allow_unicode=True), REGISTRY)
    assert parsed.errors


TASKS = st.lists(
    st.fixed_dictionaries({"format": st.text(alphabet="abc: #-'\"\n%1.", max_size=20)}), min_size=1, max_size=5
)


@given(
    flow_id=IDS.filter(lambda one: one not in RESERVED_FLOW_IDS),
    formats=TASKS,
    labels=st.dictionaries(IDS, st.text(alphabet="abc 1.:", max_size=8), max_size=3),
    variables=st.dictionaries(
        IDS, SCALARS.filter(lambda one: not isinstance(one, int | float) or abs(one) <= 2**62), max_size=3
    ),
)
def test_valid_flow_written_and_parsed_is_the_same_document(
    flow_id: str, formats: list[dict[str, str]], labels: dict[str, str], variables: dict[str, Any]
) -> None:
    tasks = [{"id": f"t{index}", "type": "test.Return", **one} for index, one in enumerate(formats)]
    data = {"id": flow_id, "namespace": "n", "labels": labels, "variables": variables, "tasks": tasks}
    parsed: ParsedFlow = parse_flow(yaml.safe_dump(data, allow_unicode=True), REGISTRY)
    assert parsed.document is not None, [str(problem) for problem in parsed.problems]
    document = parsed.document
    assert (document.id, dict(document.labels), document.tasks) == (flow_id, labels, tasks)
    assert document.variables == variables


@pytest.mark.parametrize("text", [".inf", "-.inf", "+.Inf", ".nan", "9223372036854775808", "1e999"])
def test_number_that_json_cannot_say_stays_the_text_it_is(text: str) -> None:
    """What an execution keeps is JSON, which has no infinity: the text is kept rather than lost."""
    source = f"id: f\nnamespace: n\nvariables: {{a: {text}}}\ntasks: [{{id: t, type: test.Return, format: x}}]\n"
    document = parse_flow(source, REGISTRY).document
    assert document is not None
    assert document.variables == {"a": text}
