"""Types of values: found out and converted."""

from typing import Any

import pytest

from penstock.services.keyvalues import TypedValue, convert, read_body
from penstock.services.keyvalues.values import ValueTypeError


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        ('"Hello World"', "STRING", "Hello World"),
        ("Hello World", "STRING", "Hello World"),
        (" kept as it is \n", "STRING", " kept as it is \n"),
        ('"42"', "STRING", "42"),
        ("42", "NUMBER", 42),
        ("-1.5", "NUMBER", -1.5),
        ("true", "BOOLEAN", True),
        ("2026-01-31T10:00:00+02:00", "DATETIME", "2026-01-31T08:00:00Z"),
        ("2026-13-31T10:00:00Z", "STRING", "2026-13-31T10:00:00Z"),
        ("2026-01-31", "DATE", "2026-01-31"),
        ('"2026-01-31"', "STRING", "2026-01-31"),
        ("PT90S", "DURATION", "PT1M30S"),
        ("Paul", "STRING", "Paul"),
        ('{"a": [1, null]}', "JSON", {"a": [1, None]}),
        ("[1, 2]", "JSON", [1, 2]),
        ("null", "JSON", None),
        ('{"a": ', "STRING", '{"a": '),
    ],
)
def test_read_body_finds_out_the_type(body: str, kind: str, value: Any) -> None:
    """ENG-366, API-040, IAC-012."""
    found = read_body(body)
    assert (found.type, found.value, type(found.value)) == (kind, value, type(value))


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("STRING", 5, "5"),
        ("STRING", {"a": 1}, '{"a":1}'),
        ("NUMBER", " 5 ", 5),
        ("number", "2.50", 2.5),
        ("BOOLEAN", "True", True),
        ("BOOLEAN", False, False),
        ("DATETIME", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("DATE", "2026-01-31", "2026-01-31"),
        ("DURATION", "P1D", "PT24H"),
        ("JSON", '["a", "b"]', ["a", "b"]),
        ("JSON", {"a": 1}, {"a": 1}),
    ],
)
def test_convert_gives_the_type_asked_for(kind: str, given: Any, value: Any) -> None:
    """ENG-359, ENG-361."""
    assert convert(kind, given) == TypedValue(kind.upper(), value)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("NUMBER", "many"),
        ("NUMBER", True),
        ("NUMBER", '"5"'),
        ("BOOLEAN", "yes"),
        ("DATETIME", "2026-01-31T25:00:00Z"),
        ("DATE", "31.1.2026"),
        ("DURATION", "5 minutes"),
        ("JSON", "{hunter2"),
        ("COLOUR", "red"),
    ],
)
def test_convert_value_of_another_type_is_refused_without_showing_it(kind: str, given: Any) -> None:
    """ENG-359."""
    with pytest.raises(ValueTypeError) as caught:
        convert(kind, given)
    assert kind in str(caught.value)
    assert "hunter2" not in str(caught.value)
