"""Tags: set, if, for, filter, raw, macro, block, extends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from penstock.base.errors import NotFoundError
from penstock.expressions import (
    ExpressionError,
    ExpressionSyntaxError,
    ExpressionTypeError,
    FunctionFailedError,
    UndefinedVariableError,
    render,
)


class _Templates:
    """A resolver that serves parent templates from a dict."""

    def __init__(self, **sources: str) -> None:
        self.sources = sources

    def call(self, function: str, arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
        name = arguments["name"]
        if name not in self.sources:
            raise NotFoundError(f"there is no file {name}")
        return self.sources[name]


def test_set_defines_a_variable() -> None:
    """EXP-065."""
    assert render('{% set header = "Welcome Page" %}{{ header }}', {}) == "Welcome Page"
    assert render("{% set a = a + 1 %}{{ a }}", {"a": 1}) == "2"


@pytest.mark.parametrize(("category", "text"), [("news", "N"), ("sports", "S"), ("other", "?")])
def test_if_takes_the_first_true_branch(category: str, text: str) -> None:
    """EXP-066."""
    template = '{% if category == "news" %}N{% elseif category == "sports" %}S{% else %}?{% endif %}'
    assert render(template, {"category": category}) == text


def test_for_goes_through_lists_and_maps() -> None:
    """EXP-067."""
    users = [{"name": "Ada", "city": "London"}, {"name": "Alan", "city": "Wilmslow"}]
    assert render("{% for u in users %}{{ u.name }} in {{ u.city }}. {% else %}No{% endfor %}", {"users": users}) == (
        "Ada in London. Alan in Wilmslow. "
    )
    assert render("{% for e in m %}{{ e.key }}={{ e.value }};{% endfor %}", {"m": {"a": 1, "b": 2}}) == "a=1;b=2;"


@pytest.mark.parametrize("users", [[], {}, None])
def test_for_over_nothing_takes_else(users: Any) -> None:
    """EXP-067."""
    assert render("{% for u in users %}x{% else %}No users{% endfor %}", {"users": users}) == "No users"


def test_for_over_text_raises() -> None:
    """EXP-067, EXP-080."""
    with pytest.raises(ExpressionTypeError, match="needs a list or a map, a string is given"):
        render("{% for c in 'abc' %}{{ c }}{% endfor %}", {})


def test_loop_variables_count() -> None:
    """EXP-068."""
    template = (
        "{% for x in ['a','b','c'] %}{{ loop.index }}/{{ loop.length }}/{{ loop.revindex }}"
        "{% if loop.first %}F{% endif %}{% if loop.last %}L{% endif %} {% endfor %}"
    )
    assert render(template, {}) == "0/3/2F 1/3/1 2/3/0L "


def test_loops_nest_and_restore_their_variables() -> None:
    """EXP-068."""
    template = (
        "{% for i in 1..2 %}{% for i in 5..6 %}{{ i }}{{ loop.index }} {% endfor %}{{ i }}{{ loop.index }};{% endfor %}"
    )
    assert render(template, {}) == "50 61 10;50 61 21;"
    assert render("{% for i in 1..2 %}{% endfor %}{{ i }}", {"i": "outer"}) == "outer"


def test_variable_set_before_the_loop_accumulates_one_set_inside_ends_with_it() -> None:
    """EXP-065, EXP-067."""
    assert render("{% set t = 0 %}{% for i in 1..4 %}{% set t = t + i %}{% endfor %}{{ t }}", {}) == "10"
    assert render("{% for i in 1..2 %}{% set t = i %}{% endfor %}{{ t ?? 'gone' }}", {}) == "gone"


def test_filter_tag_applies_its_chain() -> None:
    """EXP-069."""
    assert render("{% filter upper %} hello {% endfilter %}", {}) == " HELLO "
    assert render("{% filter lower | title %}hello world{% endfilter %}", {}) == "Hello World"
    assert render("{% filter replace({'l': x}) %}he{{ y }}{% endfilter %}", {"x": "L", "y": "llo"}) == "heLLo"


def test_raw_is_copied() -> None:
    """EXP-070."""
    assert render("{% raw %}{{ user.name }}{% endraw %}", {}) == "{{ user.name }}"
    assert render("{% raw %}{% if %}{# x #}{% endraw %}", {}) == "{% if %}{# x #}"
    assert render("{% verbatim %}{% endraw %}{{ x }}{% endverbatim %}", {}) == "{% endraw %}{{ x }}"


def test_macro_takes_defaults_and_named_arguments() -> None:
    """EXP-071."""
    template = (
        '{% macro input(type="text", name, value="") %}type: "{{ type }}", name: "{{ name }}", value: "{{ value }}"'
        '{% endmacro %}{{ input(name="country") }}'
    )
    assert render(template, {}) == 'type: "text", name: "country", value: ""'


def test_macro_sees_only_its_arguments() -> None:
    """EXP-071."""
    with pytest.raises(UndefinedVariableError, match="`foo` is not defined"):
        render("{% macro m() %}{{ foo }}{% endmacro %}{{ m() }}", {"foo": 1})


def test_macro_reads_the_context_passed_to_it() -> None:
    """EXP-071."""
    macro = "{% macro display(_context) %}{{ _context.foo }}{{ _context.x }}{% endmacro %}"
    assert render('{% set foo = "bar" %}' + macro + "{{ display(_context) }}", {"x": 1}) == "bar1"


def test_macro_calls_itself_until_done() -> None:
    """EXP-071."""
    template = "{% macro down(n) %}{{ n }}{% if n > 0 %}{{ down(n - 1) }}{% endif %}{% endmacro %}{{ down(3) }}"
    assert render(template, {}) == "3210"


def test_block_is_written_in_place_and_again_on_call() -> None:
    """EXP-072, EXP-140."""
    template = '{% block "header" %} Introduction {% endblock %}{{ block("header") }}'
    assert render(template, {}) == " Introduction  Introduction "
    with pytest.raises(ExpressionError, match="there is no block `x`"):
        render('{{ block("x") }}', {})


def test_extending_template_overrides_blocks_and_keeps_the_parents() -> None:
    """EXP-073, EXP-140."""
    parent = "<{% block title %}T{% endblock %}|{% block body %}parent {{ who }}{% endblock %}>{{ note }}"
    child = '{% extends "p" %}{% set note = "!" %}ignored{% block body %}child + {{ parent() }}{% endblock %}'
    assert render(child, {"who": "x"}, resolver=_Templates(p=parent)) == "<T|child + parent x>!"


def test_extending_goes_over_several_levels() -> None:
    """EXP-073."""
    templates = _Templates(
        a="[{% block b %}a{% endblock %}]", b='{% extends "a" %}{% block b %}b{{ parent() }}{% endblock %}'
    )
    assert render('{% extends "b" %}{% block b %}c{{ parent() }}{% endblock %}', {}, resolver=templates) == "[cba]"


def test_missing_parent_template_raises() -> None:
    """EXP-073."""
    with pytest.raises(FunctionFailedError, match="parent template `p` cannot be read: there is no file p"):
        render('{% extends "p" %}', {}, resolver=_Templates())


def test_template_extending_itself_is_refused() -> None:
    """EXP-014, EXP-073."""
    with pytest.raises(ExpressionError, match="nested more than"):
        render('{% extends "p" %}', {}, resolver=_Templates(p='{% extends "p" %}'))


def test_parent_outside_of_a_block_raises() -> None:
    """EXP-140."""
    with pytest.raises(ExpressionError, match="outside of a block"):
        render("{{ parent() }}", {})


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% if true %}x", "`if` is not closed"),
        ("{% for x in y %}", "`for` is not closed"),
        ("{% for x of y %}{% endfor %}", "expected `in`"),
        ("{% endif %}", "no tag `endif` here"),
        ("{% iff x %}", "no tag `iff` here"),
        ("{% if x %}{% endfor %}", "no tag `endfor` here"),
        ("{% set x %}", "expected `=`"),
        ("{% raw %}x", "`raw` is not closed"),
        ("{% block a %}{% endblock %}{% block a %}{% endblock %}", "declared twice"),
        ("{% macro a() %}{% endmacro %}{% macro a() %}{% endmacro %}", "defined twice"),
        ("{% if x %}{% extends 'a' %}{% endif %}", "`extends` stands once"),
    ],
)
def test_malformed_tag_is_a_syntax_error(template: str, message: str) -> None:
    """EXP-009."""
    with pytest.raises(ExpressionSyntaxError, match=message):
        render(template, {})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("missing is not defined", "true"),
        ("nothing is defined", "true"),
        ("nothing is empty", "true"),
        ("'' is empty", "true"),
        ("[] is empty", "true"),
        ("{} is empty", "true"),
        ("0 is empty", "false"),
        ("name is not null", "true"),
        ("nothing is null", "true"),
        ("2 is even", "true"),
        ("3 is odd", "true"),
        ("[1] is iterable", "true"),
        ("'abc' is iterable", "false"),
        ("{} is iterable", "false"),
        ("'{\"test\": 1}' is json", "true"),
        ("'{test' is json", "false"),
        ("1 is json", "false"),
        ('{"apple":"red"} is map', "true"),
        ("[] is map", "false"),
        ("approved is false", "true"),
        ("approved is not false", "false"),
        ("'true' is true", "false"),
    ],
)
def test_test_answers(expression: str, value: str) -> None:
    """EXP-076 to EXP-082, EXP-182."""
    assert render(f"{{{{ {expression} }}}}", {"name": "x", "nothing": None, "approved": False}) == value


@pytest.mark.parametrize("expression", ["'2' is even", "2.0 is odd", "true is even", "null is odd"])
def test_parity_of_other_than_integers_raises(expression: str) -> None:
    """EXP-079."""
    with pytest.raises(ExpressionTypeError, match="needs an integer"):
        render(f"{{{{ {expression} }}}}", {})
