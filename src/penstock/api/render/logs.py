"""Log entries and metrics as JSON.

Implements API-036.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penstock.api.render.instants import iso
from penstock.engine.records import LogLine, Metric
from penstock.services.log_windows import LogOutline


def render_log(line: LogLine) -> dict[str, Any]:
    """Return a log entry."""
    body: dict[str, Any] = {
        "tenantId": line.tenant,
        "namespace": line.namespace,
        "flowId": line.flow_id,
        "timestamp": iso(line.date),
        "level": line.level,
        "message": line.message,
    }
    optional = {
        "executionId": line.execution_id,
        "taskId": line.task_id,
        "taskRunId": line.task_run_id,
        "attemptNumber": line.attempt,
        "triggerId": line.trigger_id,
        "thread": line.thread,
    }
    body.update({key: value for key, value in optional.items() if value is not None})
    if line.kind != "NORMAL":
        body["executionKind"] = line.kind
    return body


def render_outline(outline: LogOutline) -> dict[str, Any]:
    """Return where the windows of a log begin."""
    marks = [{"before": before, "after": str(position)} for before, position in outline.marks]
    return {"total": outline.total, "marks": marks, "end": str(outline.end)}


def log_text(lines: Iterable[LogLine]) -> str:
    """Return log entries as a text file, one line each."""
    return "".join(f"{iso(line.date)} {line.level:<5} {_origin(line)}{line.message}\n" for line in lines)


def _origin(line: LogLine) -> str:
    return f"[{line.task_id}] " if line.task_id else ""


def render_metric(metric: Metric) -> dict[str, Any]:
    """Return a metric entry."""
    body: dict[str, Any] = {
        "tenantId": metric.tenant,
        "namespace": metric.namespace,
        "flowId": metric.flow_id,
        "executionId": metric.execution_id,
        "taskId": metric.task_id,
        "taskRunId": metric.task_run_id,
        "type": metric.type,
        "name": metric.name,
        "value": metric.value,
        "timestamp": iso(metric.date),
        "tags": metric.tags,
    }
    if metric.kind != "NORMAL":
        body["executionKind"] = metric.kind
    return body
