"""Credentials."""

from __future__ import annotations

import pytest

from penstock.services.auth import Credentials, generate_password, problems_of
from penstock.services.auth.credentials import decode_basic

EMAIL = "ada@example.com"


@pytest.mark.parametrize(
    ("username", "password", "count"),
    [
        (EMAIL, "Admin1234", 0),
        ("admin", "Admin1234", 1),
        ("a@b", "Admin1234", 1),
        (EMAIL, "Short1a", 1),
        (EMAIL, "nouppercase1", 1),
        (EMAIL, "NOLOWERCASE1", 1),
        (EMAIL, "NoDigitsHere", 1),
        ("admin", "kestra", 2),
        ("", "", 2),
    ],
)
def test_credentials_are_judged_by_the_rules(username: str, password: str, count: int) -> None:
    """MIG-060, OPS-077."""
    assert len(problems_of(Credentials(username, password))) == count


def test_password_generated_meets_the_rules_and_differs_each_time() -> None:
    passwords = {generate_password() for _ in range(50)}
    assert len(passwords) == 50
    assert all(not problems_of(Credentials(EMAIL, one)) for one in passwords)


def test_credentials_shown_in_a_log_hide_the_password() -> None:
    assert "Admin1234" not in repr(Credentials(EMAIL, "Admin1234"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("YTpi", ("a", "b")), ("YTpiOmM=", ("a", "b:c")), ("YQ==", None), ("!", None), ("/w==", None)],
)
def test_basic_credentials_are_decoded(value: str, expected: tuple[str, str] | None) -> None:
    assert decode_basic(value) == expected
