"""The contract every `EvaluationStore` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from penstock.engine.decision import Job
from penstock.engine.events import Created
from penstock.ports.evaluations import Step
from penstock.ports.journal import PARTITIONS
from penstock.ports.triggers import Outcome, TriggerState
from penstock.testing.store import records
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW, SECOND

IDLE = TriggerState("main", "company.team", "hello", "watch", type="org.example.Watch", flow_revision=1, next_date=NOW)
JOB = Job("evaluation1", 1, "execution1", "main", "company.team", "hello", 1, "watch", created=NOW, trigger_id="watch")
EVALUATING = replace(IDLE, evaluation=JOB.task_run_id, evaluating_since=NOW, next_date=NOW + SECOND)
OFFER = Step(IDLE, EVALUATING, offered=JOB)
OVER = replace(IDLE, date=NOW, next_date=NOW + 2 * SECOND)


async def offered(store: StorePorts, worker: str = "w1") -> None:
    """Store a trigger whose evaluation a worker has."""
    await store.triggers.save(IDLE)
    assert await store.evaluations.take(OFFER) is Outcome.DONE
    await store.jobs.register(worker, "", "host", NOW)
    assert list(await store.jobs.claim(worker, "", 5, NOW)) == [JOB]


class EvaluationStoreContract:
    """What holds for every store of evaluations. A subclass gives the fixture `store`."""

    async def test_take_an_offer_moves_the_trigger_and_gives_the_job_to_workers(self, store: StorePorts) -> None:
        """ENG-264, ENG-307."""
        await offered(store)
        assert await store.triggers.get(*IDLE.key) == EVALUATING
        assert list(await store.jobs.owned("w1")) == [JOB]

    async def test_evaluation_without_a_job_is_lost(self, store: StorePorts) -> None:
        """BEY-001."""
        await offered(store)
        assert set(await store.evaluations.lost([JOB.task_run_id, "another"])) == {"another"}
        await store.evaluations.end(JOB.task_run_id)
        assert set(await store.evaluations.lost([JOB.task_run_id])) == {JOB.task_run_id}

    async def test_take_an_offer_by_many_at_once_makes_one_job(self, store: StorePorts) -> None:
        """ENG-264."""
        await store.triggers.save(IDLE)
        steps = [
            Step(IDLE, replace(EVALUATING, evaluation=name), offered=replace(JOB, task_run_id=name)) for name in "abcd"
        ]
        outcomes = await asyncio.gather(*(store.evaluations.take(step) for step in steps))
        assert sorted(outcomes) == [Outcome.DONE, Outcome.STALE, Outcome.STALE, Outcome.STALE]
        assert await store.jobs.unowned() == 1

    async def test_take_an_end_with_an_execution_creates_it_and_ends_the_job(self, store: StorePorts) -> None:
        await offered(store)
        execution = records.execution(firing_key="watch/1")
        step = Step(EVALUATING, replace(OVER, execution_id=execution.id), ended=JOB, execution=execution)
        assert await store.evaluations.take(step) is Outcome.DONE
        assert list(await store.jobs.owned("w1")) == []
        assert await store.queries.head("main", execution.id) == execution
        (message,) = await store.journal.messages(range(PARTITIONS), 0, 10)
        assert (message.execution_id, message.event) == (execution.id, Created())

    async def test_take_a_rejected_execution_tells_its_inbox_why(self, store: StorePorts) -> None:
        """ENG-269."""
        await offered(store)
        step = Step(EVALUATING, OVER, ended=JOB, execution=records.execution(), reject="it broke")
        assert await store.evaluations.take(step) is Outcome.DONE
        (message,) = await store.journal.messages(range(PARTITIONS), 0, 10)
        assert message.event == Created("it broke")

    async def test_take_the_same_end_twice_makes_one_execution(self, store: StorePorts) -> None:
        """BEY-006."""
        await offered(store)
        steps = [Step(EVALUATING, OVER, ended=JOB, execution=records.execution(firing_key="watch/1")) for _ in "ab"]
        assert await store.evaluations.take(steps[0]) is Outcome.DONE
        assert await store.evaluations.take(steps[1]) is Outcome.STALE
        assert len(await store.journal.messages(range(PARTITIONS), 0, 10)) == 1

    async def test_take_a_firing_that_exists_writes_nothing(self, store: StorePorts) -> None:
        await offered(store)
        await records.stored(store.journal, records.execution(firing_key="watch/1"))
        step = Step(EVALUATING, OVER, ended=JOB, execution=records.execution(firing_key="watch/1"))
        assert await store.evaluations.take(step) is Outcome.KNOWN
        assert await store.triggers.get(*IDLE.key) == EVALUATING
        assert list(await store.jobs.owned("w1")) == [JOB]

    async def test_take_an_event_of_a_worker_that_was_given_up_writes_nothing(self, store: StorePorts) -> None:
        """ENG-313."""
        await offered(store)
        execution = records.execution()
        step = Step(EVALUATING, replace(EVALUATING, date=NOW), held=(JOB, "w1"), execution=execution)
        await store.jobs.release("w1")
        assert await store.evaluations.take(step) is Outcome.LOST
        assert await store.queries.head("main", execution.id) is None
        await store.jobs.register("w1", "", "host", NOW)
        assert list(await store.jobs.claim("w1", "", 5, NOW)) == [JOB]
        assert await store.evaluations.take(step) is Outcome.DONE

    async def test_take_a_step_of_a_trigger_that_was_forgotten_writes_nothing(self, store: StorePorts) -> None:
        await offered(store)
        await store.triggers.delete(*IDLE.key)
        assert await store.evaluations.take(Step(EVALUATING, OVER, ended=JOB)) is Outcome.STALE
        assert await store.triggers.get(*IDLE.key) is None

    async def test_take_a_first_step_is_taken_once(self, store: StorePorts) -> None:
        first = Step(TriggerState(*IDLE.key), IDLE)
        assert await store.evaluations.take(first) is Outcome.DONE
        assert await store.evaluations.take(first) is Outcome.STALE
        assert await store.triggers.get(*IDLE.key) == IDLE

    async def test_withdraw_a_job_that_waits_ends_it(self, store: StorePorts) -> None:
        await store.triggers.save(IDLE)
        await store.evaluations.take(OFFER)
        assert await store.evaluations.withdraw("evaluation1") is None
        assert await store.jobs.unowned() == 0

    async def test_withdraw_a_job_that_a_worker_has_names_it(self, store: StorePorts) -> None:
        await offered(store)
        assert await store.evaluations.withdraw("evaluation1") == "w1"
        assert list(await store.jobs.owned("w1")) == [JOB]
        await store.evaluations.end("evaluation1")
        assert list(await store.jobs.owned("w1")) == []
