"""Records to rows and back: which part of a record is a column, and which goes into its JSON texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from penstock.base.clock import Instant
from penstock.base.codec import to_json_text
from penstock.engine.decision import Job, Timer
from penstock.engine.events import AnyEvent
from penstock.engine.records import (
    Attempt,
    Cursor,
    Edits,
    Execution,
    Fixtures,
    Labels,
    LogLine,
    Metric,
    Parent,
    Pins,
    TaskRun,
    TriggerOrigin,
)
from penstock.engine.states import TERMINAL, Change, State, StateType
from penstock.ports.journal import partition_of
from penstock.store.bulk import Row

LEVELS = {"TRACE": 1, "DEBUG": 2, "INFO": 3, "WARN": 4, "ERROR": 5}
"""Log levels by weight, so that `at least` is a comparison."""
LEVEL_NAMES = {weight: name for name, weight in LEVELS.items()}


class ExecutionBirth(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an execution has from its beginning and keeps, beside its columns, and lists may show."""

    original_created: Instant
    trigger: TriggerOrigin | None = None
    parent_task_run: str | None = None
    attempt_number: int = 1
    parent_iteration: int | None = None
    skip: tuple[str, ...] = ()
    digest: str | None = None


class Received(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an execution was given and keeps, as large as it may be. Lists do not read it."""

    inputs: Mapping[str, Any] | None = None
    trigger_variables: Mapping[str, Any] = {}
    parent_outputs: Mapping[str, Any] | None = None
    fixtures: Fixtures | None = None
    edits: Edits | None = None


class ExecutionProgress(msgspec.Struct, frozen=True, omit_defaults=True):
    """What changes while an execution runs, beside its columns, and lists may show."""

    histories: tuple[Change, ...]
    cursor: Cursor = Cursor()
    error: str | None = None
    breakpoints: tuple[str, ...] = ()
    confidential: tuple[str, ...] = ()
    pins: Pins = {}


class Produced(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an execution has made so far, as large as it may be. Lists do not read it."""

    variables: Mapping[str, Any] | None = None
    outputs: Mapping[str, Any] | None = None


class TaskRunProgress(msgspec.Struct, frozen=True, omit_defaults=True):
    """What changes while a task runs, beside its columns."""

    histories: tuple[Change, ...]
    attempts: tuple[Attempt, ...] = ()
    outputs: Mapping[str, Any] | None = None
    cursor: Cursor | None = None
    edited: bool = False


_NOTHING_RECEIVED = Received()
_NOTHING_PRODUCED = Produced()
_BIRTH = msgspec.json.Decoder(ExecutionBirth)
_RECEIVED = msgspec.json.Decoder(Received)
_PROGRESS = msgspec.json.Decoder(ExecutionProgress)
_PRODUCED = msgspec.json.Decoder(Produced)
_RUN_PROGRESS = msgspec.json.Decoder(TaskRunProgress)
_LABELS = msgspec.json.Decoder(Labels)
_ITEMS = msgspec.json.Decoder(tuple[str, ...])
_TAGS = msgspec.json.Decoder(dict[str, str])
_EVENT: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_JOB = msgspec.json.Decoder(Job)


def body(value: Any) -> str:
    """Return a record's JSON text.

    What a task gave out may hold things JSON cannot say (half a surrogate pair, a tuple as a key). They are replaced
    rather than refused: one odd value must not keep a whole batch from being stored.
    """
    try:
        return to_json_text(value)
    except (TypeError, ValueError):
        return to_json_text(_storable(msgspec.to_builtins(value, enc_hook=str)))


def clean(text: str) -> str:
    """Return a text that every database stores: without NUL and without halves of surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): _storable(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_storable(one) for one in value]
    return value


# -- executions

EXECUTION_SET_ONCE = (
    "id",
    "tenant",
    "namespace",
    "flow_id",
    "created",
    "start_date",
    "partition",
    "original_id",
    "parent_execution_id",
    "trigger_id",
    "trigger_execution_id",
    "schedule_date",
    "kind",
    "firing_key",
    "birth",
    "received",
)
EXECUTION_CHANGING = ("flow_revision", "state", "end_date", "live", "version", "labels", "progress", "produced")
EXECUTION_HEAD = (
    "id",
    "tenant",
    "namespace",
    "flow_id",
    "flow_revision",
    "created",
    "original_id",
    "parent_execution_id",
    "schedule_date",
    "kind",
    "firing_key",
    "birth",
    "state",
    "version",
    "labels",
    "progress",
)
"""What lists read."""
EXECUTION_READ = (*EXECUTION_HEAD, "received", "produced")


def execution_row(execution: Execution) -> Row:
    """Return all columns of a new execution."""
    trigger, parent = execution.trigger, execution.parent
    birth = ExecutionBirth(
        execution.original_created,
        TriggerOrigin(trigger.id, trigger.type, {}, trigger.log_file) if trigger else None,
        parent.task_run_id if parent else None,
        execution.attempt_number,
        parent.iteration if parent else None,
        execution.skip,
        execution.digest,
    )
    received = Received(
        execution.inputs,
        trigger.variables if trigger else {},
        parent.outputs if parent else None,
        execution.fixtures,
        execution.edits,
    )
    triggering = trigger.variables.get("executionId") if trigger else None
    return (
        execution.id,
        execution.tenant,
        execution.namespace,
        execution.flow_id,
        execution.created,
        start_of(execution),
        partition_of(execution.id),
        execution.original_id,
        parent.execution_id if parent else None,
        trigger.id if trigger else None,
        triggering if isinstance(triggering, str) else None,
        execution.schedule_date,
        execution.kind,
        execution.firing_key,
        body(birth),
        None if received == _NOTHING_RECEIVED else body(received),
        *execution_changes(execution),
    )


def start_of(execution: Execution) -> Instant:
    """Return when an execution begins as its row says: it stays so whatever happens to it."""
    histories = execution.state.histories
    return histories[0].date if histories else execution.created


def execution_changes(execution: Execution) -> Row:
    """Return the changing columns of an execution."""
    state = execution.state
    progress = ExecutionProgress(
        state.histories,
        execution.cursor,
        execution.error,
        execution.breakpoints,
        execution.confidential,
        execution.pins,
    )
    has_produced = execution.variables is not None or execution.outputs is not None
    # Tasks of `afterExecution` and of listeners run when the state is terminal already.
    is_live = state.current not in TERMINAL or execution.cursor.phase in ("afterExecution", "listeners")
    return (
        execution.flow_revision,
        state.current.value,
        state.end if state.histories else None,
        is_live,
        execution.version,
        body(execution.labels),
        body(progress),
        body(Produced(execution.variables, execution.outputs)) if has_produced else None,
    )


def to_execution(row: Sequence[Any]) -> Execution:
    """Return the execution of a row of `EXECUTION_READ`, or one without bodies of a row of `EXECUTION_HEAD`."""
    (
        execution_id,
        tenant,
        namespace,
        flow_id,
        flow_revision,
        created,
        original_id,
        parent_id,
        schedule_date,
        kind,
        firing_key,
        birth_text,
        state,
        version,
        labels,
        progress_text,
        *bodies,
    ) = row
    birth = _BIRTH.decode(birth_text)
    progress = _PROGRESS.decode(progress_text)
    received_text, produced_text = bodies or (None, None)
    received = _NOTHING_RECEIVED if received_text is None else _RECEIVED.decode(received_text)
    produced = _NOTHING_PRODUCED if produced_text is None else _PRODUCED.decode(produced_text)
    trigger = birth.trigger
    if trigger is not None and received.trigger_variables:
        trigger = TriggerOrigin(trigger.id, trigger.type, received.trigger_variables, trigger.log_file)
    return Execution(
        id=execution_id,
        tenant=tenant,
        namespace=namespace,
        flow_id=flow_id,
        flow_revision=flow_revision,
        created=created,
        original_id=original_id,
        original_created=birth.original_created,
        inputs=received.inputs,
        trigger=trigger,
        parent=Parent(parent_id, birth.parent_task_run or "", birth.parent_iteration, received.parent_outputs)
        if parent_id is not None
        else None,
        schedule_date=schedule_date,
        kind=kind,
        attempt_number=birth.attempt_number,
        firing_key=firing_key,
        fixtures=received.fixtures,
        skip=birth.skip,
        edits=received.edits,
        digest=birth.digest,
        breakpoints=progress.breakpoints,
        state=State(StateType(state), progress.histories),
        labels=to_labels(labels),
        variables=produced.variables,
        outputs=produced.outputs,
        cursor=progress.cursor,
        error=progress.error,
        confidential=progress.confidential,
        pins=progress.pins,
        version=version,
    )


def to_labels(text: str) -> Labels:
    """Return the labels of an execution's row."""
    return _LABELS.decode(text)


def label_rows(execution: Execution) -> list[Row]:
    """Return the rows of an execution's labels; the last pair of a key wins."""
    return [(execution.id, clean(key), clean(value)) for key, value in dict(execution.labels).items()]


# -- task runs

TASK_RUN_COLUMNS = (
    "execution_id",
    "id",
    "task_id",
    "parent_id",
    "value",
    "iteration",
    "items",
    "sequence",
    "dynamic",
    "state",
    "progress",
)
TASK_RUN_CHANGING = ("dynamic", "state", "progress")


def task_run_row(run: TaskRun) -> Row:
    """Return all columns of a new task run."""
    return (
        run.execution_id,
        run.id,
        run.task_id,
        run.parent_id,
        clean(run.value) if run.value is not None else None,
        run.iteration,
        body(run.items) if run.items is not None else None,
        run.sequence,
        *task_run_changes(run),
    )


def task_run_changes(run: TaskRun) -> Row:
    """Return the changing columns of a task run."""
    progress = TaskRunProgress(run.state.histories, run.attempts, run.outputs, run.cursor, run.edited)
    return (run.dynamic, run.state.current.value, body(progress))


def to_task_run(row: Sequence[Any]) -> TaskRun:
    """Return the task run of a row of `TASK_RUN_COLUMNS`."""
    execution_id, run_id, task_id, parent_id, value, iteration, items, sequence, dynamic, state, progress_text = row
    progress = _RUN_PROGRESS.decode(progress_text)
    return TaskRun(
        id=run_id,
        execution_id=execution_id,
        task_id=task_id,
        parent_id=parent_id,
        value=value,
        iteration=iteration,
        items=_ITEMS.decode(items) if items is not None else None,
        sequence=sequence,
        state=State(StateType(state), progress.histories),
        attempts=progress.attempts,
        outputs=progress.outputs,
        cursor=progress.cursor,
        dynamic=bool(dynamic),
        edited=progress.edited,
    )


# -- jobs, timers, messages

JOB_COLUMNS = ("task_run_id", "attempt", "execution_id", "worker_group", "priority", "created", "owner", "body", "turn")
TIMER_COLUMNS = ("execution_id", "purpose", "task_run_id", "attempt", "partition", "due")
MESSAGE_COLUMNS = ("partition", "execution_id", "event")


def job_row(job: Job, owner: str | None) -> Row:
    """Return the columns of a job with the worker that has it."""
    return (
        job.task_run_id,
        job.attempt,
        job.execution_id,
        job.worker_group,
        job.priority,
        job.created,
        owner,
        body(job),
        job.turn,
    )


def to_job(text: str) -> Job:
    """Return the job of a row's body."""
    return _JOB.decode(text)


def timer_row(timer: Timer) -> Row:
    """Return the columns of a timer."""
    run_id = timer.task_run_id or ""
    return (timer.execution_id, timer.purpose, run_id, timer.attempt, partition_of(timer.execution_id), timer.due)


def message_row(execution_id: str, event: AnyEvent) -> Row:
    """Return the columns of a message."""
    return (partition_of(execution_id), execution_id, body(event))


def to_event(text: str) -> AnyEvent:
    """Return the event of a message's body."""
    return _EVENT.decode(text)


# -- logs, metrics

LOG_COLUMNS = (
    "tenant",
    "namespace",
    "flow_id",
    "execution_id",
    "task_id",
    "task_run_id",
    "attempt",
    "trigger_id",
    "date",
    "level",
    "thread",
    "kind",
    "message",
)
METRIC_COLUMNS = (
    "tenant",
    "namespace",
    "flow_id",
    "execution_id",
    "task_id",
    "task_run_id",
    "type",
    "name",
    "value",
    "date",
    "tags",
    "kind",
)


def log_row(line: LogLine) -> Row:
    """Return the columns of a log line."""
    return (
        line.tenant,
        line.namespace,
        line.flow_id,
        line.execution_id,
        line.task_id,
        line.task_run_id,
        line.attempt,
        line.trigger_id,
        line.date,
        LEVELS.get(line.level, 3),
        clean(line.thread) if line.thread is not None else None,
        line.kind,
        clean(line.message),
    )


def to_log(row: Sequence[Any]) -> LogLine:
    """Return the log line of a row of `LOG_COLUMNS`."""
    tenant, namespace, flow, execution, task, run, attempt, trigger, date, level, thread, kind, message = row
    return LogLine(
        tenant=tenant,
        namespace=namespace,
        flow_id=flow,
        date=date,
        level=LEVEL_NAMES[level],
        message=message,
        execution_id=execution,
        task_id=task,
        task_run_id=run,
        attempt=attempt,
        trigger_id=trigger,
        thread=thread,
        kind=kind,
    )


def metric_row(metric: Metric) -> Row:
    """Return the columns of a metric."""
    return (
        metric.tenant,
        metric.namespace,
        metric.flow_id,
        metric.execution_id,
        metric.task_id,
        metric.task_run_id,
        metric.type,
        clean(metric.name),
        metric.value if metric.value == metric.value else 0.0,  # SQLite stores NaN as NULL
        metric.date,
        body(metric.tags),
        metric.kind,
    )


def to_metric(row: Sequence[Any]) -> Metric:
    """Return the metric of a row of `METRIC_COLUMNS`."""
    tenant, namespace, flow, execution, task, run, kind_of, name, value, date, tags, kind = row
    return Metric(
        tenant=tenant,
        namespace=namespace,
        flow_id=flow,
        execution_id=execution,
        task_id=task,
        task_run_id=run,
        type=kind_of,
        name=name,
        value=value,
        date=date,
        tags=_TAGS.decode(tags),
        kind=kind,
    )
