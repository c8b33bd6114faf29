"""Functions: rendering, parsing, the run itself, utilities, and the door to the outside."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from penstock.base.errors import NotFoundError
from penstock.expressions import (
    Environment,
    ExpressionError,
    ExpressionTypeError,
    FunctionFailedError,
    LimitExceededError,
    evaluate,
    render,
)
from penstock.expressions.encrypted import sealed


class _Recorder:
    """A resolver that notes what it is asked and answers from a dict."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, function: str, arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
        self.calls.append((function, dict(arguments)))
        answer = self.answers[function]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_render_evaluates_the_template_in_a_variable() -> None:
    """EXP-138."""
    variables = {
        "vars": {"day": "{{ trigger.date ?? (execution.startDate | dateAdd(-1, 'DAYS')) | date('yyyy-MM-dd') }}"},
        "execution": {"startDate": "2024-05-06T12:00:00Z"},
    }
    assert render("{{ render(vars.day) }}", variables) == "2024-05-05"


def test_render_goes_on_until_nothing_is_left_render_once_does_not() -> None:
    """EXP-138, EXP-139."""
    variables = {"a": "{{ b }}", "b": "{{ c }}", "c": "end"}
    assert render("{{ render(a) }}", variables) == "end"
    assert render("{{ renderOnce(a) }}", variables) == "{{ c }}"
    assert render("{{ render(a, recursive=false) }}", variables) == "{{ c }}"


def test_render_sees_variables_of_the_template_and_leaves_other_values_alone() -> None:
    """EXP-138."""
    assert render("{% set x = 2 %}{{ render('{{ x }}') }}", {}) == "2"
    assert evaluate("{{ render(x) }}", {"x": [1]}) == [1]
    assert evaluate("{{ render(x) ?? 'none' }}", {"x": None}) == "none"


def test_render_of_itself_is_stopped() -> None:
    """EXP-014, EXP-138."""
    with pytest.raises(LimitExceededError, match="nested more than"):
        render("{{ render(a) }}", {"a": "{{ render(a) }}"})
    with pytest.raises(LimitExceededError):
        render("{{ render(a) }}", {"a": "x{{ a }}"})


@pytest.mark.parametrize("name", ["printContext", "fetchContext"])
def test_context_is_printed_as_json(name: str) -> None:
    """EXP-141."""
    variables = {"inputs": {"a": 1}, "flow": {"id": "f"}}
    assert render(f"{{{{ {name}() }}}}", variables) == '{"inputs":{"a":1},"flow":{"id":"f"}}'


def test_context_is_printed_without_its_secrets() -> None:
    """EXP-141."""
    secret = sealed("ciphertext")
    variables = {"inputs": {"password": secret, "plain": "a"}, "outputs": {"t": {"list": [{"token": secret}]}}}
    shown = '{"inputs":{"password":"******","plain":"a"},"outputs":{"t":{"list":[{"token":"******"}]}}}'
    assert render("{{ printContext() }}", variables) == shown
    assert render("{% set x = 1 %}{{ fetchContext() }}", variables) == f'{shown[:-1]},"x":1}}'


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("fromJson(text).name", "Ada"),
        ("json(text).big", 123456789012345678901234567890),
        ("jsonDecode('[1.5]')[0]", 1.5),
        ("fromJson({'a': 1}).a", 1),
        ("fromIon('{id:1, name:\"Ada\"} {id:2}').id", 1),
        ("fromIon('{id:1} {id:2}', allRows=true)[1].id", 2),
        ("yaml('foo: [666, 1, 2]').foo[0]", 666),
        (
            "yaml('a: yes\nb: 2024-01-01\nc: ~\nd: 1.5\ne: true\nf: 0x1F')",
            {"a": "yes", "b": "2024-01-01", "c": None, "d": 1.5, "e": True, "f": 31},
        ),
    ],
)
def test_structured_text_is_parsed(expression: str, value: Any) -> None:
    """EXP-152 to EXP-154."""
    variables = {"text": '{"name": "Ada", "big": 123456789012345678901234567890}'}
    assert evaluate(f"{{{{ {expression} }}}}", variables) == value


@pytest.mark.parametrize(
    "expression",
    [
        "fromJson('{')",
        "fromJson('NaN')",
        "fromIon('{a')",
        "fromIon('[1 2]')",
        "yaml('a: [')",
        "yaml('&a [*a]')",
        "yaml('!!python/object:os.system {}')",
    ],
)
def test_malformed_text_raises(expression: str) -> None:
    """EXP-152 to EXP-154."""
    with pytest.raises(ExpressionError):
        render(f"{{{{ {expression} }}}}", {})


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, '{"a":' * 100_000])
@pytest.mark.parametrize("function", ["yaml", "fromJson", "fromIon"])
def test_text_nested_without_end_is_refused(function: str, text: str) -> None:
    """EXP-014: native parsers must not crash the process."""
    with pytest.raises(ExpressionError):
        render(f"{{{{ {function}(x) }}}}", {"x": text})


