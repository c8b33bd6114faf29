"""The short way: jobs handed over in memory."""

import asyncio
from collections.abc import Sequence

import pytest

from penstock.base.clock import SECOND, SystemClock
from penstock.base.errors import UnavailableError
from penstock.engine.decision import Job
from penstock.ports.gateway import Assignment
from penstock.ports.journal import LeaseLost
from penstock.services.gateway import DirectGateway, LocalAssignments
from tests.services.gateway.conftest import StoreBench
from tests.support.waiting import PATIENCE


def job(number: int, group: str = "") -> Job:
    return Job(f"run{number}", 1, "e1", "main", "company.team", "flow", 1, "hello", worker_group=group)


def assignment(number: int) -> Assignment:
    return Assignment(job(number), {}, "x", {})


def hand_over(local: LocalAssignments, assignments: Sequence[Assignment]) -> None:
    for one in assignments:
        assert local.reserve(one.job) is not None
    local.deliver(assignments)


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


async def test_local_job_reserved_for_a_worker_that_started_over_is_not_delivered(local: LocalAssignments) -> None:
    """BEY-001: its row names the worker that was given up, so others are given it."""
    local.register("w1", "")
    assert local.reserve(job(0)) == "w1"
    local.register("w2", "")
    assert local.reserve(job(1)) == "w2"
    local.deliver([assignment(0), assignment(1)])
    assert [one.job.key for one in local.take()] == [job(1).key]


async def test_claim_after_a_commit_without_an_answer_has_the_worker_ask_what_it_was_leased(
    gateway: DirectGateway, direct: StoreBench, local: LocalAssignments
) -> None:
    """BEY-001: the batch may be stored all the same, with jobs that nobody handed over."""
    await gateway.register("w1", "", 4)
    assert local.reserve(job(0)) == "w1"
    local.cancel(job(0))
    local.mislay()
    with pytest.raises(UnavailableError):
        await gateway.claim("w1", 1, 0)
    assert await gateway.claim("w1", 1, 0) == ()


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
    hand_over(local, [assignment(1), assignment(2)])
    assert [one.job for one in await asyncio.wait_for(claim, PATIENCE)] == [job(1), job(2)]


async def test_claim_cancelled_while_it_waits_loses_no_delivery(
    gateway: DirectGateway, local: LocalAssignments
) -> None:
    await gateway.register("w1", "", 1)
    claim = asyncio.ensure_future(gateway.claim("w1", 0, 20 * SECOND))
    await asyncio.sleep(0.01)
    hand_over(local, [assignment(1)])
    claim.cancel()
    await asyncio.gather(claim, return_exceptions=True)
    assert [one.job for one in await gateway.claim("w1", 0, 0)] == [job(1)]


async def test_claim_gives_jobs_handed_over_and_stored_ones_together(
    gateway: DirectGateway, local: LocalAssignments, direct: StoreBench
) -> None:
    stored = await direct.offer(2)
    await gateway.register("w1", "", 4)
    hand_over(local, [assignment(1)])
    claimed = [one.job for one in await gateway.claim("w1", 2, SECOND)]
    assert claimed == [job(1), stored[0]]


async def test_claim_that_fails_at_the_queue_loses_no_delivery(
    gateway: DirectGateway, local: LocalAssignments, direct: StoreBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEY-001: what was handed over in memory is held to be with the worker, so that nobody would look for it."""
    await direct.offer(1)
    await gateway.register("w1", "", 4)
    hand_over(local, [assignment(1), assignment(2)])
    with monkeypatch.context() as broken:
        broken.setattr(direct.store.jobs, "claim", _unavailable)
        with pytest.raises(UnavailableError):
            await gateway.claim("w1", 3, 0)
    assert local.kill([job(2).key]) == [job(2).key]
    assert [one.job for one in await gateway.claim("w1", 0, 0)] == [job(1)]


async def _unavailable(*_: object) -> None:
    raise UnavailableError("no connection")


async def test_kill_ordered_in_memory_reaches_the_worker(gateway: DirectGateway, local: LocalAssignments) -> None:
    """BEY-004."""
    await gateway.register("w1", "", 4)
    waiting = asyncio.ensure_future(gateway.kills("w1", 20 * SECOND))
    await asyncio.sleep(0.01)
    local.kill([("run1", 1)])
    assert list(await asyncio.wait_for(waiting, PATIENCE)) == [("run1", 1)]


async def test_gateway_of_an_unknown_worker_says_that_the_lease_is_lost(gateway: DirectGateway) -> None:
    with pytest.raises(LeaseLost):
        await gateway.kills("nobody", 0)


def turned(number: int, turn: int, priority: int = 0, *, quick: bool = False) -> Assignment:
    found = Job(f"run{number}", 1, "e1", "main", "a", "f", 1, "t", priority=priority, turn=turn, quick=quick)
    return Assignment(found, {}, "x", {})


def numbers(assignments: Sequence[Assignment]) -> list[str]:
    return [assignment.job.task_run_id for assignment in assignments]


async def test_local_jobs_are_taken_by_priority_and_turn_as_far_as_the_window_goes() -> None:
    """BEY-011."""
    local = LocalAssignments(100, window=2)
    local.register("w1", "")
    hand_over(local, [turned(0, 5), turned(1, 2), turned(2, 9, priority=1), turned(3, 1)])
    assert numbers(local.take()) == ["run2", "run3"]
    assert numbers(local.take()) == []
    hand_over(local, [turned(4, 0), turned(5, 3, quick=True)])
    assert numbers(local.take()) == ["run5"]  # what is quick takes no room
    assert local.turns() == {("", 0): 0}
    local.ended(("run2", 1))
    await asyncio.wait_for(local.delivered.wait(), PATIENCE)
    assert numbers(local.take()) == ["run4"]
    local.ended(("run3", 1))
    assert numbers(local.take(others_wait=True)) == []  # half of the room is for those that wait elsewhere


async def test_local_job_that_goes_before_others_finds_a_place_where_all_are_taken() -> None:
    """BEY-011."""
    local = LocalAssignments(2, window=1)
    local.register("w1", "")
    flood = [turned(0, 0), turned(1, 1)]
    for one in flood:
        assert local.reserve(one.job) == "w1"
    local.deliver(flood)
    assert local.reserve(turned(2, 2).job) is None
    assert local.reserve(turned(3, 0).job) == "w1"
    assert local.reserve(turned(4, 0).job) == "w1"
    assert local.reserve(turned(5, 0).job) is None  # there is an end to it


async def test_local_job_killed_while_it_waits_is_given_to_nobody() -> None:
    """BEY-004."""
    local = LocalAssignments(10, window=1)
    local.register("w1", "")
    hand_over(local, [turned(0, 0), turned(1, 1)])
    assert numbers(local.take()) == ["run0"]
    assert local.kill([("run0", 1), ("run1", 1)]) == [("run1", 1)]
    assert local.take_orders() == [("run0", 1)]
    local.ended(("run0", 1))
    assert numbers(local.take()) == []
