"""Everything that can happen to an execution. Frozen data: it can be stored, sent, repeated and replayed.

Every event is idempotent by nature: it names the task run and the attempt it speaks of, and `decide` ignores one that
speaks of the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.base.clock import Instant
from penstock.engine.records import Labels, Parent, TaskRun
from penstock.engine.states import StateType
from penstock.engine.variables import VariableChange


class Event(msgspec.Struct, frozen=True, tag_field="event", omit_defaults=True):
    """Base of all events; the tag `event` names the kind when stored as JSON."""


class Created(Event, frozen=True, tag="created"):
    """The execution exists and may begin."""

    reject: str | None = None
    """When set the execution is refused before its first task: this is why (disabled flow, checks)."""
    full: str | None = None
    """When set as many executions of the flow run as may, and this is what happens: QUEUE, CANCEL or FAIL (ENG-251)."""


class SlotFreed(Event, frozen=True, tag="slot_freed"):
    """A queued execution may begin now."""


class TaskStarted(Event, frozen=True, tag="task_started"):
    """A worker has begun an attempt."""

    task_run_id: str
    attempt: int
    worker_id: str
    started: Instant


class TaskEnded(Event, frozen=True, tag="task_ended"):
    """A worker has ended an attempt. May be the first that is heard of it."""

    task_run_id: str
    attempt: int
    """Number of the attempt, first is 1."""
    state: StateType
    started: Instant
    ended: Instant
    worker_id: str | None = None
    outputs: Mapping[str, Any] | None = None
    error: str | None = None
    retryable: bool = True
    children: tuple[TaskRun, ...] = ()
    """Task runs that ran inside the task (WorkingDirectory, dynamic tasks)."""
    labels: Labels = ()
    """Labels the task sets on its execution."""
    variables: tuple[VariableChange, ...] = ()
    """What the task changed on the execution's variables."""
    log_file: str | None = None
    confidential: tuple[str, ...] = ()
    """Calls that give the secrets in its outputs."""
    unconfirmed: bool = False
    """Whether it was told to end and yet may still run."""
    left: tuple[str, ...] = ()
    """What of it may, as far as that is known."""
    exit: StateType | None = None
    """The state in which the task wants its execution to end, without what follows."""


class TimerDue(Event, frozen=True, tag="timer_due"):
    """A timer that a decision set has come due."""

    purpose: str
    """`retry`, `pause`, `loop`, `start`, `sla`, ..."""
    task_run_id: str | None = None
    attempt: int = 0


class Kill(Event, frozen=True, tag="kill"):
    """Someone asked for the end of the execution (ENG-157)."""

    by: str | None = None
    cascade: bool = True
    """Whether the executions that its task runs wait for are killed too."""


class Abandon(Event, frozen=True, tag="abandon"):
    """The execution is about to be deleted: it ends here and now, whatever still runs for it (ENG-256)."""

    by: str | None = None


class GiveUp(Event, frozen=True, tag="give_up"):
    """Nothing would ever move the execution on: it fails, and says why (BEY-001)."""

    reason: str


class Pause(Event, frozen=True, tag="pause"):
    """Someone asked that nothing new begins."""

    by: str | None = None


class Resume(Event, frozen=True, tag="resume"):
    """Someone lets a paused execution go on, with the values asked for by `onResume` (ENG-095)."""

    inputs: Mapping[str, Any] = {}
    by: str | None = None
    task_run_id: str | None = None
    """Which pause; all of them when absent."""


class ResumeFromBreakpoint(Event, frozen=True, tag="resume_from_breakpoint"):
    """Someone lets an execution go on that stopped at a breakpoint."""

    breakpoints: tuple[str, ...] | None = None
    """Where it stops from now on; as before when absent."""
    by: str | None = None


class ForceRun(Event, frozen=True, tag="force_run"):
    """Someone has the execution go on whatever it waits for: a slot, a date, a resume."""

    by: str | None = None


class Unqueue(Event, frozen=True, tag="unqueue"):
    """Someone takes the execution out of the queue: it runs, or ends without running any task."""

    state: StateType = StateType.RUNNING
    by: str | None = None


class ChangeState(Event, frozen=True, tag="change_state"):
    """The state of an ended execution is set by hand; nothing runs because of it."""

    state: StateType
    by: str | None = None


class Restart(Event, frozen=True, tag="restart"):
    """Someone restarts an ended execution: failed task runs run again (ENG-153)."""

    revision: int | None = None
    """The revision to go on with; the one it has run by default."""
    by: str | None = None
    parent: Parent | None = None
    """The task run that restarts it and waits for its end (ENG-415)."""
    child_id: str = ""
    """The id under which that task run knows it."""


class ChangeTaskState(Event, frozen=True, tag="change_task_state"):
    """A task run's state is set by hand (ENG-096)."""

    task_run_id: str
    state: StateType
    by: str | None = None


class SetLabels(Event, frozen=True, tag="set_labels"):
    """Labels are set by hand (ENG-028)."""

    labels: Labels


class ChildStarted(Event, frozen=True, tag="child_started"):
    """An execution has been started for a task run of this one that does not wait for its end."""

    task_run_id: str
    child_id: str


class ChildEnded(Event, frozen=True, tag="child_ended"):
    """An execution that a task run of this one started has ended, or could not be started."""

    task_run_id: str
    child_id: str
    state: StateType
    outputs: Mapping[str, Any] | None = None
    iteration: int | None = None
    error: str | None = None
    """Why it could not be started."""
    stand_in: str | None = None
    """The execution that has ended, where an earlier one stands for that of the task run (BEY-044)."""
    confidential: tuple[str, ...] = ()
    """Calls that give the secrets in its outputs."""
    refused: str | None = None
    """Why it was ended before its first task."""


AnyEvent = (
    Created
    | SlotFreed
    | TaskStarted
    | TaskEnded
    | TimerDue
    | Kill
    | Abandon
    | GiveUp
    | Pause
    | Resume
    | ResumeFromBreakpoint
    | ForceRun
    | Unqueue
    | ChangeState
    | Restart
    | ChangeTaskState
    | SetLabels
    | ChildStarted
    | ChildEnded
)
