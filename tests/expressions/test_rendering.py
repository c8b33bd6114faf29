"""Templates as a whole: what is rendered, once, and as what text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from penstock.expressions import (
    LimitExceededError,
    Renderer,
    Settings,
    UndefinedVariableError,
    compile_template,
    evaluate,
    is_truthy,
    render,
    render_nested,
)


def test_text_without_delimiters_is_copied() -> None:
    """EXP-001."""
    assert render("plain } text { with # braces %", {}) == "plain } text { with # braces %"


def test_output_tags_and_comments_mix_with_text() -> None:
    """EXP-001."""
    template = '{# note #}{% if inputs.region == "eu" %}Europe{% endif %}: {{ inputs.region }}!'
    assert render(template, {"inputs": {"region": "eu"}}) == "Europe: eu!"


def test_nested_value_renders_strings_of_lists_maps_and_keys() -> None:
    """EXP-001, EXP-013."""
    value = {"{{ a }}": ["{{ b }}", 3, None, {"x": "{{ a }}{{ b }}"}], "flag": True}
    assert render_nested(value, {"a": "k", "b": 2}) == {"k": ["2", 3, None, {"x": "k2"}], "flag": True}


def test_variable_holding_a_template_stays_text() -> None:
    """EXP-002."""
    assert render("{{ vars.x }}", {"vars": {"x": "{{ 1 + 1 }}"}}) == "{{ 1 + 1 }}"


def test_recursive_rendering_renders_until_stable() -> None:
    """EXP-003."""
    variables = {"a": "{{ b }}", "b": "{{ c }}", "c": "end"}
    assert Renderer(settings=Settings(recursive_rendering=True)).render("{{ a }}", variables) == "end"
    assert Renderer().render("{{ a }}", variables) == "{{ b }}"


def test_recursive_rendering_of_an_endless_text_fails() -> None:
    """EXP-003, EXP-014."""
    renderer = Renderer(settings=Settings(recursive_rendering=True))
    with pytest.raises(LimitExceededError, match="still changes"):
        renderer.render("{{ a }}", {"a": "x{{ a }}"})


def test_delimiters_inside_strings_do_not_end_the_expression() -> None:
    """EXP-004."""
    template = """{{ render("{{ trigger.date ?? execution.startDate | date('yyyy-MM-dd') }}") }}"""
    assert render(template, {"execution": {"startDate": "2024-05-06T12:00:00Z"}}) == "2024-05-06"


def test_map_literal_stands_directly_in_the_delimiters() -> None:
    """EXP-005."""
    template = '{{ {\n  "title": inputs.title,\n  "inner": {"priority": {"x": inputs.priority}}} | toJson }}'
    variables = {"inputs": {"title": 'say "hi"\nthere', "priority": 5}}
    assert render(template, variables) == '{"title":"say \\"hi\\"\\nthere","inner":{"priority":{"x":5}}}'
    assert render("{{{'a':{'b':1}}}}", {}) == '{"a":{"b":1}}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a <b> & 'c'", "a <b> & 'c'"),
        (7, "7"),
        (10**20, "100000000000000000000"),
        (1.5, "1.5"),
        (1e20, "100000000000000000000.0"),
        (1e-7, "0.0000001"),
        (Decimal("1E+3"), "1000"),
        (True, "true"),
        (False, "false"),
        (None, ""),
        ([1, "a", None], '[1,"a",null]'),
        ({"a": {"b": 1.5}, "c": [True]}, '{"a":{"b":1.5},"c":[true]}'),
        (("x", 1), '["x",1]'),
        ({None: 1, True: 2, 3: 4}, '{"":1,"true":2,"3":4}'),
        (datetime(2024, 1, 15, 10, 30, tzinfo=UTC), "2024-01-15T10:30:00Z"),
        (datetime(2024, 1, 15, 10, 30, 0, 123000, timezone(timedelta(hours=2))), "2024-01-15T10:30:00.123000+02:00"),
    ],
)
def test_value_is_written_as_text(value: Any, text: str) -> None:
    """EXP-006."""
    assert render("<{{ x }}>", {"x": value}) == f"<{text}>"


def test_line_breaks_after_tags_are_kept() -> None:
    """EXP-006."""
    assert render("{% if true %}\na\n{% endif %}\n{{ 1 }}\n", {}) == "\na\n\n1\n"


def test_hyphens_in_delimiters_trim_the_text_around() -> None:
    """EXP-006."""
    assert render("a \n {{- 1 -}} \n b", {}) == "a1b"
    assert render("a {%- if true -%} \n x \n {%- endif -%} b", {}) == "axb"
    assert render("a {#- note -#} b", {}) == "ab"
    assert render("a {%- raw -%} {{ x }} {%- endraw -%} b", {}) == "a{{ x }}b"


def test_single_expression_evaluates_to_its_typed_value() -> None:
    """EXP-007."""
    assert evaluate("{{ inputs.cpu_count }}", {"inputs": {"cpu_count": 4}}) == 4
    assert evaluate("{{ fromJson(outputs.generate.value) }}", {"outputs": {"generate": {"value": "[1,2]"}}}) == [1, 2]
    assert evaluate("{{ x }} ", {"x": 1}) == "1 "
    assert evaluate("plain", {}) == "plain"
    assert type(evaluate("{{ '5' | number('LONG') }}", {})) is int


@pytest.mark.parametrize(
    "template", ["{{ foo }}", "{{ a.b }}", "{{ a.n.x }}", "{{ foo | upper }}", "{{ foo == null }}"]
)
def test_undefined_name_raises(template: str) -> None:
    """EXP-008."""
    with pytest.raises(UndefinedVariableError):
        render(template, {"a": {"n": None}})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ foo ?? 'd' }}", "d"),
        ("{{ foo ??? 'd' }}", "d"),
        ("{{ foo.bar.baz ?? 'd' }}", "d"),
        ("{{ foo is defined }}", "false"),
        ("{{ foo.bar is not defined }}", "true"),
        ("{{ foo.bar | default('d') }}", "d"),
        ("{{ (foo | upper) ?? 'd' }}", "d"),
        ("{{ fromJson(foo).bar ?? 'd' }}", "d"),
    ],
)
def test_undefined_name_is_recovered_from(template: str, text: str) -> None:
    """EXP-008."""
    assert render(template, {}) == text


def test_raise_at_the_end_of_fallbacks_raises() -> None:
    """EXP-008."""
    with pytest.raises(UndefinedVariableError, match="raise"):
        render("{{ foo ?? bar ?? raise }}", {})
    assert render("{{ foo ?? bar ?? raise }}", {"bar": 1}) == "1"


def test_compiled_template_comes_from_the_cache() -> None:
    """EXP-012."""
    renderer = Renderer(cache_size=2)
    first = renderer.compile("{{ a }}")
    assert renderer.compile("{{ a }}") is first
    renderer.compile("{{ b }}")
    renderer.compile("{{ c }}")
    assert renderer.compile("{{ a }}") is not first


def test_cache_of_size_zero_keeps_nothing() -> None:
    """EXP-012."""
    renderer = Renderer(cache_size=0)
    assert renderer.compile("{{ a }}") is not renderer.compile("{{ a }}")
    assert renderer.render("{{ a }}", {"a": 1}) == "1"


@pytest.mark.parametrize("value", [True, 1, -2, 0.5, "true", "no", "0.0", " x ", [], {}, [0]])
def test_value_is_truthy(value: Any) -> None:
    """EXP-179, ENG-072."""
    assert is_truthy(value)


@pytest.mark.parametrize("value", [False, 0, -0.0, None, "", "false", "0", "-0", " false\n", "  "])
def test_value_is_falsy(value: Any) -> None:
    """EXP-179, ENG-072."""
    assert not is_truthy(value)


def test_condition_with_fallback_is_false_without_value() -> None:
    """EXP-179."""
    assert not is_truthy(render("{{ inputs.parameter ?? false }}", {"inputs": {}}))
    assert is_truthy(render("{{ inputs.parameter ?? false }}", {"inputs": {"parameter": "any"}}))


def test_loop_value_stays_text_until_parsed() -> None:
    """EXP-026, EXP-180."""
    variables = {"taskrun": {"value": '{"name": "alpha", "value": {"deep": 2}}'}}
    assert render("{{ fromJson(taskrun.value).name }}", variables) == "alpha"
    assert render("{{ fromJson(taskrun.value).value }}", variables) == '{"deep":2}'
    assert render("{{ fromJson(taskrun.value) | jq('.value.deep * 2') | first }}", variables) == "4"
    assert evaluate("{{ taskrun.value }}", {"taskrun": {"value": "1"}}) == "1"
    assert evaluate("{{ fromJson(taskrun.value) }}", {"taskrun": {"value": "1"}}) == 1


def test_static_template_is_known_as_such() -> None:
    """A template without expressions needs no variables."""
    assert compile_template("text").is_static
    assert compile_template("{# c #}{% raw %}{{ x }}{% endraw %}").is_static
    assert not compile_template("{{ 1 }}").is_static
