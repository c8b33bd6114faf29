"""What the engine remembers: an execution, its task runs, their attempts. Frozen; a change makes a new record.

Fields are grouped by how they are stored: those set once at birth are written by the first insert only; the others may
change and are written by every update. A loop's items are set once, so that ten thousand children do not rewrite them
ten thousand times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.base.clock import Instant
from penstock.engine.states import State, StateType

Labels = tuple[tuple[str, str], ...]
"""Label pairs in order; a later pair of the same key wins."""


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try of a task run (ENG-060)."""

    state: State
    worker_id: str | None = None
    log_file: str | None = None


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a scope (a flowable task run, or the execution itself) has come.

    A scope walks its phases in order: `tasks`, then `errors` when a child failed, then `finally`; the execution adds
    `afterExecution`. Counters make an ended child cost the same however many children there are.
    """

    phase: str = "tasks"
    active: int = 0
    """Children that have begun and not ended."""
    failed: bool = False
    warned: bool = False
    killed: bool = False
    cancelled: bool = False
    memory: Mapping[str, Any] = {}
    """What the flowable itself keeps: the branch it took, the index of the next value, ..."""


class TriggerOrigin(msgspec.Struct, frozen=True, omit_defaults=True):
    """What started an execution, as `trigger` in expressions and in the API (API-030)."""

    id: str
    type: str
    variables: Mapping[str, Any] = {}
    log_file: str | None = None


class Parent(msgspec.Struct, frozen=True):
    """The task run of another execution that waits for this one."""

    execution_id: str
    task_run_id: str
    iteration: int | None = None


class Execution(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run of one revision of a flow (ENG-118, API-030)."""

    # set once
    id: str
    tenant: str
    namespace: str
    flow_id: str
    flow_revision: int
    created: Instant
    """When this record came to be; its id sorts by it."""
    original_id: str
    original_created: Instant
    inputs: Mapping[str, Any] | None = None
    trigger: TriggerOrigin | None = None
    parent: Parent | None = None
    schedule_date: Instant | None = None
    kind: str = "NORMAL"
    attempt_number: int = 1
    firing_key: str | None = None
    """Unique when given: one firing of one trigger makes one execution (BEY-006)."""
    breakpoints: tuple[str, ...] = ()
    # changing
    state: State = msgspec.field(default_factory=lambda: State(StateType.CREATED, ()))
    labels: Labels = ()
    variables: Mapping[str, Any] | None = None
    outputs: Mapping[str, Any] | None = None
    cursor: Cursor = Cursor()
    error: str | None = None
    """Why it failed where no task run says so (a disabled flow, outputs that cannot be rendered)."""
    version: int = 0
    """Grows with every stored change; followers use it to know what they have seen."""


class TaskRun(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run of one task within an execution (ENG-059, API-032)."""

    # set once
    id: str
    execution_id: str
    task_id: str
    parent_id: str | None = None
    value: str | None = None
    """The loop value, on direct children of a loop only (ENG-422)."""
    iteration: int | None = None
    items: tuple[str, ...] | None = None
    """What a loop iterates over."""
    sequence: int = 0
    """Position in the order in which the execution's task runs were created."""
    # changing
    state: State = msgspec.field(default_factory=lambda: State(StateType.CREATED, ()))
    attempts: tuple[Attempt, ...] = ()
    outputs: Mapping[str, Any] | None = None
    cursor: Cursor | None = None
    """Only on flowable task runs."""
    dynamic: bool = False


class LogLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One log entry (API-036)."""

    tenant: str
    namespace: str
    flow_id: str
    date: Instant
    level: str
    """ERROR, WARN, INFO, DEBUG or TRACE."""
    message: str
    execution_id: str | None = None
    task_id: str | None = None
    task_run_id: str | None = None
    attempt: int | None = None
    trigger_id: str | None = None
    thread: str | None = None
    kind: str = "NORMAL"


class Metric(msgspec.Struct, frozen=True, omit_defaults=True):
    """One number a task reported (ENG-062, API-036); timers are in seconds."""

    tenant: str
    namespace: str
    flow_id: str
    execution_id: str
    task_id: str
    task_run_id: str
    type: str
    """`counter` or `timer`."""
    name: str
    value: float
    date: Instant
    tags: Mapping[str, str] = {}
    kind: str = "NORMAL"
