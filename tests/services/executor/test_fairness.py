"""Turns of jobs: flows share fairly, whatever one of them brings."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from penstock.engine.decision import Job
from penstock.services.executor.fairness import FairShare, priority_of
from penstock.testing.store import records
from tests.support.live import LiveServer


def taken(jobs: list[Job]) -> list[str]:
    """Return the flows of jobs in the order in which workers take them."""
    return [job.flow_id for job in sorted(jobs, key=lambda job: (-job.priority, job.turn))]


class Desk:
    """Places jobs of flows."""

    def __init__(self) -> None:
        self.fair = FairShare()
        self.jobs: list[Job] = []

    def bring(self, flow: str, count: int = 1, *, begun: bool = False, **changes: Any) -> None:
        labels = changes.pop("labels", ())
        for _ in range(count):
            execution = records.execution(flow_id=flow, labels=labels)
            job = records.job(records.task_run(execution), flow_id=flow, **changes)
            self.jobs.append(self.fair.placed(job, execution, begun=begun))

    def serve(self, count: int) -> list[str]:
        """Take jobs, and have the executor learn of it."""
        self.jobs.sort(key=lambda job: (-job.priority, job.turn))
        served, self.jobs = self.jobs[:count], self.jobs[count:]
        waiting: dict[tuple[str, int], int] = {}
        for job in self.jobs:
            key = (job.worker_group, job.priority)
            waiting[key] = min(job.turn, waiting.get(key, job.turn))
        self.fair.reached(waiting)
        return [job.flow_id for job in served]


def test_flood_of_one_flow_lets_the_next_job_of_another_go_first() -> None:
    """BEY-011."""
    desk = Desk()
    desk.bring("flood", 1000)
    assert set(desk.serve(100)) == {"flood"}
    desk.bring("other", 3)
    # Turn and turn about: nobody waits for the 900 that are left.
    assert desk.serve(6).count("other") >= 2
    assert "other" not in desk.serve(1000)[3:]


def test_flows_that_wait_together_are_served_alike() -> None:
    """BEY-011."""
    desk = Desk()
    for flow, count in (("a", 500), ("b", 50), ("c", 50)):
        desk.bring(flow, count)
    served = desk.serve(90)
    assert [served.count(flow) for flow in "abc"] == [30, 30, 30]


def test_flow_served_for_days_is_not_held_up_by_what_it_had() -> None:
    """BEY-011."""
    desk = Desk()
    for _ in range(50):
        desk.bring("steady", 20)
        desk.serve(19)
    desk.bring("flood", 1000)
    desk.bring("steady", 10)
    assert desk.serve(150).count("steady") > 30


def test_tenants_share_alike_however_many_flows_they_have() -> None:
    """BEY-011: fair share between tenants, then flows."""
    desk = Desk()
    for _ in range(100):
        desk.bring("single", 9, tenant="small")
        for number in range(9):
            desk.bring(f"flow{number}", tenant="large")
    served = desk.serve(400)
    assert 160 < served.count("single") < 240
    assert all(15 < served.count(f"flow{number}") < 30 for number in range(9))


def test_job_of_an_execution_that_has_begun_goes_before_those_that_have_not() -> None:
    """BEY-011: executions already started are finished first."""
    desk = Desk()
    desk.bring("flow", 100)
    desk.serve(10)
    desk.bring("flow", begun=True, task_id="second")
    assert "second" in [job.task_id for job in sorted(desk.jobs, key=lambda job: job.turn)[:2]]


def test_priority_of_a_label_goes_before_every_turn() -> None:
    """BEY-011: label `system.priority`."""
    desk = Desk()
    desk.bring("late", 2, labels=(("system.priority", "-5"),))
    desk.bring("normal", 2)
    desk.bring("urgent", 2, labels=(("system.priority", "10"),))
    assert desk.serve(6) == ["urgent", "urgent", "normal", "normal", "late", "late"]


@pytest.mark.parametrize(("value", "expected"), [("7", 7), ("-3", -3), ("high", 0), ("99999", 1000)])
def test_priority_is_a_bounded_number(value: str, expected: int) -> None:
    assert priority_of(records.execution(labels=(("system.priority", value),))) == expected


SLOW = """
id: {id}
namespace: team
tasks:
  - {{id: sleep, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.2S}}
  - {{id: sleep2, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.2S}}
"""


async def test_flow_beside_a_flood_ends_long_before_it(live: LiveServer) -> None:
    """BEY-011: a flood of one flow does not hold up the others."""
    for name in ("flood", "other"):
        await live.flow(SLOW.format(id=name))
    flood = [asyncio.create_task(live.start("flood")) for _ in range(300)]
    await asyncio.gather(*flood)
    await live.run("other")
    found = await live.client.get("/api/v1/main/executions/search", params={"flowId": "flood", "state": "SUCCESS"})
    assert found.json()["total"] < 200


async def test_priority_label_that_is_no_number_is_refused(live: LiveServer) -> None:
    """BEY-011."""
    await live.flow(SLOW.format(id="other"))
    answer = await live.client.post("/api/v1/main/executions/team/other", params={"labels": "system.priority:high"})
    assert answer.status_code == 422
    assert "system.priority" in answer.json()["message"]
    assert (await live.start("other", params={"labels": "system.priority:5"}))["state"]["current"]
