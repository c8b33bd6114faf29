"""Jobs that no worker can take, and what becomes of those that are not to wait for one (ENG-047)."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.base.clock import Instant
from penstock.engine.decision import Job
from penstock.engine.events import AnyEvent, Kill, TaskEnded
from penstock.engine.records import LogLine
from penstock.engine.states import StateType


def end_of(job: Job, now: Instant) -> tuple[Sequence[AnyEvent], Sequence[LogLine]]:
    """Return what ends a job whose group has no worker, and the line that tells it.

    FAIL fails the task run at once; CANCEL ends the whole execution without an error, as if it were killed.
    Implements ENG-047, MIG-052, GOV-358.
    """
    fails = job.fallback == "FAIL"
    message = f"No worker of group `{job.worker_group}` is running, and the task is not to wait for one"
    line = LogLine(
        tenant=job.tenant,
        namespace=job.namespace,
        flow_id=job.flow_id,
        date=now,
        level="ERROR" if fails else "WARN",
        message=message,
        execution_id=job.execution_id,
        task_id=job.task_id,
        task_run_id=job.task_run_id,
        attempt=job.attempt,
    )
    if fails:
        return [TaskEnded(job.task_run_id, job.attempt, StateType.FAILED, now, now, error=message)], [line]
    return [Kill(), TaskEnded(job.task_run_id, job.attempt, StateType.KILLED, now, now)], [line]
