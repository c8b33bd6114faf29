"""A limit on guessing passwords: too many failures from one address for one name, and it has to wait."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from penstock.base.clock import SECOND, Instant, Micros
from penstock.base.errors import UnauthorizedError
from penstock.base.recent import Recent


class LockedOutError(UnauthorizedError):
    """Too many failed logins; even the right password has to wait now. Rendered as HTTP 429."""

    code = "LOCKED_OUT"

    def __init__(self, until: Instant, now: Instant) -> None:
        self.retry_after = max(1, -(-(until - now) // SECOND))
        super().__init__("too many failed logins", hint=f"try again in {self.retry_after} seconds")


@dataclass(frozen=True, slots=True)
class LockoutRules:
    """When to lock and for how long (MIG-061)."""

    threshold: int = 10
    by_address: int = 100
    """Failures of one address, whatever the names: guessing gets no faster with a new name each time."""
    pause: Micros = 60 * SECOND
    """How long such an address waits: many people may be behind it."""
    window: Micros = 5 * 60 * SECOND
    duration: Micros = 30 * 60 * SECOND


@dataclass(slots=True)
class _Record:
    failures: deque[Instant] = field(default_factory=deque)
    locked_until: Instant = 0


class _Counts:
    """Failures by key; the keys asked for longest ago are forgotten."""

    def __init__(self, threshold: int, window: Micros, duration: Micros, capacity: int) -> None:
        self._threshold = threshold
        self._window = window
        self._duration = duration
        self._records: Recent[str, _Record] = Recent(capacity)

    def check(self, key: str, now: Instant) -> None:
        record = self._records.get(key)
        if record is not None and record.locked_until > now:
            raise LockedOutError(record.locked_until, now)

    def failed(self, key: str, now: Instant) -> None:
        record = self._records.of(key, _Record)
        failures = record.failures
        failures.append(now)
        while failures[0] < now - self._window:
            failures.popleft()
        if len(failures) >= self._threshold:
            record.locked_until = now + self._duration
            failures.clear()

    def forget(self, key: str) -> None:
        self._records.forget(key)


class Lockout:
    """Failures by (name, address), and by address alone.

    The address is part of the key, so that nobody can lock somebody else out by guessing badly from afar.

    Args:
        rules: When to lock.
        capacity: How many (name, address) are remembered.
    """

    def __init__(self, rules: LockoutRules, capacity: int = 10_000) -> None:
        self._pairs = _Counts(rules.threshold, rules.window, rules.duration, capacity)
        self._addresses = _Counts(rules.by_address, rules.window, rules.pause, capacity)

    def check(self, name: str, address: str, now: Instant) -> None:
        """Raise LockedOutError while the pair, or the address, is locked out."""
        self.check_pair(name, address, now)
        self._addresses.check(address, now)

    def check_pair(self, name: str, address: str, now: Instant) -> None:
        """Raise LockedOutError while the pair is locked out, whoever else at the address guesses at other names."""
        self._pairs.check(_pair(name, address), now)

    def failed(self, name: str, address: str, now: Instant) -> None:
        """Take note of a failure."""
        self._pairs.failed(_pair(name, address), now)
        self._addresses.failed(address, now)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of the pair."""
        self._pairs.forget(_pair(name, address))


def _pair(name: str, address: str) -> str:
    return f"{address} {name}"
