"""Filters on JSON, numbers, lists, maps and text, with the values of the language's reference."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

import pytest

from penstock.expressions import (
    FILTERS,
    FUNCTIONS,
    TESTS,
    ExpressionError,
    LimitExceededError,
    Renderer,
    Settings,
    evaluate,
    render,
)
from penstock.expressions.number_patterns import format_number

_PAYLOAD = {
    "name": "John Doe",
    "score": {"English": 72, "Maths": 88, "French": 95, "Spanish": 85, "Science": 91},
    "address": {"city": "Paris", "country": "France"},
    "graduation_years": [2020, 2021, 2022, 2023],
}
_EXAMPLES = [
    pytest.param(template, result, id=f"{registry.kind} {name} {index}")
    for registry in (FILTERS, FUNCTIONS, TESTS)
    for name in registry
    for index, (template, result) in enumerate(registry[name].examples)
]


@pytest.mark.parametrize(("template", "result"), _EXAMPLES)
def test_example_of_the_catalogue_gives_its_result(template: str, result: str) -> None:
    """EXP-085 to EXP-131, EXP-138 to EXP-178: every registered example."""
    assert render(template, {"user": {}}) == result


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('{"a": "é\\"\\n"} | json', '{"a":"é\\"\\n"}'),
        ("null | jsonEncode", "null"),
        ("null | toIon", "null"),
        ("{'a b': [1.5, null, true, 'x\"y']} | toIon", '{\'a b\':[1.5e0,null,true,"x\\"y"]}'),
        ("payload | jq('.graduation_years[]')", [2020, 2021, 2022, 2023]),
        ("payload.score | values | jq('reduce .[] as $num (0; .+$num)') | first", 431),
        ("'[{\"slug\": 1}, {\"slug\": 2}]' | jq('.[].slug')", [1, 2]),
        ("null | jq('.')", None),
        ("payload.score.English + payload.score.French + payload.score.Spanish", 252),
        ("payload.score | length", 5),
        ("payload.address.country | upper", "FRANCE"),
        ("payload.graduation_years | last", 2023),
        ("-7.5 | abs", 7.5),
        ('"12.3" | number', 12.3),
        ("'9223372036854775807' | number | className", "java.lang.Long"),
        ("'9223372036854775808' | number | className", "java.math.BigInteger"),
        ("'3.141592653589793' | number | className", "java.lang.Double"),
        ("'3.14159265358979323846' | number | className", "java.math.BigDecimal"),
        ("'123.4567890123456789' | number('BIGDECIMAL')", Decimal("123.4567890123456789")),
        ("'5' | number('INT') | className", "java.lang.Integer"),
        ("'5' | number('LONG') | className", "java.lang.Long"),
        ("'5' | number('DOUBLE') | className", "java.lang.Double"),
        ("null | number", None),
        ("true | className", "java.lang.Boolean"),
        ("1.5 | className", "java.lang.Double"),
        ("[] | first", None),
        ("null | length", 0),
        ("['a', 1, null] | join", "a1"),
        ("'a,b,,' | split(',')", ["a", "b"]),
        ("'a,b,,' | split(',', -1)", ["a", "b", "", ""]),
        ("'abc' | split('')", ["a", "b", "c"]),
        ("['b', 'a'] | sort", ["a", "b"]),
        ("[2, 1.5, 10] | rsort", [10, 2, 1.5]),
        ("'abc' | reverse", "cba"),
        ("[1, 1.0, '1', true, [1], [1]] | distinct", [1, "1", True, [1]]),
        ("['a','b','c'] | slice(1)", ["b", "c"]),
        ("{'a': 1, 'b': 1} | merge({'b': 2})", {"a": 1, "b": 2}),
        ("[[1, [2]], 3] | flatten", [1, [2], 3]),
        ("'o\\'neil smith-jones' | title", "O'neil Smith-jones"),
        ("'hELLO' | capitalize", "HELLO"),
        ("title | trim | abbreviate(30)", "Quarterly Report: Q1 2025 (..."),
        ("'short' | abbreviate(7)", "short"),
        ("title | trim | slugify", "quarterly-report-q1-2025-final"),
        ("'Crème Brûlée' | slugify", "creme-brulee"),
        ("title | trim | startsWith('Quarterly')", True),
        ("title | trim | substringAfter(':') | trim", "Q1 2025 (FINAL)"),
        ("'abc' | substringBefore('.')", "abc"),
        ("'abc' | substringAfter('.')", ""),
        ("'abc' | substringBeforeLast('.')", "abc"),
        ("'abc' | substringAfterLast('.')", ""),
        ("'I like %this% and %that%.' | replace({'%this%': foo, '%that%': \"bar\"})", "I like FOO and bar."),
        ("'a1b22' | replace({'[0-9]+': '#'}, regexp=true)", "a#b#"),
        ("'' | default('d')", "d"),
        ("[] | default('d')", "d"),
        ("null | default('d')", "d"),
        ("0 | default('d')", 0),
        ("'a b&c=d/e~*' | urlencode", "a+b%26c%3Dd%2Fe%7E*"),
        ("'ü€' | base64encode | base64decode", "ü€"),
        ("'test' | sha1", "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"),
        ("true | string", "true"),
        ("null | upper", None),
        ("5 | upper", "5"),
        ("['Bowler Hat', 'Trilby hat'] | upper", "[BOWLER HAT, TRILBY HAT]"),
        ("'say \"x\"' | escapeChar('DOUBLE')", 'say \\"x\\"'),
        ("\"it's\" | escapeChar('shell')", "it'\\''s"),
        ("{'k': [\"it's\", 1]} | escapeChar('single')", {"k": ["it\\'s", 1]}),
        ("'x' | regexMatch('y')", False),
        ("'abc' | regexExtract('(x)')", None),
        ("'ab' | regexReplace('(?<l>a)', '${l}$1\\\\$')", "aa$b"),
        ("'a.b' | regexMatch('\\\\Q.\\\\E')", True),
        ("'٣' | regexMatch('\\\\d')", False),
        ("'aab' | regexMatch('a++b')", True),
        ("'d' | regexMatch('[a-z&&[^abc]]')", True),
    ],
)
def test_filter_gives(expression: str, value: Any) -> None:
    """EXP-085 to EXP-123."""
    variables = {"payload": _PAYLOAD, "title": " Quarterly Report: Q1 2025 (FINAL) ", "foo": "FOO"}
    result = evaluate(f"{{{{ {expression} }}}}", variables)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    "expression",
    [
        "'x' | jq('.')",
        "1 | jq('.[')",
        "1 | jq('.a')",
        "1 | jq('error')",
        "'abc' | number",
        "5 | number",
        "'1.5' | number('INT')",
        "'99999999999' | number('INT')",
        "'1' | number('SHORT')",
        "'a' | numberFormat('0')",
        "1 | numberFormat('x0x0')",
        "'a' | abs",
        "5 | length",
        "[1, 'a'] | sort",
        "[1] | chunk(0)",
        "[1] | slice(0, 5)",
        "[1] | merge(2)",
        "1 | flatten",
        "[1] | title",
        "'abc' | abbreviate(2)",
        "'x' | escapeChar('triple')",
        "'%%%' | base64decode",
        "'a' | regexMatch('(')",
        "'a' | regexExtract('a', 3)",
        "'a' | regexReplace('a', '$9')",
        "'a' | replace('b')",
    ],
)
def test_filter_of_something_unfit_raises(expression: str) -> None:
    """EXP-009, EXP-087, EXP-091."""
    with pytest.raises(ExpressionError) as caught:
        render(f"{{{{ {expression} }}}}", {})
    assert caught.value.line == 1


@pytest.mark.parametrize(
    ("number", "pattern", "text"),
    [
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (2.5, "0", "2"),
        (1.5, "#", "2"),
        (0.125, "0.00", "0.12"),
        (0.25, "0%", "25%"),
        (-1234.5, "#,##0.0;(#,##0.0)", "(1,234.5)"),
        (-5, "0.0", "-5.0"),
        (12345, "##0.###E0", "12.345E3"),
        (999.999, "0.0E0", "1.0E3"),
        (0.00012, "00.##E0", "12E-5"),
        (0, "#.##", "0"),
        (0.05, ".00", ".05"),
        (5, "000", "005"),
        (1234, "'#'#", "#1234"),
        (12, "0.00 'kg'", "12.00 kg"),
        (5, "00'x'", "05x"),
        (12.5, "0.0'%'", "12.5%"),
        (1e20, "#", "100000000000000000000"),
        (1234567, "##0.##E0", "1.2346E6"),
    ],
)
def test_number_is_formatted_as_java_does(number: float, pattern: str, text: str) -> None:
    """EXP-093; the expected texts are those of java.text.DecimalFormat."""
    assert format_number(number, pattern) == text


@pytest.mark.parametrize(
    "expression",
    [
        "x | regexMatch('^(a|a)+$')",
        "x | regexReplace('^(a|a)+$', '')",
        "x | regexExtract('^(a|a)+$')",
        "x | replace({'^(a|a)+$': ''}, true)",
        "x | split('^(a|a)+$')",
    ],
)
def test_regular_expression_that_explodes_is_stopped(expression: str) -> None:
    """EXP-123."""
    with pytest.raises(LimitExceededError, match=r"longer than 0\.05 s"):
        Renderer(settings=Settings(regex_timeout=0.05)).render(f"{{{{ {expression} }}}}", {"x": "a" * 60 + "b"})


@pytest.mark.parametrize("program", ["$ENV.PENSTOCK_TEST", "env.PENSTOCK_TEST", "def e: env; e.PENSTOCK_TEST"])
def test_jq_program_does_not_see_the_environment_of_the_server(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """EXP-087: secrets of the server stay out of reach."""
    monkeypatch.setenv("PENSTOCK_TEST", "leak")
    assert os.environ["PENSTOCK_TEST"] == "leak"
    assert evaluate("{{ 1 | jq(program) }}", {"program": program}) == [None]
