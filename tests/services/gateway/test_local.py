"""The short way: jobs handed over in memory."""

import asyncio

import pytest

from penstock.base.clock import SECOND, SystemClock
from penstock.engine.decision import Job
from penstock.ports.gateway import Assignment
from penstock.ports.journal import LeaseLost
from penstock.services.gateway import DirectGateway, LocalAssignments
from tests.services.gateway.conftest import StoreBench


def job(number: int, group: str = "") -> Job:
    return Job(f"run{number}", 1, "e1", "main", "company.team", "flow", 1, "hello", worker_group=group)


def assignment(number: int) -> Assignment:
    return Assignment(job(number), {}, "x", {})


@pytest.fixture
def local() -> LocalAssignments:
    return LocalAssignments(3)


@pytest.fixture
def gateway(direct: StoreBench, local: LocalAssignments) -> DirectGateway:
    inner = direct.direct
    return DirectGateway(
        queue=direct.store.jobs,
        journal=direct.store.journal,
        queries=direct.store.queries,
        flows=inner._flows,
        sink=inner._sink,
        functions=inner._functions,
        evaluations=inner._evaluations,
        notifier=direct.store.notifier,
        clock=SystemClock(),
        local=local,
    )


async def test_local_place_is_reserved_up_to_the_number_of_places(local: LocalAssignments) -> None:
    assert local.reserve(job(0)) is None  # no worker yet
    local.register("w1", "")
    assert [local.reserve(job(number)) for number in range(4)] == ["w1", "w1", "w1", None]
    local.cancel(job(0))
    local.ended(job(1).key)
    assert [local.reserve(job(number)) for number in range(4, 7)] == ["w1", "w1", None]


async def test_local_job_of_another_group_has_no_place(local: LocalAssignments) -> None:
    local.register("w1", "gpu")
    assert local.reserve(job(0)) is None
    assert local.reserve(job(0, "gpu")) == "w1"


async def test_local_worker_released_has_no_places(local: LocalAssignments) -> None:
    local.register("w1", "")
    local.release("w1")
    assert local.reserve(job(0)) is None


async def test_claim_delivery_in_memory_wakes_it_even_without_a_free_slot(
    gateway: DirectGateway, local: LocalAssignments
) -> None:
    await gateway.register("w1", "", 1)
    claim = asyncio.ensure_future(gateway.claim("w1", 0, 20 * SECOND))
    await asyncio.sleep(0.05)
    local.deliver([assignment(1), assignment(2)])
    assert [one.job for one in await asyncio.wait_for(claim, 5)] == [job(1), job(2)]


async def test_claim_cancelled_while_it_waits_loses_no_delivery(
    gateway: DirectGateway, local: LocalAssignments
) -> None:
    await gateway.register("w1", "", 1)
    claim = asyncio.ensure_future(gateway.claim("w1", 0, 20 * SECOND))
    await asyncio.sleep(0.01)
    local.deliver([assignment(1)])
    claim.cancel()
    await asyncio.gather(claim, return_exceptions=True)
    assert [one.job for one in await gateway.claim("w1", 0, 0)] == [job(1)]


async def test_claim_gives_jobs_handed_over_and_stored_ones_together(
    gateway: DirectGateway, local: LocalAssignments, direct: StoreBench
) -> None:
    stored = await direct.offer(2)
    await gateway.register("w1", "", 4)
    local.deliver([assignment(1)])
    claimed = [one.job for one in await gateway.claim("w1", 2, SECOND)]
    assert claimed == [job(1), stored[0]]


async def test_kill_ordered_in_memory_reaches_the_worker(gateway: DirectGateway, local: LocalAssignments) -> None:
    """BEY-004."""
    await gateway.register("w1", "", 4)
    waiting = asyncio.ensure_future(gateway.kills("w1", 20 * SECOND))
    await asyncio.sleep(0.01)
    local.kill([("run1", 1)])
    assert list(await asyncio.wait_for(waiting, 5)) == [("run1", 1)]


async def test_gateway_of_an_unknown_worker_says_that_the_lease_is_lost(gateway: DirectGateway) -> None:
    with pytest.raises(LeaseLost):
        await gateway.kills("nobody", 0)
