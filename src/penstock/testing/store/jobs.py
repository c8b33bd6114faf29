"""The contract every `JobQueue` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from penstock.engine.decision import Job, Timer
from penstock.ports.depths import Depth
from penstock.ports.journal import Batch, StaleReports
from penstock.ports.triggers import TriggerState
from penstock.testing.store import records
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW, SECOND


async def offered(store: StorePorts, *changes: dict[str, object], owner: str | None = None) -> Sequence[Job]:
    """Store one job per set of changes and return them."""
    execution = records.execution()
    jobs = [records.job(records.task_run(execution), **change) for change in changes]  # type: ignore[arg-type]
    await records.stored(store.journal, execution, jobs={one.key: (one, owner) for one in jobs})
    return jobs


class JobQueueContract:
    """What holds for every queue of jobs. A subclass gives the fixture `store`."""

    async def test_claim_gives_highest_priority_first_then_oldest(self, store: StorePorts) -> None:
        late, early, urgent = await offered(store, {"created": NOW + 2}, {"created": NOW + 1}, {"priority": 5})
        await store.jobs.register("w1", "", "host", NOW)
        assert list(await store.jobs.claim("w1", "", 2, NOW)) == [urgent, early]
        assert list(await store.jobs.claim("w1", "", 2, NOW)) == [late]
        assert list(await store.jobs.claim("w1", "", 2, NOW)) == []

    async def test_claim_gives_jobs_by_their_turns(self, store: StorePorts) -> None:
        """BEY-011."""
        last, first, urgent = await offered(
            store, {"turn": 7, "created": NOW - 1}, {"turn": 2}, {"turn": 9, "priority": 1}
        )
        assert await store.jobs.turns() == {("", 0): 2, ("", 1): 9}
        await store.jobs.register("w1", "", "host", NOW)
        assert list(await store.jobs.claim("w1", "", 2, NOW)) == [urgent, first]
        assert await store.jobs.turns() == {("", 0): 7}
        assert list(await store.jobs.claim("w1", "", 2, NOW)) == [last]
        assert await store.jobs.turns() == {}

    async def test_depths_tell_what_waits_and_since_when(self, store: StorePorts) -> None:
        """BEY-011, OPS-148."""
        one, _ = await offered(store, {"worker_group": "gpu", "created": NOW + 3}, {"worker_group": "gpu"})
        await store.journal.send([records.created(records.execution(id=one.execution_id))])
        await records.stored(store.journal, timers={("e", "start", ""): Timer("e", NOW, "start")})
        found = {(depth.queue, depth.group): depth for depth in await store.depths.depths(NOW)}
        assert found["jobs", "gpu"] == Depth("jobs", "gpu", 2, NOW)
        assert found["jobs", ""] == Depth("jobs", "", 0)
        assert found["messages", ""].count == 1
        assert found["timers", ""] == Depth("timers", "", 1, NOW)
        assert Depth("timers", "", 0) in await store.depths.depths(NOW - 1)

    async def test_depths_tell_late_triggers_and_workers(self, store: StorePorts) -> None:
        """BEY-005."""
        await store.jobs.register("w1", "gpu", "host", NOW)
        await store.jobs.register("w2", "gpu", "host", NOW + SECOND)
        late = TriggerState("main", "n", "f", "late", next_date=NOW)
        await store.triggers.save(late)
        await store.triggers.save(replace(late, trigger_id="evaluated", evaluation="x"))
        found = await store.depths.depths(NOW + 60 * SECOND)
        assert Depth("workers", "gpu", 2, NOW) in found
        assert Depth("triggers", "", 1, NOW) in found
        assert Depth("triggers", "", 0) in await store.depths.depths(NOW + SECOND)

    async def test_claim_gives_jobs_of_the_own_group_only(self, store: StorePorts) -> None:
        (gpu,) = await offered(store, {"worker_group": "gpu"})
        await store.jobs.register("w1", "", "host", NOW)
        await store.jobs.register("w2", "gpu", "host", NOW)
        assert list(await store.jobs.claim("w1", "", 5, NOW)) == []
        assert list(await store.jobs.claim("w2", "gpu", 5, NOW)) == [gpu]

    async def test_owned_names_the_jobs_of_one_worker(self, store: StorePorts) -> None:
        mine, others = await offered(store, {"priority": 2}, {"priority": 1})
        for name, expected in (("w1", mine), ("w2", others)):
            await store.jobs.register(name, "", "host", NOW)
            assert list(await store.jobs.claim(name, "", 1, NOW)) == [expected]
        assert list(await store.jobs.owned("w1")) == [mine]
        await store.jobs.release("w1")
        assert list(await store.jobs.owned("w1")) == []

    async def test_strand_takes_jobs_that_do_not_wait_and_have_no_worker(self, store: StorePorts) -> None:
        """ENG-047."""
        gone, _, _, _ = await offered(
            store,
            {"worker_group": "gpu", "fallback": "FAIL"},
            {"worker_group": "gpu"},
            {"worker_group": "cpu", "fallback": "CANCEL"},
            {"fallback": "WAIT"},
        )
        await store.jobs.register("w1", "cpu", "host", NOW)
        assert list(await store.jobs.strand("stranded")) == [gone]
        assert list(await store.jobs.strand("stranded")) == []
        assert await store.jobs.unowned() == 3
        await store.jobs.expire(SECOND, NOW)
        assert list(await store.jobs.strand("stranded")) == [gone]

    async def test_jobs_that_no_live_execution_needs_are_dropped_unless_somebody_has_them(
        self, store: StorePorts
    ) -> None:
        """BEY-001."""
        gone: dict[str, object] = {"execution_id": "gone"}
        await offered(store, gone | {"priority": 1}, gone, {}, gone | {"created": NOW + SECOND})
        await store.jobs.register("w", "", "host", NOW)
        (held,) = await store.jobs.claim("w", "", 1, NOW)
        ((dropped, state),) = await store.jobs.drop_strays(NOW + SECOND)
        assert (dropped.execution_id, state, dropped.key != held.key) == ("gone", None, True)
        assert list(await store.jobs.drop_strays(NOW + SECOND)) == []
        assert await store.jobs.unowned() == 2
        assert [job.key for job in await store.jobs.owned("w")] == [held.key]

    async def test_claim_by_a_worker_nobody_knows_gives_nothing(self, store: StorePorts) -> None:
        await offered(store, {})
        assert list(await store.jobs.claim("stranger", "", 5, NOW)) == []
        assert await store.jobs.unowned() == 1

    async def test_claim_by_many_at_once_gives_no_job_twice(self, store: StorePorts) -> None:
        jobs = await offered(store, *({} for _ in range(200)))
        names = [f"w{number}" for number in range(8)]
        for name in names:
            await store.jobs.register(name, "", "host", NOW)

        async def work(name: str) -> list[tuple[str, int]]:
            mine: list[tuple[str, int]] = []
            while found := await store.jobs.claim(name, "", 7, NOW):
                mine += [one.key for one in found]
            return mine

        taken = [key for keys in await asyncio.gather(*(work(name) for name in names)) for key in keys]
        assert len(taken) == len(set(taken))
        # A claim may pass by rows that another one holds for a moment; a later one finds them.
        taken += await work("w0")
        assert sorted(taken) == sorted(one.key for one in jobs)

    async def test_job_given_to_a_worker_at_birth_is_not_claimed_by_another(self, store: StorePorts) -> None:
        await store.jobs.register("w1", "", "host", NOW)
        await store.jobs.register("w2", "", "host", NOW)
        await offered(store, {}, owner="w1")
        assert list(await store.jobs.claim("w2", "", 5, NOW)) == []
        assert await store.jobs.unowned() == 0

    async def test_job_stored_twice_stays_with_who_has_it(self, store: StorePorts) -> None:
        await store.jobs.register("w1", "", "host", NOW)
        (one,) = await offered(store, {}, owner="w1")
        await store.journal.commit(Batch(jobs={one.key: (one, None)}))
        assert await store.jobs.unowned() == 0

    async def test_job_whose_end_is_decided_is_gone(self, store: StorePorts) -> None:
        first, second = await offered(store, {}, {})
        await store.journal.commit(Batch(ended_jobs={first.key: None}))
        await store.jobs.register("w1", "", "host", NOW)
        assert list(await store.jobs.claim("w1", "", 5, NOW)) == [second]

    async def test_job_whose_end_is_decided_twice_is_no_error(self, store: StorePorts) -> None:
        (one,) = await offered(store, {}, owner="w1")
        for _ in range(2):
            await store.journal.commit(Batch(ended_jobs={one.key: "w1"}))
        assert await store.jobs.unowned() == 0

    async def test_end_reported_by_a_worker_whose_job_another_has_writes_nothing(self, store: StorePorts) -> None:
        """BEY-001, OPS-129."""
        late, fine = await offered(store, {"created": NOW}, {"created": NOW + 1})
        await store.jobs.register("w2", "", "host", NOW)
        assert list(await store.jobs.claim("w2", "", 1, NOW)) == [late]
        ended: dict[tuple[str, int], str | None] = {fine.key: "w1", late.key: "w1"}
        with pytest.raises(StaleReports) as sent:
            await store.journal.send((), ended_jobs=ended)
        with pytest.raises(StaleReports) as decided:
            await store.journal.commit(Batch(ended_jobs=ended))
        assert sent.value.holders == decided.value.holders == {late.key: "w2"}
        assert await store.jobs.unowned() == 1
        assert list(await store.jobs.owned("w2")) == [late]

    async def test_end_reported_of_a_job_that_nobody_has_counts(self, store: StorePorts) -> None:
        (one,) = await offered(store, {})
        await store.journal.send((), ended_jobs={one.key: "w1"})
        assert await store.jobs.unowned() == 0

    async def test_owned_jobs_are_told_but_for_those_known(self, store: StorePorts) -> None:
        known, unknown = await offered(store, {"created": NOW}, {"created": NOW + 1}, owner="w1")
        assert list(await store.jobs.owned("w1", {known.key})) == [unknown]

    async def test_release_hands_back_all_and_forgets_the_worker(self, store: StorePorts) -> None:
        jobs = await offered(store, {}, {})
        await store.jobs.register("w1", "", "host", NOW)
        await store.jobs.claim("w1", "", 5, NOW)
        assert await store.jobs.release("w1") == 2
        assert await store.jobs.unowned() == len(jobs)
        assert await store.jobs.workers() == []
        assert await store.jobs.heartbeat("w1", NOW) is False

    async def test_expire_gives_up_the_silent_and_keeps_the_others(self, store: StorePorts) -> None:
        await store.jobs.register("silent", "", "host", NOW)
        await store.jobs.register("loud", "", "host", NOW)
        lost, kept = await offered(store, {"created": NOW}, {"created": NOW + 1})
        assert list(await store.jobs.claim("silent", "", 1, NOW)) == [lost]
        assert list(await store.jobs.claim("loud", "", 1, NOW)) == [kept]
        assert await store.jobs.heartbeat("loud", NOW + 10 * SECOND) is True
        assert list(await store.jobs.expire(5 * SECOND, NOW + 11 * SECOND)) == ["silent"]
        assert await store.jobs.heartbeat("silent", NOW + 11 * SECOND) is False
        assert [worker.id for worker in await store.jobs.workers()] == ["loud"]
        assert list(await store.jobs.claim("loud", "", 5, NOW)) == [lost]

    async def test_server_that_begins_alone_gives_up_all_workers_but_remote_ones(self, store: StorePorts) -> None:
        """Those are as if heard of now: while no server ran, nobody could have heard them."""
        await store.jobs.register("inner", "", "host", NOW)
        await store.jobs.register("remote", "", "host", NOW, is_remote=True)
        (freed,) = await offered(store, {"created": NOW}, owner="inner")
        (stray,) = await offered(store, {"created": NOW + 1}, owner="never-registered")
        (kept,) = await offered(store, {"created": NOW + 2}, owner="remote")
        now = NOW + 100 * SECOND
        assert list(await store.jobs.begin_alone(now)) == ["inner"]
        assert [(worker.id, worker.heartbeat) for worker in await store.jobs.workers()] == [("remote", now)]
        assert list(await store.jobs.owned("remote")) == [kept]
        assert list(await store.jobs.claim("remote", "", 5, now)) == [freed, stray]

    async def test_expire_with_everybody_alive_gives_up_nobody(self, store: StorePorts) -> None:
        await store.jobs.register("w1", "", "host", NOW)
        assert list(await store.jobs.expire(5 * SECOND, NOW + 5 * SECOND)) == []

    async def test_expire_frees_jobs_of_owners_nobody_knows(self, store: StorePorts) -> None:
        await offered(store, {}, owner="never-registered")
        assert await store.jobs.unowned() == 0
        assert list(await store.jobs.expire(5 * SECOND, NOW)) == []
        assert await store.jobs.unowned() == 1

    async def test_workers_known_are_listed_with_their_heartbeat(self, store: StorePorts) -> None:
        await store.jobs.register("w1", "gpu", "host-1", NOW)
        await store.jobs.heartbeat("w1", NOW + 7)
        (worker,) = await store.jobs.workers()
        assert (worker.id, worker.group, worker.hostname) == ("w1", "gpu", "host-1")
        assert (worker.started, worker.heartbeat, worker.state) == (NOW, NOW + 7, "RUNNING")

    async def test_worker_registered_again_is_known_once(self, store: StorePorts) -> None:
        await store.jobs.register("w1", "", "host", NOW)
        await store.jobs.register("w1", "", "host", NOW + 1)
        assert [worker.started for worker in await store.jobs.workers()] == [NOW + 1]
