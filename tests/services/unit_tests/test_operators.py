"""What assertions can ask of a value."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.model.suites import OPERATORS
from penstock.services.unit_tests.operators import TESTS


def test_operators_of_the_language_are_all_there() -> None:
    """GOV-327."""
    assert set(TESTS) == set(OPERATORS)


@pytest.mark.parametrize(
    ("operator", "actual", "expected"),
    [
        ("isNull", None, True),
        ("isNull", "x", False),
        ("isNotNull", "", True),
        ("isNotNull", None, False),
        ("equalTo", "200", 200),
        ("equalTo", "200.0", 200),
        ("equalTo", "true", True),
        ("equalTo", '["A","B"]', ["A", "B"]),
        ("equalTo", None, None),
        ("notEqualTo", "500", 200),
        ("notEqualTo", None, 200),
        ("startsWith", "kestra:///x", "kestra://"),
        ("endsWith", "a.csv", ".csv"),
        ("contains", "[MY-PRODUCT-1]", "MY-PRODUCT-1"),
        ("contains", "12", 2),
        ("greaterThan", "10", 9),
        ("greaterThan", "b", "a"),
        ("greaterThan", "2026-01-01T12:00:00+01:00", "2026-01-01T10:59:00Z"),
        ("greaterThanOrEqualTo", "10", 10.0),
        ("lessThan", "9", "10"),
        ("lessThanOrEqualTo", "9", 9),
        ("in", "200", [200, 201]),
        ("notIn", "500", [200, "x"]),
    ],
)
def test_operator_of_a_value_that_meets_it_holds(operator: str, actual: Any, expected: Any) -> None:
    """GOV-327, GOV-329, USE-B121."""
    assert TESTS[operator](actual, expected)


@pytest.mark.parametrize(
    ("operator", "actual", "expected"),
    [
        ("isNull", "", True),
        ("equalTo", "abc", 200),
        ("equalTo", None, "null"),
        ("equalTo", "1", True),
        ("notEqualTo", "200", 200),
        ("contains", None, ""),
        ("greaterThan", "9", "10"),
        ("lessThan", None, 1),
        ("in", "3", [1, 2]),
        ("notIn", "2", [1, 2]),
    ],
)
def test_operator_of_a_value_that_does_not_meet_it_fails(operator: str, actual: Any, expected: Any) -> None:
    """GOV-327."""
    assert not TESTS[operator](actual, expected)
