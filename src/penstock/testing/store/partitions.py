"""The contract every `Journal` keeps about partitions: who holds them, and that nobody else writes to them."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

import asyncio

import pytest

from penstock.engine.decision import Message, Timer
from penstock.engine.events import Created, Kill
from penstock.engine.states import StateType
from penstock.ports.journal import COUNTED, PARTITIONS, Batch, KeyTaken, LeaseLost, Occupancy, partition_of
from penstock.testing.store import records
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW, SECOND

TTL = 10 * SECOND


class PartitionsContract:
    """What holds for leases of every journal. A subclass gives the fixture `store`."""

    async def test_lease_by_one_executor_takes_all(self, store: StorePorts) -> None:
        leases = await store.journal.lease("a", PARTITIONS, TTL, NOW)
        assert [lease.partition for lease in leases] == list(range(PARTITIONS))
        assert {lease.expires for lease in leases} == {NOW + TTL}

    async def test_lease_renewed_keeps_its_tokens(self, store: StorePorts) -> None:
        before = await store.journal.lease("a", PARTITIONS, TTL, NOW)
        after = await store.journal.lease("a", PARTITIONS, TTL, NOW + SECOND)
        assert [lease.token for lease in after] == [lease.token for lease in before]
        assert {lease.expires for lease in after} == {NOW + SECOND + TTL}

    async def test_lease_by_two_executors_shares_when_the_first_gives_back(self, store: StorePorts) -> None:
        await store.journal.lease("a", PARTITIONS, TTL, NOW)
        assert list(await store.journal.lease("b", PARTITIONS // 2, TTL, NOW)) == []
        kept = await store.journal.lease("a", PARTITIONS // 2, TTL, NOW)
        taken = await store.journal.lease("b", PARTITIONS // 2, TTL, NOW)
        assert len(kept) == len(taken) == PARTITIONS // 2
        assert {lease.partition for lease in kept}.isdisjoint(lease.partition for lease in taken)

    async def test_lease_that_expired_is_taken_over_with_a_higher_token(self, store: StorePorts) -> None:
        before = {one.partition: one.token for one in await store.journal.lease("a", PARTITIONS, TTL, NOW)}
        assert list(await store.journal.lease("b", PARTITIONS, TTL, NOW + TTL - 1)) == []
        after = await store.journal.lease("b", PARTITIONS, TTL, NOW + TTL)
        assert len(after) == PARTITIONS
        assert all(lease.token > before[lease.partition] for lease in after)

    async def test_lease_at_the_same_time_gives_each_partition_to_one(self, store: StorePorts) -> None:
        names = [f"executor-{number}" for number in range(6)]
        found = await asyncio.gather(*(store.journal.lease(name, 20, TTL, NOW) for name in names))
        held = [lease.partition for leases in found for lease in leases]
        assert len(held) == len(set(held))
        # Whoever lost a race takes what is free with the next renewal.
        again = [await store.journal.lease(name, 20, TTL, NOW) for name in names]
        held = [lease.partition for leases in again for lease in leases]
        assert sorted(held) == list(range(PARTITIONS))

    async def test_lease_gives_back_the_partition_of_limits_last(self, store: StorePorts) -> None:
        await store.journal.lease("a", PARTITIONS, TTL, NOW)
        for wanted in (PARTITIONS // 2, 1):
            kept = await store.journal.lease("a", wanted, TTL, NOW)
            assert COUNTED in {lease.partition for lease in kept}
            assert len(kept) == wanted

    async def test_executors_that_live_are_counted(self, store: StorePorts) -> None:
        assert await store.journal.enrol("a", TTL, NOW) == 1
        assert await store.journal.enrol("b", TTL, NOW + SECOND) == 2
        assert await store.journal.enrol("a", TTL, NOW + 2 * SECOND) == 2
        assert await store.journal.enrol("c", TTL, NOW + SECOND + TTL) == 2
        await store.journal.release("a")
        assert await store.journal.enrol("c", TTL, NOW + SECOND + TTL) == 1
        await store.journal.release("*")
        assert await store.journal.enrol("d", TTL, NOW + SECOND + TTL) == 1

    async def test_release_gives_back_at_once(self, store: StorePorts) -> None:
        await store.journal.lease("a", PARTITIONS, TTL, NOW)
        await store.journal.release("a")
        assert len(await store.journal.lease("b", PARTITIONS, TTL, NOW)) == PARTITIONS

    async def test_release_of_somebody_else_changes_nothing(self, store: StorePorts) -> None:
        await store.journal.lease("a", PARTITIONS, TTL, NOW)
        await store.journal.release("b")
        assert list(await store.journal.lease("b", PARTITIONS, TTL, NOW)) == []

    async def test_release_of_everybody_gives_back_all(self, store: StorePorts) -> None:
        await store.journal.lease("a", 10, TTL, NOW)
        await store.journal.lease("b", 10, TTL, NOW)
        await store.journal.release("*")
        assert len(await store.journal.lease("c", PARTITIONS, TTL, NOW)) == PARTITIONS

    async def test_commit_with_tokens_that_hold_is_written(self, store: StorePorts) -> None:
        fences = {one.partition: one.token for one in await store.journal.lease("a", PARTITIONS, TTL, NOW)}
        one = records.execution()
        await store.journal.commit(records.batch_of(one, fences=fences))
        assert set(await store.journal.load([one.id])) == {one.id}

    async def test_commit_after_a_take_over_is_refused_and_writes_nothing(self, store: StorePorts) -> None:
        fences = {one.partition: one.token for one in await store.journal.lease("a", PARTITIONS, TTL, NOW)}
        later = await store.journal.lease("b", PARTITIONS, TTL, NOW + TTL)
        one = records.execution()
        with pytest.raises(LeaseLost):
            await store.journal.commit(records.batch_of(one, fences=fences, logs=[records.line(one)]))
        assert await store.journal.load([one.id]) == {}
        assert await store.queries.logs_of(one.id) == ([], 0)
        await store.journal.commit(records.batch_of(one, fences={lease.partition: lease.token for lease in later}))
        assert set(await store.journal.load([one.id])) == {one.id}

    async def test_commit_after_giving_back_one_partition_is_refused_for_that_one(self, store: StorePorts) -> None:
        await store.journal.lease("a", PARTITIONS, TTL, NOW)
        kept = {one.partition: one.token for one in await store.journal.lease("a", 1, TTL, NOW)}
        one = records.execution()
        await store.journal.commit(records.batch_of(one, fences=kept))
        lost = next(number for number in range(PARTITIONS) if number not in kept)
        with pytest.raises(LeaseLost, match=str(lost)):
            await store.journal.commit(records.batch_of(records.execution(), fences={**kept, lost: 1}))

    async def test_partition_of_an_id_is_stable(self, store: StorePorts) -> None:
        one = records.execution(id="0000000000000000000042")
        await records.stored(store.journal, one)
        assert list(await store.journal.live([partition_of(one.id)], "", 10)) == [one.id]

    # -- what limits count

    async def test_execution_that_a_limit_counts_moves_with_its_timers(self, store: StorePorts) -> None:
        (one,) = await records.stored(store.journal, records.execution())
        timer = Timer(one.id, NOW, "start")
        await store.journal.commit(Batch(timers={(one.id, "start", None): timer}))
        await store.journal.commit(Batch(counted={one.id}))
        assert (await store.journal.load([one.id]))[one.id].partition == COUNTED
        assert list(await store.journal.timers([COUNTED], NOW, 10)) == [timer]
        assert list(await store.journal.live([COUNTED], "", 10)) == [one.id]

    async def test_events_and_timers_follow_the_execution_they_are_for(self, store: StorePorts) -> None:
        first, second = records.execution(), records.execution()
        await store.journal.commit(records.batch_of(first, second, counted={first.id}))
        events = [Message(first.id, Created()), Message(second.id, Created()), Message(first.id, Kill())]
        timers: dict[tuple[str, str, str | None], Timer] = {
            (one.id, "retry", "r"): Timer(one.id, NOW, "retry", "r") for one in (first, second)
        }
        await store.journal.commit(Batch(messages=events, timers=timers))
        found = await store.journal.messages([COUNTED], 0, 10)
        assert [(one.execution_id, one.event, one.partition) for one in found] == [
            (first.id, Created(), COUNTED),
            (first.id, Kill(), COUNTED),
        ]
        (other,) = await store.journal.messages([partition_of(second.id)], 0, 10)
        assert other.execution_id == second.id
        assert [one.execution_id for one in await store.journal.timers([COUNTED], NOW, 10)] == [first.id]

    async def test_occupancy_tells_what_is_not_where_limits_are_counted(self, store: StorePorts) -> None:
        counted, elsewhere = records.execution(), records.execution(created=NOW + 1)
        waiting = records.execution(created=NOW + 2, state=records.state(StateType.CREATED, StateType.QUEUED))
        await store.journal.commit(records.batch_of(counted, elsewhere, waiting, counted={counted.id, waiting.id}))
        key = (counted.tenant, counted.namespace, counted.flow_id)
        expected = Occupancy([counted.id, elsewhere.id], [waiting.id], {elsewhere.id})
        assert await store.journal.occupancy(*key) == expected
        assert await store.journal.elsewhere([key, ("main", "company", "other")]) == {elsewhere.id: key}
        assert await store.journal.elsewhere([("main", "company", "other")]) == {}
        await store.journal.commit(Batch(executions={elsewhere.id: records.ended(elsewhere)}))
        assert await store.journal.elsewhere([key]) == {}

    async def test_commit_of_a_first_that_is_not_the_first_writes_nothing(self, store: StorePorts) -> None:
        """BEY-044."""
        first, second, parent = (records.execution(firing_key=key) for key in ("key", "key", None))
        await store.journal.commit(records.batch_of(first, firsts={first.id}))
        with pytest.raises(KeyTaken):
            await store.journal.commit(records.batch_of(second, parent, firsts={second.id}))
        assert set(await store.journal.load([first.id, second.id, parent.id])) == {first.id}
