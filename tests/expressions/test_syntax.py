"""Literals, access, arguments, operators, precedence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from penstock.expressions import (
    DottedMap,
    ExpressionError,
    ExpressionSyntaxError,
    ExpressionTypeError,
    UndefinedVariableError,
    evaluate,
    render,
)

_FOODS = {"items": ["a", "b"], "foo": {"foo-bar": 1, "bar": 2, "x.y": 3}, "n": None}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"Hello World"', "Hello World"),
        ("'it\\'s'", "it's"),
        ("'\\\\.'", "\\."),
        ("'\\d\\n'", "\\d\n"),
        ("100", 100),
        ("10l", 10),
        ("2.5", 2.5),
        ("100 + 10l * 2.5", 125.0),
        ("true", True),
        ("false", False),
        ("null", None),
        ('["apple", "banana"]', ["apple", "banana"]),
        ("[]", []),
        ("{}", {}),
        ('{"apple":"red", "banana":["yellow", {"x": 1}]}', {"apple": "red", "banana": ["yellow", {"x": 1}]}),
        ("'}}'", "}}"),
        ("'%}'", "%}"),
    ],
)
def test_literal_has_its_value(expression: str, value: Any) -> None:
    """EXP-040."""
    assert evaluate(f"{{{{ {expression} }}}}", {}) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("foo.bar", 2),
        ("foo['foo-bar']", 1),
        ("foo['x.y']", 3),
        ("items[0]", "a"),
        ("items[i]", "b"),
        ("foo[name]", 2),
        ("outputs['second-task'].value", "v"),
        ("outputs.t.outputFiles['myfile.txt']", "uri"),
        ("fromJson('[1, 2, 3]')[0]", 1),
        ("outputs.loop[1].value", "one"),
        ("outputs.1st.value", "first"),
    ],
)
def test_access_reads_keys_and_indexes(expression: str, value: Any) -> None:
    """EXP-041."""
    outputs = {
        "second-task": {"value": "v"},
        "t": {"outputFiles": {"myfile.txt": "uri"}},
        "loop": {"1": {"value": "one"}},
        "1st": {"value": "first"},
    }
    assert evaluate(f"{{{{ {expression} }}}}", {**_FOODS, "i": 1, "name": "bar", "outputs": outputs}) == value


@pytest.mark.parametrize(
    "expression", ["items[2]", "items[-1]", "items.x", "foo.__class__", "n.x", "'text'.upper", "foo[null]"]
)
def test_access_to_nothing_is_undefined(expression: str) -> None:
    """EXP-041; no attribute of Python is ever seen."""
    assert evaluate(f"{{{{ {expression} is defined }}}}", _FOODS) is False


def test_hyphen_in_dot_notation_subtracts() -> None:
    """EXP-042."""
    assert evaluate("{{ a.b-c }}", {"a": {"b": 5}, "c": 2}) == 3


def test_length_and_map_methods_answer() -> None:
    """EXP-043."""
    row = {"id": 1, "name": "x"}
    assert evaluate("{{ users.length == 1 }}", {"users": [row]}) is True
    assert evaluate("{{ 'abc'.length }}", {}) == 3
    template = "{% for key in row.keySet() %}{{ key }}={{ row.get(key) }};{% endfor %}"
    assert render(template, {"row": row}) == "id=1;name=x;"
    assert evaluate("{{ row.get('missing') }}", {"row": row}) is None


def test_map_entry_named_length_wins_over_the_count() -> None:
    """EXP-043."""
    assert evaluate("{{ m.length }}", {"m": {"length": 7}}) == 7


def test_unknown_method_raises() -> None:
    """EXP-043."""
    with pytest.raises(ExpressionTypeError, match="no method `keyset`") as caught:
        render("{{ m.keyset() }}", {"m": {}})
    assert "keySet" in caught.value.hint


def test_named_and_positional_arguments_work_alike() -> None:
    """EXP-044."""
    template = '{{ stringDate | date(existingFormat="yyyy-MMMM-d", format="yyyy/MMMM/d") }}'
    assert render(template, {"stringDate": "2024-March-5"}) == "2024/March/5"
    assert render("{{ range(start = 1, end=3) }}", {}) == "[1,2,3]"
    assert render("{{ range(1, end=3) }}", {}) == "[1,2,3]"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ 'a' | date(formt='x') }}", "no argument `formt`"),
        ("{{ 'a' | slice }}", "argument `fromIndex` of filter `slice` is missing"),
        ("{{ range(1, 2, 3, 4) }}", "at most 3 arguments"),
        ("{{ range(1, 2, start=1) }}", "`start` of function `range` is given twice"),
        ("{{ range(start=1, 2) }}", "positional argument follows"),
        ("{% macro m(a) %}{% endmacro %}{{ m() }}", "argument `a` of macro `m` is missing"),
    ],
)
def test_wrong_argument_raises_naming_it(template: str, message: str) -> None:
    """EXP-044."""
    with pytest.raises(ExpressionSyntaxError, match=message):
        render(template, {})


class _State(Enum):
    SUCCESS = "SUCCESS"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 == 1.0", True),
        ("1 == d", True),
        ("1.5 == '1.5'", False),
        ("1 == true", False),
        ("null == null", True),
        ("'a' equals 'a'", True),
        ("'a' != 'b'", True),
        ("[1, 2] == [1, 2]", True),
        ("2 < 10", True),
        ("2 >= 2.0", True),
        ("d <= 1", True),
        ("'a' < 'b'", True),
        ("null > 1", False),
        ("state == 'SUCCESS'", True),
        ("state != 'FAILED'", True),
        ("t < '2024-01-02T00:00:00Z'", True),
        ("t > t", False),
    ],
)
def test_comparison_holds(expression: str, value: bool) -> None:
    """EXP-050."""
    variables = {"d": Decimal(1), "state": _State.SUCCESS, "t": datetime(2024, 1, 1, tzinfo=UTC)}
    assert evaluate(f"{{{{ {expression} }}}}", variables) is value


def test_comparison_of_text_with_number_raises() -> None:
    """EXP-050."""
    with pytest.raises(ExpressionTypeError, match="cannot compare a string with a number"):
        render("{{ '6' >= 6 }}", {})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(3 is not even) and (2 is odd or 3 is even)", False),
        ("2 is even and 3 is odd", True),
        ("not false", True),
        ("not (true and false) or false", True),
        ("1 and 0", False),
        ("false or 'x'", True),
    ],
)
def test_logic_combines(expression: str, value: bool) -> None:
    """EXP-051, EXP-052. (`2 is odd or 3 is even` is false, so the first example is false.)"""
    assert evaluate(f"{{{{ {expression} }}}}", {}) is value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('["apple","pear"] contains "apple"', True),
        ('["apple","pear","banana","peach"] contains ["apple","peach"]', True),
        ('["apple","pear"] contains ["apple","fig"]', False),
        ('{"apple":"red"} contains "apple"', True),
        ('{"apple":"red"} contains "red"', False),
        ("'haystack' contains 'st'", True),
        ("null contains 'a'", False),
        ("[1, 2] contains 2.0", True),
        ("[1, 2] contains '2'", False),
        ("state isIn ['SUCCESS', 'KILLED', 'CANCELLED']", True),
        ("1 isIn ['1']", True),
        ("null isIn ['']", False),
        ("'a' isIn null", False),
        ("'red' isIn {'apple': 'red'}", True),
        ("'apple' isIn {'apple': 'red'}", True),
        ("'fig' isIn {'apple': 'red'}", False),
    ],
)
def test_membership_is_found(expression: str, value: bool) -> None:
    """EXP-053, EXP-054."""
    assert evaluate(f"{{{{ {expression} }}}}", {"state": "SUCCESS"}) is value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 2 / (10 % 3) * (8 - 1)", 16),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("7 / 2.0", 3.5),
        ("-x", -4),
        ("- -x", 4),
        ("0.1 + d", Decimal("1.1")),
        ("'https://x/category/' + 'a'", "https://x/category/a"),
        ("'n' + 1", "n1"),
        ("1 + 'n'", "1n"),
        ("[1] + 2", [1, 2]),
        ("[1] + [2, 3]", [1, 2, 3]),
        ("[1, 2, 3] - 2", [1, 3]),
        ('"apple" ~ "pear" ~ "banana"', "applepearbanana"),
        ("1 ~ null ~ true ~ [1]", "1true[1]"),
        ("1..5", [1, 2, 3, 4, 5]),
        ("3..1", [3, 2, 1]),
    ],
)
def test_arithmetic_and_concatenation_compute(expression: str, value: Any) -> None:
    """EXP-055, EXP-056, EXP-061."""
    assert evaluate(f"{{{{ {expression} }}}}", {"x": 4, "d": Decimal(1)}) == value


@pytest.mark.parametrize(
    "expression", ["1 / 0", "1 % 0", "1.0 / 0", "1 - 'a'", "2 * null", "-'a'", "{} + 1", "true + 1"]
)
def test_arithmetic_without_result_raises(expression: str) -> None:
    """EXP-055."""
    with pytest.raises(ExpressionTypeError):
        render(f"{{{{ {expression} }}}}", {})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("foo ?? bar ?? 'default'", "default"),
        ("inputs.optional ?? 'd'", "d"),
        ("inputs.optional.deep.er ?? 'd'", "d"),
        ("false ?? 'd'", False),
        ("'' ?? 'd'", ""),
        ("inputs.optional ??? 'd'", None),
        ("inputs.none ??? 'd'", "d"),
        ("(inputs.optional ??? 'd') ?? 'other'", "other"),
        ("foo ??? 'd'", "d"),
    ],
)
def test_fallback_applies(expression: str, value: Any) -> None:
    """EXP-057, EXP-058."""
    assert evaluate(f"{{{{ {expression} }}}}", {"inputs": {"optional": None}}) == value


def test_fallback_is_not_evaluated_when_it_is_not_needed() -> None:
    """EXP-057."""
    assert evaluate("{{ 1 ?? raise }}", {}) == 1


@pytest.mark.parametrize(("foo", "value"), [(None, "bar"), (1, "baz")])
def test_ternary_chooses(foo: Any, value: str) -> None:
    """EXP-059."""
    assert evaluate("{{ foo == null ? 'bar' : 'baz' }}", {"foo": foo}) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("-7 | abs", 7),
        ("x | jq('.[2]') | first == 3", True),
        ("'a' ~ 'b' | upper", "AB"),
        ("missing ?? 'a' ~ 'b'", "ab"),
        ("1 + '22' | length", 3),
        ("2 * 3 | abs + 1", 7),
        ("1 + 2 == 3 and true", True),
        ("not x is empty", False),
        ("false and false or true", True),
        ("true ? 1 : false ? 2 : 3", 1),
        ("10 - 3 - 2", 5),
        ("x | length > 2 ? 'many' : 'few'", "many"),
        ("x contains 1 and x contains 2", True),
        ("-2 is even", True),
        ("1..2 | length", 2),
        ("null ?? '2024-01-01T00:00:00Z' | date('yyyy', timeZone='UTC')", "2024"),
    ],
)
def test_precedence_binds(expression: str, value: Any) -> None:
    """EXP-060."""
    assert evaluate(f"{{{{ {expression} }}}}", {"x": [1, 2, 3]}) == value


class _Lazy(Mapping[str, Any]):
    def __init__(self, **values: Any) -> None:
        self.values_by_name = values
        self.read: list[str] = []

    def __getitem__(self, name: str) -> Any:
        self.read.append(name)
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)


def test_lazy_variables_are_read_only_where_named() -> None:
    """A lazy mapping is asked for what the template names and for nothing else."""
    variables = _Lazy(inputs={"a": 1}, outputs={"b": 2})
    assert render("{{ inputs.a }}", variables) == "1"
    assert variables.read == ["inputs"]


def test_dotted_keys_are_read_with_dots_and_with_brackets() -> None:
    """EXP-025, EXP-032."""
    labels = DottedMap({"system.username": "ada", "system.id": 1, "team": "x"})
    variables = {"labels": labels}
    assert render("{{ labels.system.username }} {{ labels['system.id'] }} {{ labels.team }}", variables) == "ada 1 x"
    assert render("{{ labels }}", variables) == '{"system.username":"ada","system.id":1,"team":"x"}'
    with pytest.raises(UndefinedVariableError):
        render("{{ labels.sys }}", variables)


@pytest.mark.parametrize(
    "template",
    [
        "{{ }}",
        "{{ 1 + }}",
        "{{ (1 }}",
        "{{ [1, }}",
        "{{ {'a' 1} }}",
        "{{ a b }}",
        "{{ a. }}",
        "{{ 'x }}",
        "{{ 1",
        "{{ a @ b }}",
        "{# x",
        "{% %}",
        "{{ a | }}",
        "{{ a is }}",
        "{{ and }}",
    ],
)
def test_malformed_expression_is_a_syntax_error(template: str) -> None:
    """EXP-009."""
    with pytest.raises(ExpressionSyntaxError) as caught:
        render(template, {})
    assert caught.value.template == template
    assert caught.value.line == 1
    assert caught.value.column >= 1


def test_deep_nesting_is_refused_not_crashing() -> None:
    """EXP-014."""
    for template in (
        "{{ " + "(" * 5000 + " }}",
        "{{ " + "-" * 5000 + "1 }}",
        "{{ 1" + "+1" * 20000 + " }}",
        "{% if 1 %}" * 500,
    ):
        with pytest.raises(ExpressionError):
            render(template, {})
