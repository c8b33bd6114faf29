"""What things wait for, and what the last audit found, as JSON. Implements BEY-001, BEY-002."""

from __future__ import annotations

from typing import Any

from penstock.api.render.instants import iso, iso_or_none
from penstock.base.durations import format_duration
from penstock.services.audit import Audit, Finding
from penstock.services.explaining import Blocker, Explanation


def render_explanation(explanation: Explanation) -> dict[str, Any]:
    """Return why something is where it is."""
    return {
        "kind": explanation.kind,
        "id": explanation.id,
        "state": explanation.state,
        "sentence": explanation.sentence,
        "blockers": [_blocker(one) for one in explanation.blockers],
        "waited": {reason: format_duration(length) for reason, length in explanation.waited.items()},
    }


def _blocker(blocker: Blocker) -> dict[str, Any]:
    optional = {
        "action": blocker.action or None,
        "since": iso_or_none(blocker.since),
        "until": iso_or_none(blocker.until),
        "taskId": blocker.task_id,
        "taskRunId": blocker.task_run_id,
        "executions": list(blocker.executions) or None,
        "because": [_blocker(one) for one in blocker.because] or None,
    }
    body: dict[str, Any] = {"reason": str(blocker.reason), "sentence": blocker.sentence}
    return body | {key: value for key, value in optional.items() if value is not None}


def render_audit(audit: Audit) -> dict[str, Any]:
    """Return what the last audit saw."""
    body: dict[str, Any] = {
        "lookedAt": audit.looked_at,
        "orphans": audit.orphans,
        "findings": [_finding(one) for one in audit.findings],
    }
    return body if audit.date is None else body | {"date": iso(audit.date), "executor": audit.executor}


def _finding(finding: Finding) -> dict[str, Any]:
    body: dict[str, Any] = {
        "date": iso(finding.date),
        "executionId": finding.execution_id,
        "namespace": finding.namespace,
        "flowId": finding.flow_id,
        "state": finding.state,
        "repair": finding.repair,
    }
    optional = {"taskId": finding.task_id, "taskRunId": finding.task_run_id}
    return body | {key: value for key, value in optional.items() if value is not None}
