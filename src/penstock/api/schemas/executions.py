"""Executions, their task runs, inputs and files."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from penstock.api.schemas.base import Label, Shape, State
from penstock.api.schemas.flows import Input
from penstock.engine.states import StateType


class TaskRunAttempt(Shape):
    """One try of a task run."""

    state: State
    worker_id: str | None = None
    log_file: str | None = None
    unconfirmed: bool | None = Field(
        None, description="Whether what it ran may still run: nobody has confirmed that it was stopped."
    )
    left: list[str] | None = Field(
        None, description="What that is, as far as it is known, such as `process 4711 on worker-1`."
    )


class TaskRun(Shape):
    """One run of one task."""

    id: str
    execution_id: str
    namespace: str
    flow_id: str
    task_id: str
    parent_task_run_id: str | None = None
    value: str | None = None
    attempts: list[TaskRunAttempt] | None = None
    outputs: dict[str, Any] | None = None
    state: State
    iteration: int | None = None
    dynamic: bool | None = None
    edited: bool | None = Field(None, description="Whether its outputs were given by hand for a replay.")


class ExecutionTrigger(Shape):
    """What started an execution."""

    id: str
    type: str
    variables: dict[str, Any] | None = None
    log_file: str | None = None


class ExecutionEdits(Shape):
    """What somebody changed when he had an execution replayed."""

    execution_id: str
    by: str | None = None
    inputs: list[str]
    outputs: list[str] = Field(description="Ids of the reused task runs whose outputs were given by hand.")
    skipped: list[str]


class ExecutionMetadata(Shape):
    """Where an execution comes from."""

    attempt_number: int | None = None
    original_created_date: datetime | None = None
    edits: ExecutionEdits | None = Field(None, description="What was changed, when it is a replay with changes.")


class Breakpoint(Shape):
    """Where an execution stops."""

    id: str
    value: str | None = None


class Execution(Shape):
    """One run of a flow."""

    id: str
    namespace: str
    flow_id: str
    flow_revision: int
    task_run_list: list[TaskRun] | None = None
    inputs: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    variables: dict[str, Any] | None = None
    labels: list[Label] | None = None
    state: State
    parent_id: str | None = None
    original_id: str | None = None
    trigger: ExecutionTrigger | None = None
    deleted: bool
    metadata: ExecutionMetadata | None = None
    schedule_date: datetime | None = None
    kind: str | None = None
    breakpoints: list[Breakpoint] | None = None
    error: str | None = Field(None, description="Why it failed, where no task run says so.")
    url: str | None = None


class PagedExecutions(Shape):
    """A page of executions."""

    results: list[Execution]
    total: int


class SizePart(Shape):
    """What an execution has of one kind of record, or its files."""

    name: str
    count: int
    bytes: int


class ExecutionSize(Shape):
    """How much room an execution takes, without indexes."""

    execution_id: str
    bytes: int = Field(description="Records and files together.")
    records: list[SizePart] = Field(description="By kind, the largest first.")
    files: SizePart


class LastExecution(Shape):
    """The newest execution of a flow."""

    id: str
    flow_id: str
    namespace: str
    start_date: datetime | None = None
    end_date: datetime | None = None
    status: StateType | None = None


class InputError(Shape):
    """What is wrong with the value of an input."""

    message: str


class InputCheck(Shape):
    """An input of a launch form, with its value as it would be."""

    input: Input
    value: Any = None
    enabled: bool | None = None
    is_default: bool | None = None
    errors: list[InputError] | None = None


class FlowCheck(Shape):
    """A check of the flow that does not hold."""

    message: str
    style: str | None = None
    behavior: str | None = None


class InputsValidation(Shape):
    """What a launch with these values would find."""

    id: str | None = None
    namespace: str | None = None
    inputs: list[InputCheck]
    checks: list[FlowCheck] | None = None


class FileMetas(Shape):
    """What is known of a file without reading it."""

    size: int


class FilePreview(Shape):
    """The beginning of a file."""

    extension: str
    type: Literal["TEXT", "LIST", "IMAGE", "MARKDOWN", "PDF"]
    content: Any
    truncated: bool


class EvalResult(Shape):
    """What an expression gives in a task run's context."""

    result: str | None = None
    error: str | None = None
    stack_trace: str | None = None


class TaskRunStateChange(Shape):
    """The state a task run gets by hand."""

    task_run_id: str
    state: StateType


class LabelsOfExecutions(Shape):
    """Labels that several executions get."""

    executions_id: list[str]
    execution_labels: list[Label]