def test_yaml_that_unfolds_enormously_is_refused() -> None:
    """EXP-014."""
    lines = ["a0: &a0 [1, 1]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40))]
    with pytest.raises(LimitExceededError, match="unfolds"):
        render("{{ yaml(x) }}", {"x": "\n".join(lines)})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null null.int true nan", [None, None, True]),
        ("1 -2 0x1F 1_000 1.5 1.5e1 2d1", [1, -2, 31, 1000, Decimal("1.5"), 15.0, Decimal(20)]),
        ("2024-01-15T10:30:00.5Z", [datetime(2024, 1, 15, 10, 30, 0, 500000, tzinfo=UTC)]),
        ("'a b' \"c\\n\" sym '''long ''' '''text'''", ["a b", "c\n", "sym", "long text"]),
        ("ann::{'x y': [1, (a + b)], } // note", [{"x y": [1, ["a", "+", "b"]]}]),
        ('/* c */ {{ aGk= }} {{"clob"}}', ["aGk=", "clob"]),
    ],
)
def test_ion_text_is_read(text: str, value: list[Any]) -> None:
    """EXP-153."""
    rows = evaluate("{{ fromIon(x, true) }}", {"x": text})
    assert [row for row in rows if row == row] == value


def test_ion_round_trip_keeps_values() -> None:
    """EXP-086, EXP-153."""
    value = {"a": [1, 2.5, None, True, "tab\t'quote' \"x\" \\ é"], "nan": {"deep": Decimal("1.50")}, "true": "sym"}
    assert evaluate("{{ fromIon(x | toIon) }}", {"x": value}) == value


_RUN = {
    "tasks": {
        "a": {"state": "FAILED"},
        "b": {"x": {"state": "FAILED"}, "y": {"state": "SUCCESS"}},
        "c": {"o": {"i": {"state": "failed"}}},
    },
    "outputs": {
        "make": {"x": {"value": "mx", "values": {"data": 1}}, "y": {"value": "my"}},
        "deep": {"o1": {"x": {"value": "o1x"}, "y": {"value": "o1y"}}, "o2": {"x": {"value": "o2x"}}},
    },
    "task": {"id": "make"},
    "taskrun": {"value": "y", "iteration": 1},
}


def test_tasks_with_state_are_listed() -> None:
    """EXP-159, EXP-027."""
    assert evaluate("{{ tasksWithState('failed') }}", _RUN) == [
        {"taskId": "a", "state": "FAILED"},
        {"value": "x", "taskId": "b", "state": "FAILED"},
        {"value": "i", "taskId": "c", "state": "failed"},
    ]
    assert render("{{ tasksWithState('FAILED')[0]['taskId'] }}", _RUN) == "a"
    assert render("{{ tasks.b['x'].state }}", _RUN) == "FAILED"


def test_current_each_output_walks_all_loops() -> None:
    """EXP-158."""
    assert render("{{ currentEachOutput(outputs.make).value }}", _RUN) == "my"
    nested = {**_RUN, "parents": [{"outputs": {}}, {"taskrun": {"value": "o1"}}]}
    assert render("{{ currentEachOutput(outputs.deep).value }}", nested) == "o1y"


def test_current_each_output_without_output_raises() -> None:
    """EXP-158."""
    with pytest.raises(ExpressionError, match="finds no output"):
        render("{{ currentEachOutput(outputs.make) }}", {**_RUN, "taskrun": {"value": "z"}})
    with pytest.raises(ExpressionTypeError, match="needs the outputs of a task"):
        render("{{ currentEachOutput('make') }}", _RUN)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("iterationOutput(outputs.make).value", "mx"),
        ("iterationOutput(outputs.make, 1).value", "my"),
        ("iterationOutput('make', 0)", "mx"),
        ("iterationOutput()", "mx"),
        ("iterationOutput(iteration=1)", "my"),
    ],
)
def test_iteration_output_is_found(expression: str, value: str) -> None:
    """EXP-160."""
    assert evaluate(f"{{{{ {expression} }}}}", _RUN) == value


@pytest.mark.parametrize("expression", ["iterationOutput(outputs.make, 0).value", "iterationOutput('make', 0)"])
def test_iteration_output_of_runs_side_by_side_is_that_of_the_iteration(expression: str) -> None:
    """EXP-160: whichever ended first."""
    states = {"make": {"y": {"state": "SUCCESS", "iteration": 1}, "x": {"state": "SUCCESS", "iteration": 0}}}
    outputs = {"make": {"y": {"value": "second"}, "x": {"value": "first"}}}
    variables = {**_RUN, "outputs": outputs, "tasks": states}
    assert evaluate(f"{{{{ {expression} }}}}", variables) == "first"


