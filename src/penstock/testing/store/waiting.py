"""The contract every `WaitReads` keeps: what moves executions is seen, and whoever lacks it is suspected."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

import msgspec

from penstock.engine.decision import Message, Timer
from penstock.engine.events import SlotFreed
from penstock.engine.records import Cursor, Execution, Parent, StartedFlows, TaskRun
from penstock.engine.states import StateType
from penstock.engine.waiting import QueuedJob
from penstock.ports.journal import PARTITIONS, partition_of
from penstock.testing.store import records
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW, SECOND

ALL = range(PARTITIONS)
LATER = NOW + 60 * SECOND


class WaitReadsContract:
    """What holds for the reads of what moves executions. A subclass gives the fixture `store`."""

    async def test_execution_without_anything_is_suspected_page_by_page(self, store: StorePorts) -> None:
        ids = sorted(one.id for one in await records.stored(store.journal, *[records.execution() for _ in range(3)]))
        assert list(await store.waiting.suspects(ALL, LATER, "", 2)) == ids[:2]
        assert list(await store.waiting.suspects(ALL, LATER, ids[1], 2)) == ids[2:]

    async def test_execution_with_job_timer_or_event_is_not_suspected(self, store: StorePorts) -> None:
        worked, timed, told, watched = (records.execution() for _ in range(4))
        job = records.job(records.task_run(worked))
        await records.stored(
            store.journal,
            worked,
            timed,
            told,
            watched,
            jobs={job.key: (job, None)},
            timers={
                (timed.id, "retry", "r"): Timer(timed.id, LATER, "retry", "r"),
                (watched.id, "sla", "s"): Timer(watched.id, LATER, "sla", "s"),
            },
            messages=[Message(told.id, SlotFreed())],
        )
        assert list(await store.waiting.suspects(ALL, LATER, "", 10)) == [watched.id]

    async def test_execution_that_ended_is_new_elsewhere_or_waits_for_people_is_not_suspected(
        self, store: StorePorts
    ) -> None:
        suspect = records.execution()
        paused = records.execution(state=records.state(StateType.CREATED, StateType.RUNNING, StateType.PAUSED))
        queued = records.execution(state=records.state(StateType.CREATED, StateType.QUEUED))
        await records.stored(store.journal, suspect, paused, queued, records.ended(records.execution()))
        assert list(await store.waiting.suspects(ALL, LATER, "", 10)) == [suspect.id]
        assert list(await store.waiting.suspects(ALL, suspect.created, "", 10)) == []
        others = [number for number in ALL if number != partition_of(suspect.id)]
        assert list(await store.waiting.suspects(others, LATER, "", 10)) == []

    async def test_situation_holds_everything_that_moves_an_execution(self, store: StorePorts) -> None:
        one = records.execution()
        run = records.task_run(one)
        job, timer = records.job(run), Timer(one.id, LATER, "flowable", run.id, 2)
        await records.stored(
            store.journal,
            one,
            new_task_runs={run.id: run},
            jobs={job.key: (job, "w")},
            timers={(one.id, "flowable", run.id): timer},
            messages=[Message(one.id, SlotFreed()), Message(one.id, SlotFreed())],
        )
        found = await store.waiting.situations([one.id, "none"])
        assert set(found) == {one.id}
        situation = found[one.id]
        assert (situation.execution, list(situation.task_runs)) == (one, [run])
        assert (list(situation.jobs), list(situation.timers)) == ([QueuedJob(job, "w")], [timer])
        assert situation.events == 2

    async def test_job_is_found_by_its_task_run_with_who_has_it(self, store: StorePorts) -> None:
        one = records.execution()
        run = records.task_run(one)
        job = records.job(run)
        await records.stored(store.journal, one, new_task_runs={run.id: run}, jobs={job.key: (job, "w")})
        assert await store.waiting.job(run.id) == QueuedJob(job, "w")
        assert await store.waiting.job("none") is None

    async def test_situation_of_a_parent_tells_of_the_last_try_of_its_child(self, store: StorePorts) -> None:
        parent, run, child = family()
        again = records.execution(
            original_id=child.id, parent=child.parent, created=NOW + SECOND, state=records.state(StateType.CREATED)
        )
        over = records.ended(child, records.state(StateType.CREATED, StateType.RUNNING, StateType.RETRIED))
        await records.stored(
            store.journal, parent, over, again, new_task_runs={run.id: run}, messages=[Message(again.id, SlotFreed())]
        )
        (known,) = (await store.waiting.situations([parent.id]))[parent.id].children.values()
        assert (known.id, known.state, known.is_live, known.events) == (again.id, StateType.CREATED, True, 1)

    async def test_jobs_before_another_are_counted_in_its_group(self, store: StorePorts) -> None:
        one = records.execution()
        first, urgent, asked, later, other = (records.task_run(one) for _ in range(5))
        jobs = [
            records.job(first),
            records.job(urgent, created=NOW + 5, priority=1),
            records.job(asked, created=NOW + 1),
            records.job(later, turn=1),
            records.job(other, worker_group="gpu"),
        ]
        await records.stored(store.journal, one, jobs={job.key: (job, None) for job in jobs})
        assert await store.waiting.jobs_before(jobs[2]) == 2
        assert await store.waiting.jobs_before(jobs[3]) == 3
        assert await store.waiting.jobs_before(jobs[4]) == 0

    async def test_task_run_leads_to_its_execution_while_that_lives(self, store: StorePorts) -> None:
        live, over = records.execution(), records.ended(records.execution())
        runs = [records.task_run(live), records.task_run(over)]
        await records.stored(store.journal, live, over, new_task_runs={run.id: run for run in runs})
        assert await store.waiting.execution_of(runs[0].id) == live.id
        assert await store.waiting.execution_of(runs[1].id) is None

    async def test_partition_held_by_an_executor_says_until_when(self, store: StorePorts) -> None:
        (one,) = await records.stored(store.journal, records.execution())
        assert await store.waiting.decided_until(one.id) == 0
        await store.journal.lease("a", PARTITIONS, 10 * SECOND, NOW)
        assert await store.waiting.decided_until(one.id) == NOW + 10 * SECOND
        await store.journal.release("a")
        assert await store.waiting.decided_until(one.id) == 0


def family() -> tuple[Execution, TaskRun, Execution]:
    """Return an execution, its task run that waits for another execution, and that one."""
    parent = records.execution()
    run = records.task_run(parent)
    flows = StartedFlows("s", ".")
    run = msgspec.structs.replace(run, cursor=Cursor(flows=flows))
    child = records.execution(id=flows.id_of(run, 0), parent=Parent(parent.id, run.id))
    return parent, run, child
