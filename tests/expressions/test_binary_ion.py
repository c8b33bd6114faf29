"""Binary Ion, as Ion's own library writes it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from amazon.ion import simpleion
from hypothesis import given
from hypothesis import strategies as some

from penstock.expressions import ExpressionError
from penstock.expressions.binary_ion import binary_as_text, from_binary_ion, is_binary_ion
from penstock.expressions.ion import from_ion

VALUES = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False)
    | some.text(some.characters(codec="utf-8"))
    | some.decimals(allow_nan=False, allow_infinity=False, places=3),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text("abc$é", min_size=1), inner, max_size=4),
    max_leaves=12,
)


def binary(text: str) -> bytes:
    """Return Ion text as the library writes it in binary."""
    rows = simpleion.loads(text, single_value=False)
    return bytes(simpleion.dumps(rows, binary=True, sequence_as_stream=True))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("{id:1,name:'Ada'} {id:2,name:\"Bob\"}", [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}]),
        ("null null.string true false", [None, None, True, False]),
        ("0 -1 123456789012345678901234567890", [0, -1, 123456789012345678901234567890]),
        ("0e0 1.5e0 -2.5e300", [0.0, 1.5, -2.5e300]),
        ("0d0 1.50 -0.001 5d3", [Decimal(0), Decimal("1.50"), Decimal("-0.001"), Decimal(5000)]),
        ("2024-02-29 2024T 2024-03T", [date(2024, 2, 29), "2024", "2024-03"]),
        ("2024-01-15T09:30:05.123Z", [datetime(2024, 1, 15, 9, 30, 5, 123000, tzinfo=UTC)]),
        ("2024-01-15T10:30+01:00", [datetime(2024, 1, 15, 10, 30, tzinfo=timezone(timedelta(hours=1)))]),
        ("2024-01-15T09:30:05-00:00", [datetime.fromisoformat("2024-01-15T09:30:05")]),
        ("[1,(a b),[]] {a:{b:[{c:1}]}}", [[1, ["a", "b"], []], {"a": {"b": [{"c": 1}]}}]),
        ("kept::{a:unit::3}", [{"a": 3}]),
        ("{{aGVsbG8=}} {{\"hello\"}}", ["aGVsbG8=", "hello"]),
        (f'"{"long " * 100}"', ["long " * 100]),
    ],
)  # fmt: skip
def test_binary_ion_gives_what_its_text_gives(text: str, rows: list[Any]) -> None:
    """EXP-153."""
    content = binary(text)
    assert is_binary_ion(content)
    assert from_binary_ion(content) == rows


@given(some.lists(VALUES, max_size=4))
def test_binary_ion_becomes_text_with_the_same_values(rows: list[Any]) -> None:
    """EXP-153."""
    content = bytes(simpleion.dumps(rows, binary=True, sequence_as_stream=True))
    assert from_binary_ion(content) == rows
    assert from_ion(binary_as_text(content)) == rows


def test_binary_ion_of_several_parts_learns_symbols_anew() -> None:
    """EXP-153."""
    assert from_binary_ion(binary("{one:1}") + binary("{two:2}")) == [{"one": 1}, {"two": 2}]
    assert from_binary_ion(b"\xe0\x01\x00\xea") == []
    assert from_binary_ion(b"\xe0\x01\x00\xea\x03\x00\x00\x00\x21\x05") == [5]  # padding is no row


@given(some.binary(max_size=40))
def test_binary_ion_that_is_broken_is_an_error(rest: bytes) -> None:
    """EXP-153: of one kind, whatever is wrong."""
    with suppress(ExpressionError):
        assert isinstance(from_binary_ion(b"\xe0\x01\x00\xea" + rest), list)


@pytest.mark.parametrize("rest", [b"\x88a", b"\x71\x7f", b"\xde\xff", b"\xf0", b"\xb1" * 300, b"\x43abc"])
def test_binary_ion_with_a_certain_fault_is_refused(rest: bytes) -> None:
    with pytest.raises(ExpressionError, match="binary Ion cannot be read"):
        from_binary_ion(b"\xe0\x01\x00\xea" + rest)