def test_iteration_output_in_a_nested_loop_stays_in_the_outer_iteration() -> None:
    """EXP-160."""
    nested = {**_RUN, "parents": [{"taskrun": {"value": "o1"}}]}
    assert evaluate("{{ iterationOutput(outputs.deep).value }}", nested) == "o1x"


@pytest.mark.parametrize(
    ("expression", "taskrun"),
    [
        ("iterationOutput()", {"value": "x", "iteration": 0}),
        ("iterationOutput()", {}),
        ("iterationOutput('make', 9)", {"value": "x", "iteration": 1}),
        ("iterationOutput('mak')", {"value": "x", "iteration": 1}),
    ],
)
def test_iteration_output_out_of_reach_raises(expression: str, taskrun: dict[str, Any]) -> None:
    """EXP-160."""
    with pytest.raises(ExpressionError):
        render(f"{{{{ {expression} }}}}", {**_RUN, "taskrun": taskrun})


def test_parent_output_is_the_direct_parents_or_counted_from_outside() -> None:
    """EXP-161, EXP-024."""
    parents = [{"outputs": {"v": "near"}}, {"outputs": {"v": "middle"}}, {"outputs": {"v": "far"}}]
    variables = {"parents": parents, "parent": parents[0]}
    assert (
        render("{{ parentOutput().v }} {{ parent.outputs.v }} {{ parents[2].outputs.v }}", variables) == "near near far"
    )
    assert render("{{ parentOutput(0).v }} {{ parentOutput(1).v }}", variables) == "far middle"
    with pytest.raises(ExpressionError, match="no such parent"):
        render("{{ parentOutput(3) }}", variables)
    with pytest.raises(ExpressionError, match="no such parent"):
        render("{{ parentOutput() }}", {})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("max(5, 10, 15)", 15),
        ("min(5, 10, 15)", 5),
        ("max([1, 7])", 7),
        ("min('b', 'a')", "a"),
        ("range(0, 3)", [0, 1, 2, 3]),
        ("range(0, 6, 2)", [0, 2, 4, 6]),
        ("range(3, 0, -1)", [3, 2, 1, 0]),
        ("range(3, 0)", []),
    ],
)
def test_utility_computes(expression: str, value: Any) -> None:
    """EXP-166, EXP-167."""
    assert evaluate(f"{{{{ {expression} }}}}", {}) == value


@pytest.mark.parametrize(
    "expression",
    ["max()", "max(1, 'a')", "range(0, 3, 0)", "range('a', 2)", "randomInt(5, 5)", "nanoId(0)", "nanoId(alphabet='')"],
)
def test_utility_of_something_unfit_raises(expression: str) -> None:
    """EXP-166 to EXP-169."""
    with pytest.raises(ExpressionError):
        render(f"{{{{ {expression} }}}}", {})


def test_identifiers_have_their_forms() -> None:
    """EXP-168."""
    assert evaluate("{{ uuid() | regexMatch('^[0-9A-Za-z]{22}$') }}", {})
    assert evaluate("{{ id() != id() }}", {})
    assert evaluate("{{ nanoId() | regexMatch('^[0-9A-Za-z_-]{21}$') }}", {})
    assert evaluate("{{ nanoId(length=5, alphabet='ab') | regexMatch('^[ab]{5}$') }}", {})


def test_ksuid_sorts_by_time() -> None:
    """EXP-168."""
    ids = [
        render("{{ ksuid() }}", {}, environment=Environment(clock=lambda when=when: when))  # type: ignore[misc]
        for when in (
            datetime(2020, 1, 1, tzinfo=UTC),
            datetime(2024, 1, 1, tzinfo=UTC),
            datetime(2030, 1, 1, tzinfo=UTC),
        )
    ]
    assert ids == sorted(ids)
    assert {len(name) for name in ids} == {27}


def test_random_integers_stay_below_the_upper_bound() -> None:
    """EXP-169."""
    environment = Environment(random=random.Random(7))
    drawn = {evaluate("{{ randomInt(1, 10) }}", {}, environment=environment) for _ in range(300)}
    assert drawn == set(range(1, 10))


