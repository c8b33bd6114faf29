"""Reading what executions wait for: for the auditor, and for people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from penstock.base.clock import Instant
from penstock.engine.decision import Job
from penstock.engine.waiting import QueuedJob, Situation


class WaitReads(Protocol):
    """Reads of executions together with everything that may move them; each call sees one snapshot."""

    async def suspects(self, partitions: Collection[int], before: Instant, after: str, limit: int) -> Sequence[str]:
        """Return ids of live executions created before then that have no job, no timer and no event; paged by id.

        Those that wait for a slot or for somebody are left out; those that wait for other executions are not.
        """
        ...

    async def situations(self, execution_ids: Collection[str]) -> Mapping[str, Situation]:
        """Return the situations of those executions that exist."""
        ...

    async def jobs_before(self, job: Job) -> int:
        """Return how many jobs of its worker group are taken before a job that waits."""
        ...

    async def job(self, task_run_id: str) -> QueuedJob | None:
        """Return the job of a task run, or of a trigger's evaluation, and who has it; None when there is none."""
        ...

    async def execution_of(self, task_run_id: str) -> str | None:
        """Return the live execution that a task run belongs to; None when there is none."""
        ...

    async def decided_until(self, execution_id: str) -> Instant:
        """Return until when an executor holds an execution's partition; 0 when none does."""
        ...
