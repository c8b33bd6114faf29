"""Retries of task runs: whether and when a failed attempt is tried again (ENG-235 to ENG-239)."""

from __future__ import annotations

import zlib

from penstock.base.clock import Instant, Micros
from penstock.engine.flow import RetryPolicy
from penstock.engine.records import TaskRun


def delay_after(policy: RetryPolicy, attempt: int, salt: str) -> Micros:
    """Return how long to wait after a failed attempt.

    Args:
        policy: The policy.
        attempt: Number of the attempt that failed, first is 1.
        salt: What stands in for chance in `random` policies: the same salt gives the same delay.
    """
    if policy.kind == "exponential":
        delay = round(policy.interval * policy.factor ** (attempt - 1))
        return delay if policy.max_interval is None else min(delay, policy.max_interval)
    if policy.kind == "random":
        span = max(0, (policy.max_interval or policy.interval) - policy.interval)
        return policy.interval + round(span * (zlib.crc32(f"{salt}:{attempt}".encode()) / 0xFFFFFFFF))
    return policy.interval


def retry_at(policy: RetryPolicy, run: TaskRun, now: Instant) -> Instant | None:
    """Return when the next attempt is due; None when the policy is exhausted (ENG-238, ENG-392)."""
    attempt = len(run.attempts)
    if policy.max_attempts is not None and attempt >= policy.max_attempts:
        return None
    due = now + delay_after(policy, attempt, run.id)
    first = run.attempts[0].state.start
    if policy.max_duration is not None and due - first > policy.max_duration:
        return None
    return due
