"""What holds for every template: errors without values, bounded work, known needs; arbitrary text never surprises."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.expressions import (
    FILTERS,
    FUNCTIONS,
    TESTS,
    ExpressionError,
    ExpressionSyntaxError,
    LimitExceededError,
    Limits,
    Renderer,
    UndefinedVariableError,
    compile_template,
    evaluate,
    render,
)


def test_error_names_place_reason_and_available_names() -> None:
    """EXP-009."""
    with pytest.raises(UndefinedVariableError) as caught:
        render("line one\n  {{ inputs.nmae }}", {"inputs": {"name": "s3cr3t", "age": 3}})
    error = caught.value
    assert (error.line, error.column) == (2, 13)
    assert error.template == "line one\n  {{ inputs.nmae }}"
    assert error.available == ("name", "age")
    assert error.hint == "did you mean `name`?"
    assert "`inputs.nmae` is not defined, at line 2, column 13" in error.message
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize(
    ("template", "hint"),
    [
        ("{{ 'a' | uper }}", "upper"),
        ("{{ nwo() }}", "now"),
        ("{{ 1 is evn }}", "even"),
        ("{% macro greet() %}{% endmacro %}{{ gret() }}", "greet"),
    ],
)
def test_unknown_name_of_the_library_is_a_syntax_error_with_a_hint(template: str, hint: str) -> None:
    """EXP-009."""
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_template(template)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "template",
    [
        "{{ x | number }}",
        "{{ x - 1 }}",
        "{{ x.y }}",
        "{{ x[x] }}",
        "{{ x | date('yyyy') }}",
        "{{ fromJson(x) }}",
        "{{ yaml('a: ' ~ x ~ ': b') }}",
        "{{ x | jq('.') }}",
        "{{ {'k': x} | jq('.k | keys') }}",
        "{{ {'k': x} | jq('.k | error') }}",
        "{{ 1 | dateAdd(1, x) }}",
        "{{ 1 | date('yyyy', timeZone=x) }}",
        "{{ 'a' | escapeChar(x) }}",
        "{{ x | base64decode }}",
        "{% for a in x %}{% endfor %}",
        "{{ outputs[x].y }}",
        "{{ fromIon('[' ~ x) }}",
    ],
)
def test_error_never_shows_a_value(template: str) -> None:
    """EXP-009: a value may be a secret."""
    with pytest.raises(ExpressionError) as caught:
        render(template, {"x": "hunter2-hunter2", "outputs": {"a": 1}})
    assert "hunter2" not in str(caught.value)


def test_error_in_a_rendered_secret_does_not_show_it() -> None:
    """EXP-009, EXP-144."""

    class Secrets:
        def call(self, function: str, arguments: Any, variables: Any) -> Any:
            return "hunter2 {{ broken"

    with pytest.raises(ExpressionError) as caught:
        render("{{ render(secret('X')) }}", {}, resolver=Secrets())
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "template",
    [
        "{{ range(0, 100000000) }}",
        "{{ 1..100000000 }}",
        "{% for a in 1..2000 %}{% for b in 1..2000 %}{% endfor %}{% endfor %}",
        "{% set x = 'aaaaaaaaaaaaaaaa' %}{% for i in 1..40 %}{% set x = x ~ x %}{% endfor %}",
        "{% set x = [1] %}{% for i in 1..40 %}{% set x = x + x %}{% endfor %}",
        "{% set x = [1] %}{% for i in 1..60 %}{% set x = [x, x] %}{% endfor %}{{ x }}",
        "{% set x = {'a': 1} %}{% for i in 1..60 %}{% set x = {'a': x, 'b': x} %}{% endfor %}{{ x | toJson }}",
        (
            "{% set x = [1] %}{% set y = [1] %}"
            "{% for i in 1..60 %}{% set x = [x, x] %}{% set y = [y, y] %}{% endfor %}{{ x == y }}"
        ),
        "{% macro f(x) %}{{ f([x, x]) }}{% endmacro %}{{ f(1) }}",
        "{% set x = 9 %}{% for i in 1..40 %}{% set x = x * x %}{% endfor %}{{ x }}",
        "{% set a = 'a' | indent(0) %}{% for i in 1..20 %}{% set a = a | replace({'a': 'aaaaaaaa'}) %}{% endfor %}",
        "{{ ['', ''] | join(big) }}{% for i in 1..100 %}{{ big }}{% endfor %}",
    ],
)
def test_work_without_bound_is_stopped(template: str) -> None:
    """EXP-014."""
    with pytest.raises(LimitExceededError):
        render(template, {"big": "x" * 1_000_000})


def test_limits_are_those_of_the_call() -> None:
    """EXP-014."""
    with pytest.raises(LimitExceededError, match="more than 10 characters"):
        render("{{ a }}{{ a }}", {"a": "123456"}, limits=Limits(output=10))
    with pytest.raises(LimitExceededError, match="more than 10 characters"):
        render("{{ a }}", {"a": "12345678901"}, limits=Limits(output=10))
    with pytest.raises(LimitExceededError, match="more than 2 rounds"):
        render("{% for i in [1, 2, 3] %}{% endfor %}", {}, limits=Limits(iterations=2))


@pytest.mark.parametrize(
    ("template", "references"),
    [
        ("text", set()),
        ("{{ outputs.t1.value }} {{ inputs['x'] }}", {("outputs", "t1", "value"), ("inputs", "x")}),
        ("{{ outputs }}", {("outputs",)}),
        ("{{ outputs[taskrun.value].uri }}", {("outputs", "*"), ("taskrun", "value")}),
        ("{{ items[0].name }}", {("items", "0", "name")}),
        ("{{ row.keySet() }}", {("row",)}),
        ("{% for u in users %}{{ u.name }}{{ loop.index }}{% endfor %}", {("users",)}),
        ("{% set a = b %}{{ a }}", {("b",)}),
        ("{{ a }}{% set a = 1 %}", {("a",)}),
        ("{% if x %}{% filter replace({'a': y}) %}{{ z }}{% endfilter %}{% endif %}", {("x",), ("y",), ("z",)}),
        ("{% macro m(a, b=1) %}{{ a }}{{ q }}{% endmacro %}{{ m(c) }}", {("c",)}),
        ("{{ _context.foo }}", {("foo",)}),
        (
            "{{ trigger.date ?? execution.startDate | date(vars.f) }}",
            {("trigger", "date"), ("execution", "startDate"), ("vars", "f")},
        ),
        ("{{ printContext() }}", {("*",)}),
        ("{{ render(vars.x) }}", {("vars", "x"), ("*",)}),
        ("{{ render('{{ inputs.a }}') }}", {("inputs", "a")}),
        ("{{ tasksWithState('FAILED') }}", {("tasks",)}),
    ],
)
def test_references_are_known_without_rendering(template: str, references: set[tuple[str, ...]]) -> None:
    """The engine loads only what a template reads."""
    assert compile_template(template).references == references


@pytest.mark.parametrize(
    ("template", "functions", "needs_resolver"),
    [
        ("{{ now() }}", {"now"}, False),
        ("{{ kv('x') | upper }}", {"kv"}, True),
        ("{{ json(secret('x')).a }}", {"fromJson", "secret"}, True),
        ("{{ render(vars.x) }}", {"render"}, True),
        ("{{ render('{{ now() }}') }}", {"render", "now"}, False),
        ("{{ render(\"{{ secret('x') }}\") }}", {"render", "secret"}, True),
        ("{% extends 'x' %}", set(), True),
        ("{% macro kv(a) %}{% endmacro %}{{ kv(1) }}", set(), False),
    ],
)
def test_calls_are_known_without_rendering(template: str, functions: set[str], needs_resolver: bool) -> None:
    """EXP-010: a console can refuse `secret` before anything is evaluated."""
    compiled = compile_template(template)
    assert compiled.functions == functions
    assert compiled.needs_resolver is needs_resolver


def test_threads_share_a_renderer() -> None:
    """EXP-012."""
    renderer = Renderer(cache_size=8)
    wrong: list[str] = []

    def work(number: int) -> None:
        for index in range(300):
            text = renderer.render(f"{{{{ a }}}}-{index % 16}-{{% set x = a %}}{{{{ x }}}}", {"a": number})
            if text != f"{number}-{index % 16}-{number}":
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


_LEXICON = """
{{ }} {% %} {# #} {{- -%} ( ) [ ] { } : , | ? ?? ??? = == + - * / % ~ .. . < and or not is contains isIn if else endif
for in endfor set macro endmacro block endblock raw endraw filter endfilter extends a b _context loop 1 2.5 10l 'x' "y"
' " null true text \\
"""
_WORDS = _LEXICON.split()
_PIECES = st.sampled_from(
    [*_WORDS, "\n", *sorted(FILTERS), *sorted(TESTS), *sorted(set(FUNCTIONS) - {"isPublicHoliday"})]
)
_VARIABLES = {"a": {"b": [1, "x", None]}, "b": "2024-01-15", "x": 3}


def _is_located(template: str, variables: dict[str, Any]) -> bool:
    """Return whether the template renders or raises an ExpressionError with its place; anything else is raised."""
    try:
        evaluate(template, variables, limits=Limits(elements=1000))
    except ExpressionError as error:
        return error.template is not None and error.line >= 1
    return True


@given(st.text())
@settings(max_examples=300, deadline=5000)
def test_arbitrary_text_renders_or_raises_an_expression_error(text: str) -> None:
    """EXP-009, EXP-014."""
    assert _is_located(text, _VARIABLES)


@given(st.lists(_PIECES, max_size=30))
@settings(max_examples=800, deadline=5000)
def test_arbitrary_pieces_render_or_raise_an_expression_error(pieces: list[str]) -> None:
    """EXP-009, EXP-014."""
    assert _is_located(" ".join(pieces), _VARIABLES)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_FILTER_CALLS = [
    f"{{{{ x | {name}({', '.join('yz'[: len(FILTERS[name].parameters)])}) }}}}" for name in FILTERS if name != "jq"
]


@given(st.sampled_from(_FILTER_CALLS), _VALUES, _VALUES, _VALUES)
@settings(max_examples=1000, deadline=5000)
def test_filters_take_any_value_or_raise_an_expression_error(template: str, x: Any, y: Any, z: Any) -> None:
    """EXP-009."""
    assert _is_located(template, {"x": x, "y": y, "z": z})


@given(
    _VALUES,
    _VALUES,
    st.sampled_from(["+", "-", "*", "/", "%", "~", "==", "<", ">=", "contains", "isIn", "..", "??", "and"]),
)
@settings(max_examples=500, deadline=5000)
def test_operators_take_any_values_or_raise_an_expression_error(left: Any, right: Any, operator: str) -> None:
    """EXP-009."""
    assert _is_located(f"{{{{ left {operator} right }}}}", {"left": left, "right": right})
