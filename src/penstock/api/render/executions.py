"""Executions, task runs and states as JSON.

Implements API-030, API-031, API-032, ENG-124, ENG-125, and how BEY-042 is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.api.render.instants import iso
from penstock.base.clock import Instant
from penstock.base.durations import format_duration
from penstock.engine.records import Attempt, Execution, Labels, TaskRun, TriggerOrigin
from penstock.engine.states import State
from penstock.expressions.encrypted import ENCRYPTED_TYPE, is_sealed
from penstock.services.masking import MASK


def render_state(state: State, now: Instant) -> dict[str, Any]:
    """Return a state with its history; an open one lasts until now."""
    histories = state.histories
    start, end = histories[0].date, state.end
    body: dict[str, Any] = {
        "current": state.current.value,
        "histories": [{"state": change.state.value, "date": iso(change.date)} for change in histories],
        "duration": format_duration(max(0, (now if end is None else end) - start)),
        "startDate": iso(start),
    }
    if end is not None:
        body["endDate"] = iso(end)
    return body


def render_labels(labels: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Return labels as a list of pairs."""
    return [{"key": key, "value": value} for key, value in labels]


def _identity(execution: Execution, now: Instant) -> dict[str, Any]:
    """Return what every answer about an execution begins with."""
    return {
        "tenantId": execution.tenant,
        "id": execution.id,
        "namespace": execution.namespace,
        "flowId": execution.flow_id,
        "flowRevision": execution.flow_revision,
        "state": render_state(execution.state, now),
    }


def render_execution(
    execution: Execution, now: Instant, task_runs: Sequence[TaskRun] | None = None, *, url: str | None = None
) -> dict[str, Any]:
    """Return an execution; with `taskRunList` when its task runs are given."""
    body: dict[str, Any] = {
        **_identity(execution, now),
        "originalId": execution.original_id,
        "deleted": False,
        "metadata": _metadata(execution),
        "labels": render_labels(execution.labels),
    }
    if task_runs is not None:
        body["taskRunList"] = [render_task_run(run, execution, now) for run in task_runs]
    _add_values(body, execution)
    if execution.trigger is not None:
        body["trigger"] = render_origin(execution.trigger)
    if execution.schedule_date is not None:
        body["scheduleDate"] = iso(execution.schedule_date)
    if execution.parent is not None:
        body["parentId"] = execution.parent.execution_id
    if execution.kind != "NORMAL":
        body["kind"] = execution.kind
    if execution.breakpoints:
        body["breakpoints"] = [_breakpoint(text) for text in execution.breakpoints]
    if execution.fixtures is not None:
        fixtures = execution.fixtures.tasks.items()
        body["fixtures"] = [{"id": name, "state": one.state, "outputs": dict(one.outputs)} for name, one in fixtures]
    if url is not None:
        body["url"] = url
    return body


def _metadata(execution: Execution) -> dict[str, Any]:
    body: dict[str, Any] = {
        "attemptNumber": execution.attempt_number,
        "originalCreatedDate": iso(execution.original_created),
    }
    edits = execution.edits
    if edits is not None:
        body["edits"] = {
            "executionId": edits.execution_id,
            **({"by": edits.by} if edits.by is not None else {}),
            "inputs": list(edits.inputs),
            "outputs": list(edits.outputs),
            "skipped": list(edits.skipped),
        }
    return body


def _add_values(body: dict[str, Any], execution: Execution) -> None:
    if execution.inputs is not None:
        body["inputs"] = shown(execution.inputs)
    if execution.outputs is not None:
        body["outputs"] = shown(execution.outputs)
    if execution.variables is not None:
        body["variables"] = execution.variables
    if execution.error is not None:
        body["error"] = execution.error


def render_origin(trigger: TriggerOrigin) -> dict[str, Any]:
    """Return what started an execution."""
    body: dict[str, Any] = {"id": trigger.id, "type": trigger.type, "variables": trigger.variables}
    if trigger.log_file is not None:
        body["logFile"] = trigger.log_file
    return body


def render_task_run(run: TaskRun, execution: Execution, now: Instant) -> dict[str, Any]:
    """Return a task run of an execution."""
    body: dict[str, Any] = {
        "tenantId": execution.tenant,
        "id": run.id,
        "executionId": run.execution_id,
        "namespace": execution.namespace,
        "flowId": execution.flow_id,
        "taskId": run.task_id,
        "state": render_state(run.state, now),
        "attempts": [_attempt(attempt, now) for attempt in run.attempts],
    }
    if run.parent_id is not None:
        body["parentTaskRunId"] = run.parent_id
    if run.value is not None:
        body["value"] = run.value
    if run.iteration is not None:
        body["iteration"] = run.iteration
    if run.outputs is not None:
        body["outputs"] = shown(run.outputs)
    if run.dynamic:
        body["dynamic"] = True
    if run.edited:
        body["edited"] = True
    return body


def _attempt(attempt: Attempt, now: Instant) -> dict[str, Any]:
    body: dict[str, Any] = {"state": render_state(attempt.state, now)}
    if attempt.worker_id is not None:
        body["workerId"] = attempt.worker_id
    if attempt.log_file is not None:
        body["logFile"] = attempt.log_file
    if attempt.unconfirmed:
        body["unconfirmed"] = True
    if attempt.left:
        body["left"] = list(attempt.left)
    return body


def _breakpoint(text: str) -> dict[str, str]:
    task_id, _, value = text.partition(".")
    return {"id": task_id, "value": value} if value else {"id": task_id}


def render_summary(execution: Execution, now: Instant, url: str) -> dict[str, Any]:
    """Return what a webhook answers by default (API-022)."""
    body: dict[str, Any] = {
        **_identity(execution, now),
        "labels": render_labels(execution.labels),
        "url": url,
    }
    if execution.trigger is not None:
        body["trigger"] = render_origin(execution.trigger)
    if execution.outputs is not None:
        body["outputs"] = shown(execution.outputs)
    return body


def render_last(execution: Execution) -> dict[str, Any]:
    """Return what the list of flows shows of a flow's newest executions (API-049)."""
    body: dict[str, Any] = {
        "id": execution.id,
        "flowId": execution.flow_id,
        "namespace": execution.namespace,
        "startDate": iso(execution.state.start),
        "status": execution.state.current.value,
    }
    end = execution.state.end
    return body if end is None else body | {"endDate": iso(end)}


def read_labels(pairs: Iterable[Mapping[str, Any]]) -> Labels:
    """Return labels from a list of `{key, value}`."""
    return tuple((str(pair["key"]), str(pair["value"])) for pair in pairs)


def shown(value: Any) -> Any:
    """Return a value with its secrets masked: not even their encrypted form is shown (ENG-186, ENG-209)."""
    if isinstance(value, dict):
        return {"type": ENCRYPTED_TYPE, "value": MASK} if is_sealed(value) else _shown_items(value)
    if isinstance(value, list):
        return [shown(item) for item in value] if any(isinstance(item, dict | list) for item in value) else value
    return value


def _shown_items(value: dict[str, Any]) -> dict[str, Any]:
    if not any(isinstance(item, dict | list) for item in value.values()):
        return value
    return {key: shown(item) for key, item in value.items()}
