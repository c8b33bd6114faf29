"""The limit on guessing passwords."""

from __future__ import annotations

import pytest

from penstock.base.clock import SECOND
from penstock.services.auth import LockedOutError, Lockout, LockoutRules

RULES = LockoutRules(threshold=3, window=60 * SECOND, duration=600 * SECOND)


def fail(lockout: Lockout, *moments: int, name: str = "ada", address: str = "1.1.1.1") -> None:
    for moment in moments:
        lockout.failed(name, address, moment * SECOND)


def test_lockout_after_the_threshold_lasts_as_long_as_the_rules_say() -> None:
    """MIG-061."""
    lockout = Lockout(RULES)
    fail(lockout, 0, 1)
    lockout.check("ada", "1.1.1.1", 1 * SECOND)
    fail(lockout, 2)
    with pytest.raises(LockedOutError) as caught:
        lockout.check("ada", "1.1.1.1", 2 * SECOND)
    assert caught.value.retry_after == 600
    lockout.check("ada", "1.1.1.1", 602 * SECOND)


def test_lockout_does_not_count_failures_outside_the_window() -> None:
    lockout = Lockout(RULES)
    fail(lockout, 0, 1, 70)
    lockout.check("ada", "1.1.1.1", 70 * SECOND)


def test_lockout_of_one_address_leaves_others_alone() -> None:
    lockout = Lockout(RULES)
    fail(lockout, 0, 1, 2)
    lockout.check("ada", "2.2.2.2", 2 * SECOND)
    lockout.check("bob", "1.1.1.1", 2 * SECOND)


def test_lockout_forgets_failures_after_a_success() -> None:
    lockout = Lockout(RULES)
    fail(lockout, 0, 1)
    lockout.succeeded("ada", "1.1.1.1")
    fail(lockout, 2, 3)
    lockout.check("ada", "1.1.1.1", 3 * SECOND)


def test_lockout_remembers_a_bounded_number_of_guessers() -> None:
    lockout = Lockout(RULES, capacity=2)
    for name in ("a", "b", "c"):
        fail(lockout, 0, 1, name=name)
    fail(lockout, 2, name="a")  # its first failures are forgotten
    lockout.check("a", "1.1.1.1", 2 * SECOND)
    fail(lockout, 2, name="c")
    with pytest.raises(LockedOutError):
        lockout.check("c", "1.1.1.1", 2 * SECOND)


def test_lockout_of_an_address_that_tries_many_names_is_short() -> None:
    """OPS-181: guessing gets no faster with a new name each time."""
    lockout = Lockout(LockoutRules(threshold=3, by_address=4, pause=60 * SECOND))
    for number in range(4):
        fail(lockout, number, name=f"user{number}")
    with pytest.raises(LockedOutError) as caught:
        lockout.check("nobody-yet", "1.1.1.1", 4 * SECOND)
    assert caught.value.retry_after == 59
    lockout.check("nobody-yet", "2.2.2.2", 4 * SECOND)
    lockout.check("nobody-yet", "1.1.1.1", 63 * SECOND)
