"""What a worker is given for a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.engine.context import variables
from penstock.engine.decision import Job
from penstock.engine.flow import ResolvedFlow
from penstock.engine.working_set import ExecutionState
from penstock.ports.gateway import Assignment


def assignment_of(job: Job, state: ExecutionState, flow: ResolvedFlow, shared: Mapping[str, Any]) -> Assignment:
    """Return a job with all that a worker needs to run it."""
    task = flow.tasks[job.task_id]
    run = state.task_runs[job.task_run_id]
    return Assignment(
        job=job,
        definition=task.properties,
        type=task.type,
        variables=variables(flow, state, run, task, shared),
        timeout=task.timeout,
        log_level=task.log_level,
        quick=task.quick,
        attempts_count=job.attempt - 1,
        kind=state.execution.kind,
        fixtures=state.execution.fixtures,
        confidential=state.execution.confidential,
    )