@pytest.mark.parametrize(
    ("expression", "call"),
    [
        ("secret('api', subkey='TOKEN')", ("secret", {"key": "api", "namespace": None, "subkey": "TOKEN"})),
        ("credential('my_oauth')", ("credential", {"key": "my_oauth"})),
        ("read('test.py', namespace='company.team')", ("read", {"path": "test.py", "namespace": "company.team"})),
        ("fileURI('my_file.txt')", ("fileURI", {"path": "my_file.txt", "namespace": None})),
        ("kv('K')", ("kv", {"key": "K", "namespace": None, "errorOnMissing": True})),
        ("kv('K', 'other.ns')", ("kv", {"key": "K", "namespace": "other.ns", "errorOnMissing": True})),
        ("kv('K', namespace, false)", ("kv", {"key": "K", "namespace": None, "errorOnMissing": False})),
        ("kv('K', errorOnMissing=false)", ("kv", {"key": "K", "namespace": None, "errorOnMissing": False})),
        ("encrypt('KEY', 'v')", ("encrypt", {"key": "KEY", "value": "v"})),
        ("decrypt('KEY', 'v')", ("decrypt", {"key": "KEY", "value": "v"})),
        ("errorLogs()", ("errorLogs", {})),
        ("appLink(appId='com.example.my-app')", ("appLink", {"appId": "com.example.my-app", "baseUrl": False})),
        ("randomPort()", ("randomPort", {})),
        (
            "http(uri = 'https://x/y', headers={'a': 'b'})",
            (
                "http",
                {
                    "uri": "https://x/y",
                    "method": "GET",
                    "query": None,
                    "body": None,
                    "contentType": "application/json",
                    "headers": {"a": "b"},
                    "options": None,
                    "accept": "application/json",
                },
            ),
        ),
        ("fileSize('u')", ("fileSize", {"uri": "u", "namespace": None})),
        ("fileExists('u')", ("fileExists", {"uri": "u", "namespace": None})),
        ("isFileEmpty('u')", ("isFileEmpty", {"uri": "u", "namespace": None})),
    ],
)
def test_outside_function_goes_through_the_resolver(expression: str, call: tuple[str, dict[str, Any]]) -> None:
    """EXP-144 to EXP-149, EXP-157, EXP-162, EXP-169 to EXP-171: the calls; the resolver's side is tested with it."""
    resolver = _Recorder(**{call[0]: "answer"})
    assert evaluate(f"{{{{ {expression} }}}}", {}, resolver=resolver) == "answer"
    assert resolver.calls == [call]


def test_outside_function_without_resolver_raises() -> None:
    """EXP-181."""
    with pytest.raises(ExpressionError, match="`kv` is not available here"):
        render("{{ kv('x') }}", {})


def test_error_of_the_resolver_is_located_and_keeps_its_cause() -> None:
    """EXP-009, EXP-144."""
    cause = NotFoundError("there is no secret `X`", hint="add it")
    with pytest.raises(FunctionFailedError, match="there is no secret `X`") as caught:
        render("a\n{{ secret('X') }}", {}, resolver=_Recorder(secret=cause))
    assert (caught.value.line, caught.value.column, caught.value.hint) == (2, 4, "add it")
    assert caught.value.__cause__ is cause


class _Later(Exception):
    pass


@pytest.mark.parametrize(
    "template", ["{{ kv('x') }}", "{{ kv('x') | upper ?? 'd' }}", "{{ render(t) }}", "{{ (kv('x') | upper) ?? 'd' }}"]
)
def test_signal_of_the_resolver_passes_through_unchanged(template: str) -> None:
    """A resolver may interrupt a rendering to fetch what is missing."""
    with pytest.raises(_Later):
        render(template, {"t": "{{ kv('x') }}"}, resolver=_Recorder(kv=_Later()))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{ "foo: bar" | yaml }}', "foo: bar"),
        ('{{ ("foo: bar" | yaml).foo }}', "bar"),
        ("{{ {'key': 'value'} | yaml }}", "key: value"),
        (
            "{{ {'a': [1, {'b': null}], 'yes': 'no', 'd': '2024-01-01'} | yaml }}",
            "a:\n- 1\n- b: null\n'yes': 'no'\nd: '2024-01-01'",
        ),
        ("m:\n    {{ labels | yaml | indent(4) }}", "m:\n    a: 1\n    b: x"),
        ("m:{{ 'k1: v1\\nk2: v2' | yaml | nindent(4) }}", "m:\n    k1: v1\n    k2: v2"),
        ("{{ 'a\\r\\nb' | indent(2, '-') }}", "a\r\n--b"),
    ],
)
def test_yaml_filter_goes_both_ways(template: str, text: str) -> None:
    """EXP-130, EXP-131."""
    assert render(template, {"labels": {"a": 1, "b": "x"}}) == text


def test_parsed_yaml_leaves_as_plain_data() -> None:
    """EXP-130."""
    value = evaluate("{{ 'a: [1]' | yaml }}", {})
    assert type(value) is dict
    assert value == {"a": [1]}
