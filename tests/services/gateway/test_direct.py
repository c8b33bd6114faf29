"""What the direct gateway does beyond the contract."""

import asyncio
from pathlib import Path

import pytest

from penstock.base.clock import SECOND, SystemClock
from penstock.base.errors import UnauthorizedError
from penstock.engine.decision import Job
from penstock.engine.events import TaskEnded
from penstock.engine.states import StateType
from penstock.ports.journal import Batch, partition_of
from tests.services.gateway.conftest import StoreBench
from tests.support.waiting import PATIENCE


@pytest.mark.parametrize("state", [StateType.KILLING, StateType.KILLED, StateType.SUCCESS])
async def test_claim_job_whose_task_run_may_not_run_any_more_is_ended_instead(
    direct: StoreBench, state: StateType
) -> None:
    """BEY-004."""
    (job,) = await direct.offer(1)
    await direct.change(job, state)
    await direct.gateway.register("w1", "", 2)
    assert list(await direct.gateway.claim("w1", 2, SECOND // 20)) == []
    (ended,) = await direct.events()
    assert isinstance(ended, TaskEnded)
    assert (ended.task_run_id, ended.state) == (job.task_run_id, StateType.KILLED)


async def test_claim_task_that_the_flow_does_not_have_fails_with_the_reason(direct: StoreBench) -> None:
    (job,) = await direct.offer(1)
    stray = Job(
        task_run_id=job.task_run_id, attempt=2, execution_id=job.execution_id, tenant="main", namespace=job.namespace,
        flow_id=job.flow_id, flow_revision=1, task_id="gone",
    )  # fmt: skip
    partition = partition_of(job.execution_id)
    fences = {partition: (await direct.fences())[partition]}
    await direct.store.journal.commit(Batch(jobs={stray.key: (stray, None)}, ended_jobs={job.key: None}, fences=fences))
    await direct.gateway.register("w1", "", 2)
    assert list(await direct.gateway.claim("w1", 2, SECOND // 20)) == []
    (ended,) = await direct.events()
    assert isinstance(ended, TaskEnded)
    assert (ended.state, ended.error, ended.retryable) == (StateType.FAILED, "the flow has no task gone", False)
    assert list(await direct.messages()) == ["the flow has no task gone"]


async def test_heartbeat_tells_of_a_kill_until_the_job_is_over(direct: StoreBench) -> None:
    """BEY-004: neither a notification that is lost nor an answer that never comes keeps a task alive."""
    await direct.offer(2)
    await direct.gateway.register("w1", "", 2)
    claimed = await direct.gateway.claim("w1", 2, SECOND)
    await direct.change(claimed[0].job, StateType.KILLING, kill=True)
    assert list(await direct.gateway.heartbeat("w1")) == [claimed[0].job.key]
    assert list(await direct.gateway.heartbeat("w1")) == [claimed[0].job.key]
    await direct.gateway.release("w1")
    await direct.gateway.register("w1", "", 2)
    assert list(await direct.gateway.heartbeat("w1")) == []


async def test_release_wakes_a_worker_that_waits(direct: StoreBench) -> None:
    await direct.offer(1)
    await direct.gateway.register("w1", "", 1)
    await direct.gateway.claim("w1", 1, SECOND)
    await direct.gateway.register("w2", "", 1)
    waiting = asyncio.ensure_future(direct.gateway.claim("w2", 1, 3600 * SECOND))
    await asyncio.sleep(0.05)
    await direct.gateway.release("w1")
    assert len(await asyncio.wait_for(waiting, PATIENCE)) == 1


async def test_claim_worker_group_gets_only_its_own_jobs(direct: StoreBench) -> None:
    """SCR-058."""
    await direct.offer(1)
    await direct.gateway.register("gpu", "gpu", 1)
    assert list(await direct.gateway.claim("gpu", 1, SECOND // 20)) == []


async def test_file_handed_over_as_an_input_can_be_read(direct: StoreBench, tmp_path: Path) -> None:
    """ENG-418."""
    (giver,) = await direct.offer(1)
    uri = await direct.gateway.put_file(giver, "data.csv", b"1,2")
    (receiver,) = await direct.offer(1, inputs={"files": [{"file": uri}]})
    (stranger,) = await direct.offer(1, inputs={"text": f"see {uri}"})
    await direct.gateway.get_file(receiver, uri, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"1,2"
    assert await direct.gateway.call(receiver, "read", {"path": uri}) == "1,2"
    with pytest.raises(UnauthorizedError):
        await direct.gateway.call(stranger, "read", {"path": uri})


async def test_now_is_the_server_s_clock(direct: StoreBench) -> None:
    assert abs(await direct.gateway.now() - SystemClock().now()) < SECOND
