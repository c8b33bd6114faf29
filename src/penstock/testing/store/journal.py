"""The contract every `Journal` keeps about executions, task runs, timers and messages."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

import msgspec
import pytest

from penstock.engine.decision import Killed, Message, Timer
from penstock.engine.events import AnyEvent, ChildEnded, Created, TaskEnded, TimerDue
from penstock.engine.records import Attempt, Cursor, Edits, Fixtures, Metric, Parent, TaskFixture, TriggerOrigin
from penstock.engine.states import StateType
from penstock.ports.journal import PARTITIONS, Batch, partition_of
from penstock.testing.store import records
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW, SECOND, SUCCESS

ALL = range(PARTITIONS)


class JournalContract:
    """What holds for every journal. A subclass gives the fixture `store`."""

    async def test_load_execution_never_stored_is_absent(self, store: StorePorts) -> None:
        assert await store.journal.load(["nobody"]) == {}

    async def test_commit_new_execution_loads_as_the_same_record(self, store: StorePorts) -> None:
        whole = records.execution(
            inputs={"name": "Ada", "nested": {"list": [1, 2.5, None, True]}},
            trigger=TriggerOrigin("daily", "io.kestra.plugin.core.trigger.Schedule", {"date": "2026-01-01"}),
            parent=Parent("parent-execution", "parent-run"),
            schedule_date=NOW + 5,
            kind="TEST",
            attempt_number=3,
            firing_key="daily/2026-01-01",
            breakpoints=("one", "two.value"),
            skip=("three",),
            edits=Edits("earlier", "ada", ("name",), ("run",), ("three",)),
            digest="0f",
            fixtures=Fixtures({"one": TaskFixture(StateType.FAILED, {"n": 1})}, {"a.txt": "kestra:///a.txt"}, True),
            labels=(("team", "data"), ("cost", "low")),
            variables={"a": "b"},
            outputs={"file": "kestra:///x"},
            cursor=Cursor(phase="errors", active=2, failed=True, memory={"index": 7}),
            error="it went wrong",
            version=12,
        )
        await records.stored(store.journal, whole)
        assert (await store.journal.load([whole.id]))[whole.id].execution == whole

    async def test_commit_task_runs_load_as_the_same_records_in_creation_order(self, store: StorePorts) -> None:
        owner = records.execution()
        loop = records.task_run(owner, "loop", items=("a", "b"), cursor=Cursor(active=1), sequence=0)
        child = records.task_run(
            owner,
            "child",
            parent_id=loop.id,
            value="b",
            iteration=1,
            sequence=1,
            state=SUCCESS,
            attempts=(Attempt(SUCCESS, "worker-1", "kestra:///log"),),
            outputs={"value": [1, 2]},
            dynamic=True,
        )
        await records.stored(store.journal, owner, new_task_runs={child.id: child, loop.id: loop})
        assert list((await store.journal.load([owner.id]))[owner.id].task_runs) == [loop, child]

    async def test_load_several_executions_gives_each_its_own_task_runs(self, store: StorePorts) -> None:
        one, two = records.execution(), records.execution()
        runs = {run.id: run for run in (records.task_run(one), records.task_run(two))}
        await records.stored(store.journal, one, two, new_task_runs=runs)
        loaded = await store.journal.load([one.id, two.id, "nobody"])
        assert set(loaded) == {one.id, two.id}
        assert all(run.execution_id == key for key, found in loaded.items() for run in found.task_runs)
        assert [len(found.task_runs) for found in loaded.values()] == [1, 1]

    async def test_commit_changed_records_replaces_what_may_change(self, store: StorePorts) -> None:
        owner = records.execution(inputs={"a": 1}, labels=(("a", "1"),))
        run = records.task_run(owner, items=("x",))
        await records.stored(store.journal, owner, new_task_runs={run.id: run})
        after = msgspec.structs.replace(
            records.ended(owner), labels=(("b", "2"),), outputs={"o": 1}, variables={"v": 2}
        )
        run_after = msgspec.structs.replace(run, state=SUCCESS, outputs={"x": "y"}, attempts=(Attempt(SUCCESS),))
        await store.journal.commit(Batch(executions={owner.id: after}, task_runs={run.id: run_after}))
        loaded = (await store.journal.load([owner.id]))[owner.id]
        assert loaded.execution == after
        assert list(loaded.task_runs) == [run_after]

    async def test_commit_a_loop_of_many_items_keeps_them_all(self, store: StorePorts) -> None:
        owner = records.execution()
        loop = records.task_run(owner, "loop", items=tuple(str(number) for number in range(10_000)))
        children = [records.task_run(owner, "child", parent_id=loop.id, sequence=1 + n) for n in range(3_000)]
        await records.stored(store.journal, owner, new_task_runs={run.id: run for run in (loop, *children)})
        loaded = (await store.journal.load([owner.id]))[owner.id].task_runs
        assert list(loaded) == [loop, *children]

    async def test_commit_values_json_cannot_say_stores_what_can_be_said(self, store: StorePorts) -> None:
        odd = records.execution(
            outputs={"half": "a\ud800b", "nul": "a\x00b", ("tuple", 1): "key", "nan": float("nan")},
            labels=(("nul", "a\x00b"), ("half", "a\udc00b")),
        )
        run = records.task_run(odd, value="a\x00b\ud800")
        metric = Metric("main", "n", "f", odd.id, "t", run.id, "counter", "rows", float("nan"), NOW)
        await records.stored(
            store.journal,
            odd,
            new_task_runs={run.id: run},
            logs=[records.line(odd, "a\x00b\ud800")],
            metrics=[metric],
        )
        loaded = (await store.journal.load([odd.id]))[odd.id]
        outputs = loaded.execution.outputs
        assert outputs is not None
        assert outputs["half"] == "a?b"
        assert outputs["('tuple', 1)"] == "key"
        lines, _ = await store.queries.logs_of(odd.id)
        assert [one.message for one in lines] == ["a\ufffdb?"]

    async def test_commit_a_firing_twice_writes_nothing_of_the_second(self, store: StorePorts) -> None:
        first, second = records.execution(firing_key="k"), records.execution(firing_key="k")
        await records.stored(store.journal, first)
        other = records.execution()
        run = records.task_run(second)
        result = await store.journal.commit(
            records.batch_of(
                second,
                other,
                new_task_runs={run.id: run},
                jobs={(run.id, 1): (records.job(run), None)},
                timers={(second.id, "sla", None): Timer(second.id, NOW, "sla")},
                messages=[records.created(second), records.created(other)],
                logs=[records.line(second)],
            )
        )
        assert list(result.duplicates) == [second.id]
        assert set(await store.journal.load([first.id, second.id, other.id])) == {first.id, other.id}
        assert await store.jobs.unowned() == 0
        assert await store.journal.timers(ALL, NOW, 10) == []
        assert [one.execution_id for one in await store.journal.messages(ALL, 0, 10)] == [other.id]
        assert await store.queries.logs_of(second.id) == ([], 0)

    async def test_commit_one_firing_twice_in_a_batch_writes_one(self, store: StorePorts) -> None:
        first, second = records.execution(firing_key="k"), records.execution(firing_key="k")
        result = await store.journal.commit(records.batch_of(first, second))
        assert len(result.duplicates) == 1
        assert len(await store.journal.load([first.id, second.id])) == 1

    async def test_commit_an_execution_id_again_keeps_the_stored_one(self, store: StorePorts) -> None:
        (before,) = await records.stored(store.journal, records.execution(inputs={"a": 1}))
        again = msgspec.structs.replace(before, inputs={"a": 2})
        result = await store.journal.commit(records.batch_of(again))
        assert list(result.duplicates) == [before.id]
        assert (await store.journal.load([before.id]))[before.id].execution == before

    # -- kills

    async def test_kill_a_job_nobody_has_says_so_and_keeps_it_until_its_end_is_stored(self, store: StorePorts) -> None:
        """BEY-001: whoever is to decide on its end may die before."""
        owner = records.execution()
        run = records.task_run(owner)
        await records.stored(store.journal, owner, jobs={(run.id, 1): (records.job(run), None)})
        order = Killed(owner.id, run.id, 1)
        result = await store.journal.commit(
            Batch(kills=[order, Killed(owner.id, "nothing", 1), Killed(owner.id, run.id, 2)])
        )
        assert list(result.killed_unclaimed) == [order]
        assert list(result.killed_claimed) == []
        assert await store.jobs.unowned() == 1
        await store.journal.commit(Batch(ended_jobs={(run.id, 1): None}))
        assert await store.jobs.unowned() == 0

    async def test_kill_a_job_a_worker_has_names_the_worker_and_keeps_the_job(self, store: StorePorts) -> None:
        await store.jobs.register("w1", "", "host", NOW)
        owner = records.execution()
        run = records.task_run(owner)
        await records.stored(store.journal, owner, jobs={(run.id, 1): (records.job(run), "w1")})
        result = await store.journal.commit(Batch(kills=[Killed(owner.id, run.id, 1)]))
        assert list(result.killed_claimed) == [(Killed(owner.id, run.id, 1), "w1")]
        assert list(result.killed_unclaimed) == []
        assert await store.jobs.release("w1") == 1

    # -- timers

    async def test_timers_due_come_soonest_first_and_later_ones_wait(self, store: StorePorts) -> None:
        owner = records.execution()
        timers = [
            Timer(owner.id, NOW + 2, "pause", "run-1"),
            Timer(owner.id, NOW + 1, "retry", "run-2", 3),
            Timer(owner.id, NOW + 3, "sla"),
        ]
        keys = {(owner.id, one.purpose, one.task_run_id): one for one in timers}
        await store.journal.commit(Batch(timers=keys))
        assert list(await store.journal.timers(ALL, NOW + 2, 10)) == [timers[1], timers[0]]
        assert list(await store.journal.timers(ALL, NOW + 9, 1)) == [timers[1]]
        assert list(await store.journal.timers(ALL, NOW + 9, 10))[-1] == timers[2]

    async def test_timer_set_again_moves_and_cancelled_is_gone(self, store: StorePorts) -> None:
        key = ("e", "retry", None)
        await store.journal.commit(Batch(timers={key: Timer("e", NOW, "retry")}))
        moved = Timer("e", NOW + SECOND, "retry", attempt=2)
        await store.journal.commit(Batch(timers={key: moved}))
        assert list(await store.journal.timers(ALL, NOW + SECOND, 10)) == [moved]
        await store.journal.commit(Batch(cancelled_timers={key}))
        assert list(await store.journal.timers(ALL, NOW + SECOND, 10)) == []

    async def test_timer_cancelled_and_set_in_one_batch_is_set(self, store: StorePorts) -> None:
        key = ("e", "retry", "run")
        timer = Timer("e", NOW, "retry", "run")
        await store.journal.commit(Batch(timers={key: timer}, cancelled_timers={key}))
        assert list(await store.journal.timers(ALL, NOW, 10)) == [timer]

    async def test_timers_of_other_partitions_are_left_to_others(self, store: StorePorts) -> None:
        await store.journal.commit(Batch(timers={("e", "sla", None): Timer("e", NOW, "sla")}))
        mine = partition_of("e")
        assert len(await store.journal.timers([mine], NOW, 10)) == 1
        assert list(await store.journal.timers(set(ALL) - {mine}, NOW, 10)) == []

    # -- messages

    async def test_messages_sent_come_oldest_first_until_consumed(self, store: StorePorts) -> None:
        events: list[AnyEvent] = [
            Created(),
            TaskEnded("run", 1, StateType.SUCCESS, NOW, NOW + 5, "w", {"a": 1}),
            TimerDue("pause", "run"),
            ChildEnded("run", "child", StateType.FAILED, {"o": 1}, 4),
        ]
        await store.journal.send([Message("e", event) for event in events])
        found = await store.journal.messages(ALL, 0, 10)
        assert [one.event for one in found] == events
        assert [one.execution_id for one in found] == ["e"] * 4
        await store.journal.commit(Batch(consumed=[found[0].id, found[2].id]))
        left = await store.journal.messages(ALL, 0, 10)
        assert [one.event for one in left] == [events[1], events[3]]

    async def test_messages_asked_for_behind_one_or_few_at_a_time_page(self, store: StorePorts) -> None:
        await store.journal.commit(Batch(messages=[Message("e", TimerDue(str(number))) for number in range(5)]))
        first = await store.journal.messages(ALL, 0, 2)
        second = await store.journal.messages(ALL, first[-1].id, 10)
        purposes = [one.event.purpose for one in (*first, *second) if isinstance(one.event, TimerDue)]
        assert purposes == ["0", "1", "2", "3", "4"]

    async def test_messages_of_other_partitions_are_left_to_others(self, store: StorePorts) -> None:
        await store.journal.send([Message("e", Created())])
        assert list(await store.journal.messages(set(ALL) - {partition_of("e")}, 0, 10)) == []
        assert len(await store.journal.messages([partition_of("e")], 0, 10)) == 1

    async def test_message_ids_after_all_were_consumed_are_not_given_again(self, store: StorePorts) -> None:
        await store.journal.send([Message("e", Created())])
        (first,) = await store.journal.messages(ALL, 0, 10)
        await store.journal.commit(Batch(consumed=[first.id]))
        await store.journal.send([Message("e", Created())])
        (second,) = await store.journal.messages(ALL, first.id, 10)
        assert second.id > first.id

    async def test_send_says_which_executions_it_left_out(self, store: StorePorts) -> None:
        first = records.execution(firing_key="key")
        second = records.execution(firing_key="key")
        assert await store.journal.send([records.created(first)], new=[first]) == set()
        assert await store.journal.send([records.created(second)], new=[second]) == {second.id}
        assert await store.journal.send([records.created(first)]) == set()

    async def test_send_with_an_execution_stores_both_and_once(self, store: StorePorts) -> None:
        first, second = records.execution(firing_key="k"), records.execution(firing_key="k")
        for one in (first, second):
            await store.journal.send([records.created(one)], new=[one], logs=[records.line(one)])
        assert set(await store.journal.load([first.id, second.id])) == {first.id}
        assert [one.execution_id for one in await store.journal.messages(ALL, 0, 10)] == [first.id]
        assert (await store.queries.logs_of(second.id))[0] == []
        assert len((await store.queries.logs_of(first.id))[0]) == 1

    # -- recovery

    @pytest.mark.parametrize("size", [1, 2, 10])
    async def test_live_executions_are_paged_by_id(self, store: StorePorts, size: int) -> None:
        alive = await records.stored(store.journal, *(records.execution() for _ in range(5)))
        await records.stored(store.journal, records.ended(records.execution()))
        found: list[str] = []
        while page := await store.journal.live(ALL, found[-1] if found else "", size):
            found += page
        assert found == sorted(one.id for one in alive)

    async def test_live_execution_that_ends_is_no_longer_listed(self, store: StorePorts) -> None:
        (one,) = await records.stored(store.journal, records.execution())
        after = msgspec.structs.replace(one, state=SUCCESS, cursor=Cursor(phase="afterExecution", active=1))
        await store.journal.commit(Batch(executions={one.id: after}))
        assert list(await store.journal.live(ALL, "", 10)) == [one.id]
        await store.journal.commit(Batch(executions={one.id: records.ended(one)}))
        assert list(await store.journal.live(ALL, "", 10)) == []

    async def test_live_executions_of_other_partitions_are_left_to_others(self, store: StorePorts) -> None:
        (one,) = await records.stored(store.journal, records.execution())
        assert list(await store.journal.live(set(ALL) - {partition_of(one.id)}, "", 10)) == []
