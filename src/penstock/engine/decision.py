"""What the engine decided, as data: rows to write and effects to carry out after they are written."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from penstock.base.clock import Instant
from penstock.engine.events import AnyEvent
from penstock.engine.flow import StartFlow
from penstock.engine.records import Execution, LogLine, TaskRun
from penstock.engine.states import StateType


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """Work for a worker: one attempt of one task run. Holds references, not the context (design, section 4)."""

    task_run_id: str
    attempt: int
    execution_id: str
    tenant: str
    namespace: str
    flow_id: str
    flow_revision: int
    task_id: str
    worker_group: str = ""
    """Empty: any worker of the default group."""
    fallback: str = "WAIT"
    """What happens to it when no worker of its group lives: WAIT, FAIL or CANCEL."""
    priority: int = 0
    """Those of a higher one are taken first."""
    turn: int = 0
    """Among jobs of one priority the lowest is taken first; given by the executor, so that flows share fairly."""
    created: Instant = 0
    quick: bool = False
    """Whether the task's type promises to need next to no time."""
    trigger_id: str | None = None
    """Set on the evaluation of a trigger; the execution is then the one it may start, the task run names it."""

    @property
    def key(self) -> tuple[str, int]:
        """The natural key: (task run, attempt)."""
        return (self.task_run_id, self.attempt)


class Timer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Wake the execution at an instant. One timer per (execution, purpose, task run); setting it again moves it."""

    execution_id: str
    due: Instant
    purpose: str
    task_run_id: str | None = None
    attempt: int = 0


class Message(msgspec.Struct, frozen=True):
    """An event for an execution that may live elsewhere."""

    execution_id: str
    event: AnyEvent


class Spawn(msgspec.Struct, frozen=True):
    """An execution to be created, already complete."""

    execution: Execution
    reject: str | None = None


@dataclass(frozen=True, slots=True)
class ChildFlow:
    """A flow to execute for a task run: the shell finds the flow, reads its inputs and creates the execution."""

    execution_id: str
    """The id the new execution gets; derived, so that deciding twice starts one."""
    run: TaskRun
    task_type: str
    start: StartFlow

    @property
    def task_run_id(self) -> str:
        """The task run that asks."""
        return self.run.id


class Killed(msgspec.Struct, frozen=True):
    """A job that must not run any more: deleted when nobody has it yet, interrupted where it runs."""

    execution_id: str
    task_run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one event. Everything in it is written in one transaction, then carried out."""

    execution: Execution | None = None
    """The execution as it is now; None when it did not change."""
    created: tuple[TaskRun, ...] = ()
    """Task runs to insert."""
    changed: tuple[TaskRun, ...] = ()
    """Task runs to update."""
    jobs: tuple[Job, ...] = ()
    kills: tuple[Killed, ...] = ()
    timers: tuple[Timer, ...] = ()
    cancelled_timers: tuple[tuple[str, str | None], ...] = ()
    """(purpose, task run id) of timers that no longer matter."""
    messages: tuple[Message, ...] = ()
    spawns: tuple[Spawn, ...] = ()
    children: tuple[ChildFlow, ...] = ()
    logs: tuple[LogLine, ...] = ()
    ended: StateType | None = field(default=None)
    """The terminal state, when this event brought the execution there."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return self.execution is None and not (self.created or self.changed or self.jobs or self.logs or self.timers)
