"""States of executions and task runs, and which may follow which (ENG-137 to ENG-151, API-031).

One enum serves both kinds; one table per kind says what may follow what. The engine, the API and the interface read
the same tables. An illegal step raises `IllegalTransition`; it is never papered over.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from penstock.base.clock import Instant
from penstock.base.errors import ConflictError


class StateType(StrEnum):
    """Every state an execution or a task run can be in, with its documented name."""

    CREATED = "CREATED"
    SUBMITTED = "SUBMITTED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    BREAKPOINT = "BREAKPOINT"
    RESTARTED = "RESTARTED"
    RETRYING = "RETRYING"
    RESUBMITTED = "RESUBMITTED"
    KILLING = "KILLING"
    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    FAILED = "FAILED"
    KILLED = "KILLED"
    CANCELLED = "CANCELLED"
    RETRIED = "RETRIED"
    SKIPPED = "SKIPPED"


S = StateType

TERMINAL: frozenset[StateType] = frozenset(
    {S.SUCCESS, S.WARNING, S.FAILED, S.KILLED, S.CANCELLED, S.RETRIED, S.SKIPPED}
)
"""States that nothing leaves by itself; only a restart, a replay or a hand changes them."""

FAILURES: frozenset[StateType] = frozenset({S.FAILED, S.KILLED, S.CANCELLED})
GOOD: frozenset[StateType] = frozenset({S.SUCCESS, S.WARNING, S.SKIPPED})
"""Ends after which a flow goes on."""

_ENDS = (S.SUCCESS, S.WARNING, S.FAILED, S.KILLED, S.CANCELLED)

EXECUTION_TRANSITIONS: dict[StateType, frozenset[StateType]] = {
    S.CREATED: frozenset({S.RUNNING, S.QUEUED, S.CANCELLED, S.FAILED, S.KILLING, S.KILLED, S.PAUSED, S.SUCCESS}),
    S.QUEUED: frozenset({S.RUNNING, S.CANCELLED, S.FAILED, S.KILLING, S.KILLED, S.CREATED}),
    S.RUNNING: frozenset({*_ENDS, S.PAUSED, S.BREAKPOINT, S.KILLING, S.RETRYING, S.RETRIED, S.RESTARTED}),
    S.PAUSED: frozenset({S.RUNNING, S.BREAKPOINT, S.KILLING, S.RETRIED, *_ENDS}),
    S.BREAKPOINT: frozenset({S.RUNNING, S.PAUSED, S.KILLING, S.RETRIED, *_ENDS}),
    S.RESTARTED: frozenset({S.RUNNING, S.KILLING, S.KILLED, S.QUEUED, *_ENDS}),
    S.RETRYING: frozenset({S.RUNNING, S.KILLING, *_ENDS, S.RETRIED}),
    S.KILLING: frozenset({S.KILLED, S.CANCELLED, S.FAILED}),
    S.SUCCESS: frozenset({S.RESTARTED, *_ENDS}) - {S.SUCCESS},
    S.WARNING: frozenset({S.RESTARTED, *_ENDS}) - {S.WARNING},
    S.FAILED: frozenset({S.RESTARTED, S.RETRYING, S.RETRIED, *_ENDS}) - {S.FAILED},
    S.KILLED: frozenset({S.RESTARTED, *_ENDS}) - {S.KILLED},
    S.CANCELLED: frozenset({S.RESTARTED, *_ENDS}) - {S.CANCELLED},
    S.RETRIED: frozenset(),
}
"""What may follow each state of an execution; terminal ones are left only by restart or by hand."""

TASK_RUN_TRANSITIONS: dict[StateType, frozenset[StateType]] = {
    S.CREATED: frozenset({S.SUBMITTED, S.RUNNING, S.SKIPPED, S.KILLED, S.KILLING, S.PAUSED, *_ENDS}),
    S.SUBMITTED: frozenset({S.RUNNING, S.KILLING, S.RETRYING, S.RETRIED, S.RESUBMITTED, *_ENDS}),
    S.RESUBMITTED: frozenset({S.RUNNING, S.KILLING, S.RETRYING, S.RETRIED, *_ENDS}),
    S.RUNNING: frozenset({S.PAUSED, S.KILLING, S.RETRYING, S.RETRIED, S.RESUBMITTED, S.RESTARTED, *_ENDS}),
    S.PAUSED: frozenset({S.RUNNING, S.KILLING, *_ENDS}),
    S.RETRYING: frozenset({S.SUBMITTED, S.RUNNING, S.KILLING, S.KILLED, *_ENDS}),
    S.RESTARTED: frozenset({S.SUBMITTED, S.RUNNING, S.KILLING, S.SKIPPED, S.PAUSED, *_ENDS}),
    S.KILLING: frozenset({S.KILLED, S.FAILED, S.SUCCESS, S.WARNING, S.CANCELLED}),
    S.SUCCESS: frozenset({S.RESTARTED, S.FAILED, S.WARNING, S.RUNNING}),
    S.WARNING: frozenset({S.RESTARTED, S.FAILED, S.SUCCESS, S.RUNNING}),
    S.FAILED: frozenset({S.RESTARTED, S.RETRYING, S.RETRIED, S.SUCCESS, S.WARNING, S.RUNNING}),
    S.KILLED: frozenset({S.RESTARTED, S.SUCCESS, S.WARNING, S.FAILED, S.RUNNING}),
    S.CANCELLED: frozenset({S.RESTARTED, S.RUNNING}),
    S.RETRIED: frozenset(),
    S.SKIPPED: frozenset({S.RESTARTED}),
}
"""What may follow each state of a task run."""


class IllegalTransition(ConflictError):
    """A state was asked to follow one it cannot follow."""

    code = "ILLEGAL_TRANSITION"

    def __init__(self, kind: str, before: StateType, after: StateType) -> None:
        super().__init__(f"{kind} in state {before} cannot become {after}")
        self.before = before
        self.after = after


class Change(msgspec.Struct, frozen=True, array_like=True):
    """One entry of a state's history."""

    state: StateType
    date: Instant


class State(msgspec.Struct, frozen=True):
    """A current state and how it came about; the history is never empty and never shared for writing."""

    current: StateType
    histories: tuple[Change, ...]

    @classmethod
    def at(cls, state: StateType, now: Instant) -> State:
        """Return a state that begins its history now."""
        return cls(state, (Change(state, now),))

    def to(self, state: StateType, now: Instant) -> State:
        """Return the state after one more change, without asking whether it is legal (see `follow`)."""
        return State(state, (*self.histories, Change(state, now)))

    @property
    def start(self) -> Instant:
        """When the history began."""
        return self.histories[0].date

    @property
    def end(self) -> Instant | None:
        """When the terminal state was reached; None while it is open."""
        return self.histories[-1].date if self.current in TERMINAL else None

    @property
    def is_terminal(self) -> bool:
        """Whether the state is one that nothing leaves by itself."""
        return self.current in TERMINAL


def follow_execution(state: State, after: StateType, now: Instant) -> State:
    """Return an execution's state after a legal change.

    Raises:
        IllegalTransition: The table has no such step.
    """
    if after not in EXECUTION_TRANSITIONS[state.current]:
        raise IllegalTransition("an execution", state.current, after)
    return State(after, (*state.histories, Change(after, now)))


def follow_task_run(state: State, after: StateType, now: Instant) -> State:
    """Return a task run's state after a legal change.

    Raises:
        IllegalTransition: The table has no such step.
    """
    if after not in TASK_RUN_TRANSITIONS[state.current]:
        raise IllegalTransition("a task run", state.current, after)
    return State(after, (*state.histories, Change(after, now)))
