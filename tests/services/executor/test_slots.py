"""Slots are counted from stored executions, at whatever moment the counting begins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock.base.clock import SystemClock
from penstock.base.errors import NotFoundError
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import NO_PINS, Execution, Parent, Pins
from penstock.engine.states import StateType
from penstock.ports.journal import Batch
from penstock.services.executor import Limits
from penstock.services.executor.slots import Slots
from penstock.store import Store, open_store
from penstock.testing.store import records
from tests.engine.harness import flow_of

CREATED = records.state(StateType.CREATED)
QUEUED = records.state(StateType.CREATED, StateType.QUEUED)


class OneFlow:
    """A source with one flow of a limit that the test sets."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def cached(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, pins: Pins = NO_PINS
    ) -> ResolvedFlow | None:
        if flow_id != "hello":
            return None
        task = "{id: a, type: io.kestra.plugin.core.log.Log, message: x}"
        return flow_of(f"id: hello\nnamespace: company.team\nconcurrency: {{limit: {self.limit}}}\ntasks: [{task}]")

    async def resolved(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, pins: Pins = NO_PINS
    ) -> ResolvedFlow:
        found = self.cached(tenant, namespace, flow_id, revision, pins)
        if found is None:
            raise NotFoundError(f"there is no flow {flow_id}")
        return found


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'slots.db'}", SystemClock())
    yield opened
    await opened.close()


def slots_of(store: Store, limit: int) -> Slots:
    return Slots(store.journal, OneFlow(limit), Limits(), lambda _: None)


def waiting(at: int, **changes: object) -> Execution:
    return records.execution(state=QUEUED, created=records.NOW + at, **changes)


async def counted(store: Store, *executions: Execution) -> None:
    """Store executions where limits are counted."""
    await records.stored(store.journal, *executions, counted={one.id for one in executions})


async def test_slot_of_an_execution_that_ended_before_it_was_counted_is_free(store: Store) -> None:
    """BEY-003: its end is decided on, and not stored yet, when the first other one asks."""
    (running,) = await records.stored(store.journal, records.execution())
    slots = slots_of(store, 1)
    assert await slots.ended(running) == []
    assert await slots.ask(records.execution(state=CREATED)) is None
    assert await slots.ask(records.execution(state=CREATED)) == "QUEUE"


async def test_execution_that_asks_twice_has_one_slot(store: Store) -> None:
    """BEY-003."""
    slots = slots_of(store, 2)
    first, second = records.execution(state=CREATED), records.execution(state=CREATED)
    assert [await slots.ask(one) for one in (first, first, second)] == [None, None, None]
    assert await slots.ask(records.execution(state=CREATED)) == "QUEUE"


async def test_queue_is_counted_anew_in_its_order_and_emptied_by_ends(store: Store) -> None:
    """ENG-252, BEY-003."""
    running = records.execution()
    later, sooner = waiting(2), waiting(1)
    await counted(store, running, later, sooner)
    slots = slots_of(store, 1)
    await slots.recover()
    assert await slots.ended(running) == [sooner.id]
    assert await slots.ended(sooner) == [later.id]
    assert await slots.ended(later) == []


async def test_raised_limit_admits_as_many_as_there_is_room_for(store: Store) -> None:
    """ENG-253."""
    running, queue = records.execution(), [waiting(at) for at in range(4)]
    await counted(store, running, *queue)
    flows = OneFlow(1)
    slots = Slots(store.journal, flows, Limits(), lambda _: None)
    await slots.recover()
    (key,) = slots.waited_for()
    assert await slots.admitted(key) == []
    flows.limit = 3
    assert await slots.admitted(key) == [queue[0].id, queue[1].id]
    assert await slots.admitted(key) == []


async def test_child_of_the_execution_that_holds_the_slot_overtakes_those_that_wait(store: Store) -> None:
    """BEY-003: else the two would wait for each other for ever; after a restart of the server too."""
    parent, stranger = records.execution(), waiting(1)
    child = waiting(2, parent=Parent(parent.id, "run"))
    second = waiting(3, parent=Parent(parent.id, "run"))
    await counted(store, parent, stranger, child, second)
    slots = slots_of(store, 1)
    await slots.recover()
    (key,) = slots.waited_for()
    assert await slots.admitted(key) == [child.id]
    assert await slots.ended(child) == [second.id]
    assert await slots.ended(second) == []
    assert await slots.ended(parent) == [stranger.id]


async def test_execution_that_runs_in_another_partition_holds_a_slot_until_it_has_ended_there(store: Store) -> None:
    """BEY-003: it began when nothing limited its flow, and whoever decides for it does not tell."""
    (elsewhere,) = await records.stored(store.journal, records.execution())
    slots, next_one = slots_of(store, 1), waiting(1)
    await counted(store, next_one)
    await slots.recover()
    (key,) = slots.waited_for()
    await slots.look_elsewhere()
    assert await slots.admitted(key) == []
    await store.journal.commit(Batch(executions={elsewhere.id: records.ended(elsewhere)}))
    await slots.look_elsewhere()
    assert await slots.admitted(key) == [next_one.id]


async def test_execution_that_began_elsewhere_unnoticed_is_counted_at_the_next_look(store: Store) -> None:
    """BEY-003: an executor that had not heard of the limit yet let it begin."""
    slots = slots_of(store, 1)
    first = records.execution(state=CREATED)
    assert await slots.ask(first) is None
    (late,) = await records.stored(store.journal, records.execution())
    await slots.look_elsewhere()
    assert await slots.ended(first) == []
    assert await slots.ask(records.execution(state=CREATED)) == "QUEUE"
    await store.journal.commit(Batch(executions={late.id: records.ended(late)}))
    await slots.look_elsewhere()
    assert await slots.ask(records.execution(state=CREATED)) == "QUEUE", "the first in the queue comes first"


async def test_execution_that_waits_in_another_partition_is_not_let_begin_from_here(store: Store) -> None:
    """BEY-003."""
    await records.stored(store.journal, waiting(1))
    slots = slots_of(store, 1)
    await slots.recover()
    assert slots.waited_for() == []


async def test_slot_that_was_forgotten_is_not_held(store: Store) -> None:
    """BEY-003: what was admitted before a failure is admitted anew, and counted."""
    one = waiting(1)
    await counted(store, one)
    slots = slots_of(store, 1)
    await slots.recover()
    (key,) = slots.waited_for()
    assert await slots.admitted(key) == [one.id]
    assert await slots.holds(one)
    slots.forget()
    assert not await slots.holds(one)
