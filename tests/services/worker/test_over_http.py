"""A whole worker on the other side of HTTP."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from penstock.base.clock import SECOND
from penstock.engine.events import TaskEnded
from penstock.engine.states import StateType
from penstock.services.gateway.http import HttpGateway
from penstock.services.worker import Worker, WorkerSettings
from tests.services.gateway.conftest import TOKEN, StoreBench, direct, serving, sqlite_store
from tests.services.worker.conftest import REGISTRY
from tests.support.waiting import PATIENCE

__all__ = ["direct", "sqlite_store"]  # fixtures


async def ended(bench: StoreBench, count: int) -> Sequence[TaskEnded]:
    for _ in range(3000):
        events = await bench.events()
        if sum(isinstance(event, TaskEnded) for event in events) >= count:
            return [event for event in events if isinstance(event, TaskEnded)]
        await asyncio.sleep(0.02)
    raise TimeoutError(f"fewer than {count} ends were reported")


@pytest.mark.parametrize("threads", [1, 8])
async def test_worker_over_http_runs_what_is_offered(direct: StoreBench, tmp_path: Path, threads: int) -> None:
    """BEY-010."""
    settings = WorkerSettings(threads=threads, claim_wait=SECOND, environment={}, directory=tmp_path)
    async with serving(direct.direct) as address, httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        worker = Worker(HttpGateway(client, TOKEN), REGISTRY, settings)
        running = asyncio.create_task(worker.run())
        jobs = await direct.offer(20)
        events = await ended(direct, 20)
        assert {event.task_run_id for event in events} == {job.task_run_id for job in jobs}
        assert all(event.state is StateType.SUCCESS for event in events)
        assert sorted(await direct.messages()) == ["Ada"] * 20
        worker.stop()
        await asyncio.wait_for(running, PATIENCE)
        assert list(await direct.store.jobs.workers()) == []
