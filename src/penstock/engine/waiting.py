"""What an execution waits for, and whether anything at all will move it on. Pure: rows in, reasons out.

An execution goes on when a job ends, a timer comes due, an event in its inbox is decided on, an execution it waits for
ends, a slot becomes free, or somebody lets it go on. What has none of these is adrift: it would stay as it is for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from penstock.base.clock import Instant
from penstock.engine.decision import Job, Timer
from penstock.engine.records import Execution, TaskRun
from penstock.engine.states import StateType

DEADLINE = "sla"
"""Timers of this purpose watch an execution; they do not move it."""


class Reason(StrEnum):
    """What an execution, or a task run of it, waits for."""

    EVENT = "EVENT"
    """An event in its inbox is to be decided on by an executor."""
    DATE = "DATE"
    """The date it is to begin."""
    SLOT = "SLOT"
    """A slot of a concurrency limit."""
    WORKER = "WORKER"
    """A worker that takes a job."""
    TASK = "TASK"
    """The end of an attempt that a worker runs."""
    RETRY = "RETRY"
    """The instant of the next attempt."""
    TIMER = "TIMER"
    """An instant that a task waits for."""
    PAUSE = "PAUSE"
    """Somebody who resumes it."""
    BREAKPOINT = "BREAKPOINT"
    """Somebody who lets it go on from a breakpoint."""
    CHILD = "CHILD"
    """The end of an execution that it has started."""
    NOTHING = "NOTHING"
    """Nothing will ever move it."""


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job and who has it."""

    job: Job
    owner: str | None


@dataclass(frozen=True, slots=True)
class ChildExecution:
    """An execution that another waits for: the last one, where it was tried anew."""

    id: str
    state: StateType
    is_live: bool
    events: int = 0
    """How many events wait for it."""


@dataclass(frozen=True, slots=True)
class Situation:
    """An execution with everything that may move it, as of one instant."""

    execution: Execution
    task_runs: Sequence[TaskRun]
    jobs: Sequence[QueuedJob] = ()
    timers: Sequence[Timer] = ()
    events: int = 0
    """How many events wait for it."""
    children: Mapping[str, ChildExecution] = field(default_factory=dict)
    """By the id under which the execution knows them."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing an execution waits for."""

    reason: Reason
    since: Instant
    task_id: str | None = None
    task_run_id: str | None = None
    attempt: int | None = None
    until: Instant | None = None
    job: QueuedJob | None = None
    child_id: str | None = None
    iteration: int | None = None


def is_over(execution: Execution) -> bool:
    """Return whether an execution has ended with all that runs after its end."""
    return execution.state.is_terminal and execution.cursor.phase != "afterExecution"


def waits(situation: Situation) -> tuple[Wait, ...]:
    """Return what an execution waits for; nothing when it is over. Implements BEY-001 and BEY-002's reasons."""
    execution = situation.execution
    if is_over(execution):
        return ()
    found = [*_events(situation), *_of_the_whole(situation)]
    if execution.state.current not in (StateType.CREATED, StateType.QUEUED):
        found += _of_task_runs(situation)
    if not found:
        return (Wait(Reason.NOTHING, _since(execution)),)
    if situation.events:  # deciding on it may be what moves the rest
        return tuple(one for one in found if one.reason is not Reason.NOTHING)
    return tuple(found)


def adrift(situation: Situation) -> tuple[Wait, ...]:
    """Return where an execution waits for nothing, if it does."""
    return tuple(one for one in waits(situation) if one.reason is Reason.NOTHING)


def _events(situation: Situation) -> Iterator[Wait]:
    if situation.events:
        yield Wait(Reason.EVENT, _since(situation.execution))


def _of_the_whole(situation: Situation) -> Iterator[Wait]:
    execution = situation.execution
    since = _since(execution)
    state = execution.state.current
    if state is StateType.CREATED:
        date = _due(situation, "start", None)
        if date is not None:
            yield Wait(Reason.DATE, since, until=date)
    elif state is StateType.QUEUED:
        yield Wait(Reason.SLOT, since)
    elif execution.cursor.memory.get("stopped"):
        yield Wait(Reason.BREAKPOINT, since)
    elif execution.cursor.memory.get("held"):
        yield Wait(Reason.PAUSE, since)


def _of_task_runs(situation: Situation) -> Iterator[Wait]:
    """Yield what the innermost open task runs wait for; those around them wait for these."""
    is_open = {run.id: run for run in situation.task_runs if not run.state.is_terminal}
    around = {run.parent_id for run in is_open.values()}
    for run in is_open.values():
        children = tuple(_children(situation, run))
        yield from children
        if run.id in around:
            continue
        known = Wait(Reason.NOTHING, run.state.histories[-1].date, run.task_id, run.id)
        moved = tuple(_moving(situation, run, known))
        if moved or children:
            yield from moved
        elif not _is_kept(situation.execution, run):
            yield known


def _moving(situation: Situation, run: TaskRun, known: Wait) -> Iterator[Wait]:
    """Yield what moves a task run that no other open one is in."""
    for queued in situation.jobs:
        if queued.job.task_run_id == run.id:
            reason = Reason.WORKER if queued.owner is None else Reason.TASK
            since = _attempt_began(run, queued.job) if reason is Reason.TASK else queued.job.created
            yield replace(known, reason=reason, since=since, attempt=queued.job.attempt, job=queued)
    state = run.state.current
    due = _due(situation, "flowable", run.id)
    if state is StateType.PAUSED:
        yield replace(known, reason=Reason.PAUSE if due is None else Reason.TIMER, until=due)
    elif due is not None:
        yield replace(known, reason=Reason.TIMER, until=due)
    if state is StateType.RETRYING and (due := _due(situation, "retry", run.id)) is not None:
        yield replace(known, reason=Reason.RETRY, until=due, attempt=len(run.attempts) + 1)


def _children(situation: Situation, run: TaskRun) -> Iterator[Wait]:
    """Yield the executions that a task run waits for; one that has ended unheard moves nothing."""
    flows = run.cursor.flows if run.cursor is not None else None
    if flows is None:
        return
    for position in flows.open:
        child_id = flows.id_of(run, position)
        child = situation.children.get(child_id)
        moves = child is not None and (child.is_live or child.events > 0)
        yield Wait(
            Reason.CHILD if moves else Reason.NOTHING,
            run.state.histories[-1].date,
            run.task_id,
            run.id,
            child_id=child_id,
            iteration=position,
        )


def _is_kept(execution: Execution, run: TaskRun) -> bool:
    """Return whether a task run has not begun because somebody or a breakpoint holds its execution."""
    memory = execution.cursor.memory
    return run.state.current in (StateType.CREATED, StateType.RESTARTED) and bool(
        memory.get("held") or memory.get("stopped")
    )


def _due(situation: Situation, purpose: str, run_id: str | None) -> Instant | None:
    found = (one.due for one in situation.timers if one.purpose == purpose and one.task_run_id == run_id)
    return next(found, None)


def _attempt_began(run: TaskRun, job: Job) -> Instant:
    begun = run.attempts[job.attempt - 1 :]
    return begun[0].state.start if begun else job.created


def _since(execution: Execution) -> Instant:
    return execution.state.histories[-1].date
