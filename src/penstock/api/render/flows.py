"""Flows and verdicts on them as JSON.

Implements API-033, API-034, API-039.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.api.errors import problem_body
from penstock.api.render.executions import render_labels
from penstock.api.render.instants import iso
from penstock.model.problems import Severity
from penstock.ports.flows import StoredFlow
from penstock.services.flows import Verdict


def render_flow(flow: StoredFlow, definition: Mapping[str, Any], *, source: bool = True) -> dict[str, Any]:
    """Return a flow as written, with what the server knows of it, and its source unless that is not wanted.

    Args:
        flow: The stored revision.
        definition: Its plain data.
        source: Whether the source belongs into the answer.
    """
    body: dict[str, Any] = {
        "tasks": [],
        **definition,
        "tenantId": flow.tenant,
        "id": flow.id,
        "namespace": flow.namespace,
        "revision": flow.revision,
        "updated": iso(flow.updated),
        "disabled": flow.disabled,
        "deleted": flow.deleted,
    }
    if flow.labels or "labels" in definition:
        body["labels"] = render_labels(flow.labels)
    if flow.author is not None:
        body["savedBy"] = {"name": flow.author.name, "way": flow.author.way.value}
    if source:
        body["source"] = flow.source
    return body


def render_for_execution(flow: StoredFlow, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a person needs who may execute a flow and not read it: no task properties, no source."""
    body: dict[str, Any] = {
        "id": flow.id,
        "namespace": flow.namespace,
        "revision": flow.revision,
        "disabled": flow.disabled,
        "deleted": flow.deleted,
        "tasks": [_task_for_execution(task) for task in definition.get("tasks") or () if isinstance(task, Mapping)],
        "triggers": [
            {key: trigger[key] for key in ("id", "type", "description", "disabled") if key in trigger}
            for trigger in definition.get("triggers") or ()
            if isinstance(trigger, Mapping)
        ],
    }
    if flow.labels:
        body["labels"] = dict(flow.labels)  # a map here alone: so the official clients read it
    for key in ("description", "inputs", "outputs", "variables"):
        if key in definition:
            body[key] = definition[key]
    for key in ("errors", "finally", "afterExecution"):
        if isinstance(definition.get(key), list):
            body[key] = [_task_for_execution(task) for task in definition[key] if isinstance(task, Mapping)]
    return body


_CHILDREN = ("tasks", "then", "else", "errors", "finally", "defaults")


def _task_for_execution(task: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {key: task[key] for key in ("id", "type", "description", "disabled") if key in task}
    for key in _CHILDREN:
        if isinstance(task.get(key), list):
            body[key] = [_task_for_execution(child) for child in task[key] if isinstance(child, Mapping)]
    cases = task.get("cases")
    if isinstance(cases, Mapping):
        body["cases"] = {
            str(value): [_task_for_execution(child) for child in children if isinstance(child, Mapping)]
            for value, children in cases.items()
            if isinstance(children, list)
        }
    if isinstance(task.get("task"), Mapping):
        body["task"] = _task_for_execution(task["task"])
    return body


def render_verdict(verdict: Verdict) -> dict[str, Any]:
    """Return what is to be said of one flow; `constraints` is absent when it is valid."""
    errors = verdict.of(Severity.ERROR)
    deprecations = verdict.of(Severity.DEPRECATION)
    body: dict[str, Any] = {
        "index": verdict.index,
        "outdated": verdict.outdated,
        "deprecationPaths": [problem.path for problem in deprecations],
        "warnings": [str(problem) for problem in verdict.of(Severity.WARNING)],
        "infos": [str(problem) for problem in (*verdict.of(Severity.INFO), *deprecations)],
        "problems": [problem_body(problem) for problem in verdict.problems],
    }
    if errors:
        body["constraints"] = "\n".join(str(problem) for problem in errors)
    names = {"filename": verdict.filename, "namespace": verdict.namespace, "flow": verdict.flow_id}
    return body | {key: value for key, value in names.items() if value is not None}
