"""A limit on guessing passwords: too many failures from one address for one name, and it has to wait."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from penstock.base.clock import SECOND, Instant, Micros
from penstock.base.errors import UnauthorizedError


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
    window: Micros = 5 * 60 * SECOND
    duration: Micros = 30 * 60 * SECOND


@dataclass(slots=True)
class _Record:
    failures: deque[Instant] = field(default_factory=deque)
    locked_until: Instant = 0


class Lockout:
    """Failures by (name, address), the oldest forgotten first.

    The address is part of the key, so that nobody can lock somebody else out by guessing badly from afar.

    Args:
        rules: When to lock.
        capacity: How many (name, address) are remembered.
    """

    def __init__(self, rules: LockoutRules, capacity: int = 10_000) -> None:
        self._rules = rules
        self._capacity = capacity
        self._records: OrderedDict[tuple[str, str], _Record] = OrderedDict()

    def check(self, name: str, address: str, now: Instant) -> None:
        """Raise LockedOutError while the pair is locked out."""
        record = self._records.get((name, address))
        if record is not None and record.locked_until > now:
            raise LockedOutError(record.locked_until, now)

    def failed(self, name: str, address: str, now: Instant) -> None:
        """Take note of a failure."""
        record = self._records.setdefault((name, address), _Record())
        self._records.move_to_end((name, address))
        failures = record.failures
        failures.append(now)
        while failures[0] < now - self._rules.window:
            failures.popleft()
        if len(failures) >= self._rules.threshold:
            record.locked_until = now + self._rules.duration
            failures.clear()
        while len(self._records) > self._capacity:
            self._records.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of the pair."""
        self._records.pop((name, address), None)
