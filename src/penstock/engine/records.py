"""What the engine remembers: an execution, its task runs, their attempts. Frozen; a change makes a new record.

Fields are grouped by how they are stored: those set once at birth are written by the first insert only; the others may
change and are written by every update. A loop's items are set once, so that ten thousand children do not rewrite them
ten thousand times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from penstock.base.clock import Instant
from penstock.base.ids import derived_id
from penstock.engine.states import State, StateType

Labels = tuple[tuple[str, str], ...]
"""Label pairs in order; a later pair of the same key wins."""
Pins = Mapping[str, int]
"""Revisions of flows and templates whose tasks run inside an execution, by the name of the call's target."""
NO_PINS: Pins = {}
KINDS = ("NORMAL", "PLAYGROUND", "TEST")
"""What an execution may be made for (API-020)."""


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try of a task run (ENG-060)."""

    state: State
    worker_id: str | None = None
    log_file: str | None = None
    unconfirmed: bool = False
    """Whether what it ran may still run somewhere: nobody has confirmed that it was stopped (BEY-009)."""
    left: tuple[str, ...] = ()
    """What of it that is, as far as it is known: processes by their numbers, containers and pods by their names."""


OPEN_FLOW = "."
"""Letter of an execution that is waited for."""
LOOSE_FLOW = "-"
"""Letter of one that runs by itself."""


class StartedFlows(msgspec.Struct, frozen=True):
    """The executions that a task run has started: one letter each, so that ten thousand of them stay small.

    Their ids are derived from the task run, the salt and their position; whoever retried itself as another execution
    goes on under the position of its first try (BEY-007).
    """

    salt: str
    """Tells the executions of one run of the task from those of an earlier one."""
    letters: str = ""
    """By position: waited for, by itself, or the first letter of the state it ended in."""

    def id_of(self, run: TaskRun, position: int) -> str:
        """Return the id of the execution at a position."""
        return derived_id(run.execution_id, run.id, self.salt, str(position), "child")

    def marked(self, position: int, letter: str) -> StartedFlows:
        """Return the same with another letter at a position, which may be the next free one."""
        return StartedFlows(self.salt, self.letters[:position] + letter + self.letters[position + 1 :])

    def letter(self, position: int) -> str:
        """Return the letter at a position; empty when nothing was started there."""
        return self.letters[position : position + 1]

    def count(self, state: StateType) -> int:
        """Return how many ended in a state."""
        return self.letters.count(state.value[0])

    def positions(self, states: Iterable[StateType]) -> tuple[int, ...]:
        """Return the positions of those that ended in one of some states."""
        wanted = {state.value[0] for state in states}
        return tuple(position for position, letter in enumerate(self.letters) if letter in wanted)

    @property
    def open(self) -> tuple[int, ...]:
        """The positions of those that are waited for."""
        return tuple(position for position, letter in enumerate(self.letters) if letter == OPEN_FLOW)


AGAIN = "again"
"""In the memory of a scope of a replay: children (task, value, iteration) that wait to begin again."""


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
    closed: bool = False
    """Whether nothing more begins in its phase, and what runs in it goes on to its end (`Exit`)."""
    memory: Mapping[str, Any] = {}
    """What the flowable itself keeps: the branch it took, the index of the next value, ..."""
    flows: StartedFlows | None = None
    """The executions it has started."""


class TriggerOrigin(msgspec.Struct, frozen=True, omit_defaults=True):
    """What started an execution, as `trigger` in expressions and in the API (API-030)."""

    id: str
    type: str
    variables: Mapping[str, Any] = {}
    log_file: str | None = None


class Parent(msgspec.Struct, frozen=True, omit_defaults=True):
    """The task run of another execution that waits for this one."""

    execution_id: str
    task_run_id: str
    iteration: int | None = None
    outputs: Mapping[str, Any] | None = None
    """Expressions that it wants to know of this execution, in older flows; one with outputs of its own tells those."""


class TaskFixture(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a task does in a test instead of running (GOV-321)."""

    state: StateType = StateType.SUCCESS
    outputs: Mapping[str, Any] = {}
    """They may hold expressions."""


class Fixtures(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands in for the real thing in one execution."""

    tasks: Mapping[str, TaskFixture] = {}
    """By task id; for one value of a loop by `<task id>/<value>`."""
    files: Mapping[str, str] = {}
    """URIs by name, as `files` in the expressions of fixtures (GOV-323)."""
    is_partial: bool = False
    """Only a part of the flow runs, so that its outputs are not made."""

    def of(self, task_id: str, value: str | None = None) -> TaskFixture | None:
        """Return what stands in for a task run, if anything does."""
        named = self.tasks.get(f"{task_id}/{value}") if value is not None else None
        return named or self.tasks.get(task_id)


class Edits(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody changed when he had an execution replayed (BEY-042): for whoever asks later why it differs."""

    execution_id: str
    """The execution that was replayed."""
    by: str | None = None
    inputs: tuple[str, ...] = ()
    """Ids of the inputs that were given anew."""
    outputs: tuple[str, ...] = ()
    """Ids of the reused task runs whose outputs were given by hand."""
    skipped: tuple[str, ...] = ()
    """Ids of the tasks to skip."""


class Execution(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run of one revision of a flow (ENG-118, API-030)."""

    # set once
    id: str
    tenant: str
    namespace: str
    flow_id: str
    flow_revision: int
    """What it runs; only a restart with another revision changes it (BEY-008)."""
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
    fixtures: Fixtures | None = None
    """In tests and partial runs."""
    skip: tuple[str, ...] = ()
    """Ids of tasks that are skipped when their turn comes (BEY-042)."""
    edits: Edits | None = None
    """How it differs from the execution it replays (BEY-042)."""
    digest: str | None = None
    """What the request said that started it under an idempotency key (BEY-044)."""
    # changing
    breakpoints: tuple[str, ...] = ()
    """Where it stops before a task: `taskId`, or `taskId.value` inside a loop."""
    state: State = msgspec.field(default_factory=lambda: State(StateType.CREATED, ()))
    labels: Labels = ()
    variables: Mapping[str, Any] | None = None
    outputs: Mapping[str, Any] | None = None
    cursor: Cursor = Cursor()
    error: str | None = None
    """Why it failed where no task run says so (a disabled flow, outputs that cannot be rendered)."""
    confidential: tuple[str, ...] = ()
    """Calls that give the secrets its outputs hold, so that every worker hides them (BEY-061); never the secrets."""
    pins: Pins = {}
    """What its calls run: the latest revisions of the instant it began (BEY-008, BEY-037)."""
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
    edited: bool = False
    """Whether its outputs were given by hand, when its execution was made of an earlier one (BEY-042)."""


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
    """`counter`, `timer` or `gauge`."""
    name: str
    value: float
    date: Instant
    tags: Mapping[str, str] = {}
    kind: str = "NORMAL"
