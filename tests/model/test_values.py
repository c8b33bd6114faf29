"""Typed values of inputs and outputs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.expressions import evaluate
from penstock.model.values import TYPES, InvalidOutputs, Mismatch, coerce, render_outputs


@pytest.mark.parametrize(
    ("type_name", "value", "expected"),
    [
        ("STRING", "a", "a"),
        ("STRING", 5, "5"),
        ("STRING", True, "true"),
        ("STRING", {"a": 1}, '{"a":1}'),
        ("INT", "42", 42),
        ("INT", 42, 42),
        ("INT", 3.0, 3),
        ("INT", "-7", -7),
        ("FLOAT", "3.5", 3.5),
        ("FLOAT", 3, 3),
        ("BOOLEAN", "true", True),
        ("BOOL", "False", False),
        ("BOOL", False, False),
        ("DATETIME", "2042-04-02T04:20:42.000Z", "2042-04-02T04:20:42Z"),
        ("DATETIME", "2013-08-09T14:19:00Z", "2013-08-09T14:19:00Z"),
        ("DATETIME", "2013-08-09T14:19:00+02:00", "2013-08-09T12:19:00Z"),
        ("DATETIME", "2013-08-09T14:19:00", "2013-08-09T14:19:00Z"),
        ("DATETIME", "2013-08-09T14:19:00.123+02:00[Europe/Paris]", "2013-08-09T12:19:00.123000Z"),
        ("DATETIME", datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=1))), "2024-01-02T02:00:00Z"),
        ("DATE", "2042-12-03", "2042-12-03"),
        ("DATE", datetime(2024, 1, 2, 3, tzinfo=UTC), "2024-01-02"),
        ("TIME", "10:15:30", "10:15:30"),
        ("TIME", "10:15", "10:15:00"),
        ("DURATION", "PT5M6S", "PT5M6S"),
        ("FILE", "kestra:///a/b.csv", "kestra:///a/b.csv"),
        ("FILE", "nsfile:///a.csv", "nsfile:///a.csv"),
        ("JSON", '{"a": [1, null]}', {"a": [1, None]}),
        ("JSON", {"a": 1}, {"a": 1}),
        ("YAML", "a: [1, x]", {"a": [1, "x"]}),
        ("URI", "https://example.com/a?b=c#d", "https://example.com/a?b=c#d"),
        ("EMAIL", "ada@example.com", "ada@example.com"),
        ("ARRAY", '["a", "b"]', ["a", "b"]),
        ("ARRAY", "- a\n- b\n", ["a", "b"]),
        ("ARRAY", (1, 2), [1, 2]),
        ("SELECT", "a", "a"),
        ("MULTISELECT", '["a", 5]', ["a", "5"]),
        ("MULTISELECT", "a", ["a"]),
    ],
)
def test_value_of_its_type_is_brought_to_its_form(type_name: str, value: Any, expected: Any) -> None:
    """Implements ENG-172 to ENG-188."""
    found = coerce(type_name, value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("INT", "1.5"),
        ("INT", 1.5),
        ("INT", True),
        ("INT", "x"),
        ("INT", 2**63),
        ("INT", [1]),
        ("FLOAT", "nan"),
        ("FLOAT", "1_0"),
        ("FLOAT", False),
        ("BOOL", "yes"),
        ("BOOL", 1),
        ("DATETIME", "2042-04-02"),
        ("DATETIME", "0001-01-01T00:00:00+14:00"),
        ("DATETIME", "tomorrow"),
        ("DATE", "2042-13-01"),
        ("DATE", "2042-12-03T00:00:00Z"),
        ("TIME", "25:00"),
        ("TIME", "10:15Z"),
        ("DURATION", "5m"),
        ("DURATION", "P1M"),
        ("FILE", "data.csv"),
        ("JSON", "{a: 1}"),
        ("JSON", "NaN"),
        ("YAML", "a: b: c"),
        ("URI", "not a uri"),
        ("EMAIL", "ada@"),
        ("ARRAY", "{a: 1}"),
        ("ARRAY", 5),
        ("NOPE", "x"),
    ],
)
def test_value_of_another_type_is_refused_with_what_is_wanted(type_name: str, value: Any) -> None:
    with pytest.raises(Mismatch) as raised:
        coerce(type_name, value)
    assert re.search(r"such as|true|one of", raised.value.wanted)


def test_array_with_a_wrong_item_names_its_position() -> None:
    """Implements ENG-187."""
    with pytest.raises(Mismatch, match="a list of INT: item 2 must be a whole number"):
        coerce("ARRAY", [1, "x"], item_type="INT")
    assert coerce("ARRAY", ["1", 2, None], item_type="INT") == [1, 2, None]


def renders(variables: dict[str, Any]) -> Callable[[str], Any]:
    return lambda template: evaluate(template, variables)


def test_outputs_rendered_are_brought_to_their_types() -> None:
    """Implements ENG-206, USE-B048."""
    outputs = [
        {"id": "number", "type": "INT", "value": "{{ x }}"},
        {"id": "text", "type": "STRING", "value": "{{ m }}"},
        {"id": "parsed", "type": "JSON", "value": '{"a": {{ x }}}'},
        {"id": "kept", "value": "{{ m }}"},
        {"id": "nothing", "type": "INT", "value": "{{ missing ?? null }}"},
        {"id": "map", "type": "JSON", "value": {"a": ["{{ x }}"]}},
    ]
    assert render_outputs(outputs, renders({"x": 5, "m": {"k": "v"}}), hidden) == {
        "number": 5,
        "text": '{"k":"v"}',
        "parsed": {"a": 5},
        "kept": {"k": "v"},
        "nothing": None,
        "map": {"a": [5]},
    }


def hidden(value: str) -> str:
    return f"{len(value)} characters"


def test_secret_output_is_kept_encrypted() -> None:
    """ENG-206."""
    outputs = [{"id": "token", "type": "SECRET", "value": "{{ x }}"}, {"id": "none", "type": "SECRET", "value": None}]
    assert render_outputs(outputs, renders({"x": "hunter2"}), hidden) == {"token": "7 characters", "none": None}


def test_output_that_depends_on_a_skipped_task_takes_the_other_branch() -> None:
    """Implements ENG-207."""
    value = "{{ tasks.main.state != 'SKIPPED' ? outputs.main.value : outputs.fallback.value }}"
    variables = {"tasks": {"main": {"state": "SKIPPED"}}, "outputs": {"fallback": {"value": "spare"}}}
    assert render_outputs([{"id": "o", "type": "STRING", "value": value}], renders(variables), hidden) == {"o": "spare"}


def test_outputs_of_wrong_types_are_all_named_and_no_value_is_told() -> None:
    outputs = [{"id": name, "type": "INT", "value": "{{ secret }}"} for name in ("a", "b")]
    with pytest.raises(InvalidOutputs) as raised:
        render_outputs(outputs, renders({"secret": "hunter2"}), hidden)
    assert "output `a` of type INT must be a whole number" in str(raised.value)
    assert "output `b`" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@given(
    st.sampled_from(TYPES),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ).filter(lambda value: value is not None),
)
def test_any_value_coerced_is_accepted_stably_or_refused(type_name: str, value: Any) -> None:
    try:
        once = coerce(type_name, value)
    except Mismatch:
        return
    if once is not None and type_name not in ("JSON", "YAML", "ARRAY", "MULTISELECT"):
        assert coerce(type_name, once) == once
