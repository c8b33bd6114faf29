"""What a job that no worker has waits for: one of its group, or its turn."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.engine.decision import Job
from penstock.engine.waiting import Reason
from penstock.ports.jobs import WorkerInfo
from penstock.ports.waiting import WaitReads
from penstock.services.explaining.blockers import Blocker


async def for_a_worker(what: str, job: Job, workers: Sequence[WorkerInfo], reads: WaitReads) -> Blocker:
    """Return why nobody does a job yet.

    Args:
        what: What waits, as the sentence begins with it.
        job: The job, which no worker has.
        workers: Those that live.
        reads: Tells how many jobs come first.
    """
    group = f" of group `{job.worker_group}`" if job.worker_group else ""
    if not any(worker.group == job.worker_group for worker in workers):
        option = f" --worker-group {job.worker_group}" if job.worker_group else ""
        sentence = f"{what} waits for a worker{group}, and none is running"
        return Blocker(Reason.WORKER, sentence, f"start one: `penstock server worker{option}`")
    before = _before(await reads.jobs_before(job))
    sentence = f"{what} waits for a worker{group} to be free; {before}"
    return Blocker(Reason.WORKER, sentence, "start more workers, or give them more threads")


def _before(number: int) -> str:
    return "it is next" if number == 0 else f"{number} {'task comes' if number == 1 else 'tasks come'} before it"
