"""Credentials and sessions."""

from __future__ import annotations

import pytest

from penstock.base.clock import SECOND
from penstock.services.auth import Credentials, generate_password, problems_of
from penstock.services.auth.sessions import Sessions, decode_basic

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


def test_session_ends_with_its_lifetime() -> None:
    sessions = Sessions("secret", "hash", lifetime=60 * SECOND)
    cookie = sessions.issue(EMAIL, 0)
    assert sessions.read(cookie, 59 * SECOND) == EMAIL
    assert sessions.read(cookie, 61 * SECOND) is None


def test_session_ends_when_the_password_changes() -> None:
    cookie = Sessions("secret", "hash").issue(EMAIL, 0)
    assert Sessions("secret", "hash").read(cookie, 1) == EMAIL
    assert Sessions("secret", "other hash").read(cookie, 1) is None
    assert Sessions("other secret", "hash").read(cookie, 1) is None


@pytest.mark.parametrize("cookie", ["", ".", "..", "a.b.c", "99999999999.YWRh.", "99999999999..x"])
def test_session_that_is_forged_is_nobody(cookie: str) -> None:
    assert Sessions("secret", "hash").read(cookie, 0) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [("YTpi", ("a", "b")), ("YTpiOmM=", ("a", "b:c")), ("YQ==", None), ("!", None), ("/w==", None)],
)
def test_basic_credentials_are_decoded(value: str, expected: tuple[str, str] | None) -> None:
    assert decode_basic(value) == expected
