"""The contract every `TriggerStore` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from penstock.engine.events import Created
from penstock.ports.journal import PARTITIONS
from penstock.ports.queries import Filter, PageRequest
from penstock.ports.triggers import Outcome, TriggerState
from penstock.testing.store import records
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW, SECOND

STATE = TriggerState(
    "main",
    "company.team",
    "hello",
    "daily",
    type="io.kestra.plugin.core.trigger.Schedule",
    flow_revision=3,
    date=NOW,
    next_date=NOW + SECOND,
    backfill={"start": NOW, "labels": [{"key": "a", "value": "b"}]},
    memory={"etag": "x"},
)
AFTER = msgspec.structs.replace(STATE, date=NOW + SECOND, next_date=NOW + 2 * SECOND)


class TriggerStoreContract:
    """What holds for every store of triggers. A subclass gives the fixture `store`."""

    async def test_save_keeps_the_whole_state_and_replaces_the_former(self, store: StorePorts) -> None:
        assert await store.triggers.get(*STATE.key) is None
        await store.triggers.save(STATE)
        assert await store.triggers.get(*STATE.key) == STATE
        await store.triggers.save(AFTER)
        assert list(await store.triggers.all()) == [AFTER]

    async def test_states_of_flows_are_those_of_all_their_triggers(self, store: StorePorts) -> None:
        for flow in ("hello", "other", "third"):
            for name in ("one", "two"):
                await store.triggers.save(msgspec.structs.replace(STATE, flow_id=flow, trigger_id=name))
        found = await store.triggers.of_flows("main", [("company.team", "hello"), ("company.team", "third")])
        assert sorted((state.flow_id, state.trigger_id) for state in found) == [
            ("hello", "one"), ("hello", "two"), ("third", "one"), ("third", "two"),
        ]  # fmt: skip
        assert list(await store.triggers.of_flows("main", [("company", "hello")])) == []
        assert list(await store.triggers.of_flows("other", [("company.team", "hello")])) == []

    async def test_delete_forgets_one_trigger_or_all_of_a_flow(self, store: StorePorts) -> None:
        for name in ("one", "two", "three"):
            await store.triggers.save(msgspec.structs.replace(STATE, trigger_id=name))
        other = msgspec.structs.replace(STATE, flow_id="other")
        await store.triggers.save(other)
        assert await store.triggers.delete("main", "company.team", "hello", "one") == 1
        assert await store.triggers.delete("main", "company.team", "hello", "one") == 0
        assert await store.triggers.delete("main", "company.team", "hello") == 2
        assert list(await store.triggers.all()) == [other]

    async def test_fire_moves_the_trigger_and_creates_its_execution_with_a_message(self, store: StorePorts) -> None:
        await store.triggers.save(STATE)
        execution = records.execution(firing_key="daily/1")
        assert await store.triggers.fire(STATE, AFTER, execution) is Outcome.DONE
        assert await store.triggers.get(*STATE.key) == AFTER
        assert await store.queries.head("main", execution.id) == execution
        (message,) = await store.journal.messages(range(PARTITIONS), 0, 10)
        assert (message.execution_id, message.event) == (execution.id, Created())

    async def test_fire_with_a_reason_lets_the_execution_fail_at_once(self, store: StorePorts) -> None:
        await store.triggers.save(STATE)
        assert await store.triggers.fire(STATE, AFTER, records.execution(), "the shop is closed") is Outcome.DONE
        (message,) = await store.journal.messages(range(PARTITIONS), 0, 10)
        assert message.event == Created("the shop is closed")

    async def test_fire_without_an_execution_moves_the_trigger_only(self, store: StorePorts) -> None:
        await store.triggers.save(STATE)
        assert await store.triggers.fire(STATE, AFTER, None) is Outcome.DONE
        assert await store.triggers.get(*STATE.key) == AFTER
        assert list(await store.journal.messages(range(PARTITIONS), 0, 10)) == []

    async def test_fire_after_another_scheduler_writes_nothing(self, store: StorePorts) -> None:
        await store.triggers.save(AFTER)
        execution = records.execution()
        assert await store.triggers.fire(STATE, STATE, execution) is Outcome.STALE
        assert await store.triggers.get(*STATE.key) == AFTER
        assert await store.queries.head("main", execution.id) is None

    async def test_fire_after_any_other_change_writes_nothing(self, store: StorePorts) -> None:
        """Also one that leaves the date: what it has put into the state would be lost."""
        await store.triggers.save(STATE)
        other = msgspec.structs.replace(STATE, memory={"etag": "y"})
        assert await store.triggers.fire(STATE, other, None) is Outcome.DONE
        assert await store.triggers.fire(STATE, AFTER, None) is Outcome.STALE
        assert await store.triggers.get(*STATE.key) == other

    async def test_fire_a_firing_that_exists_writes_nothing(self, store: StorePorts) -> None:
        await store.triggers.save(STATE)
        await records.stored(store.journal, records.execution(firing_key="daily/1"))
        assert await store.triggers.fire(STATE, AFTER, records.execution(firing_key="daily/1")) is Outcome.KNOWN
        assert await store.triggers.get(*STATE.key) == STATE
        assert list(await store.journal.messages(range(PARTITIONS), 0, 10)) == []

    async def test_fire_a_trigger_never_stored_counts_as_one_of_which_nothing_is_known(self, store: StorePorts) -> None:
        assert await store.triggers.fire(STATE, AFTER, None) is Outcome.STALE
        assert await store.triggers.fire(TriggerState(*STATE.key), AFTER, None) is Outcome.DONE
        assert await store.triggers.get(*STATE.key) == AFTER

    @pytest.mark.parametrize("first", [True, False], ids=["stored", "never stored"])
    async def test_fire_by_many_at_once_lets_one_through(self, store: StorePorts, *, first: bool) -> None:
        before = STATE if first else TriggerState(*STATE.key)
        if first:
            await store.triggers.save(STATE)
        executions = [records.execution() for _ in range(6)]
        fired = await asyncio.gather(*(store.triggers.fire(before, AFTER, one) for one in executions))
        assert sorted(fired) == [Outcome.DONE] + [Outcome.STALE] * 5
        assert len(await store.journal.load([one.id for one in executions])) == 1

    @pytest.mark.parametrize(
        ("field", "operation", "value", "expected"),
        [
            ("q", "EQUALS", "DAIL", "daily"),
            ("namespace", "PREFIX", "company", "daily hook"),
            ("flowId", "EQUALS", "purge", "clean"),
            ("triggerId", "IN", "daily,clean", "clean daily"),
            ("type", "ENDS_WITH", "Webhook", "hook"),
            ("triggerState", "EQUALS", "DISABLED", "hook"),
            ("triggerState", "EQUALS", "ENABLED", "clean daily"),
            ("scope", "EQUALS", "SYSTEM", "clean"),
            ("executionId", "EQUALS", "e1", "clean"),
        ],
    )
    async def test_search_with_a_filter_finds_what_fits(
        self, store: StorePorts, field: str, operation: str, value: Any, expected: str
    ) -> None:
        hook = {"trigger_id": "hook", "type": "io.kestra.plugin.core.trigger.Webhook", "disabled": True}
        clean = {"trigger_id": "clean", "namespace": "system", "flow_id": "purge", "execution_id": "e1"}
        for changes in ({}, hook, clean):
            await store.triggers.save(msgspec.structs.replace(STATE, **changes))
        found = await store.triggers.search("main", [Filter(field, operation, value)], PageRequest())
        assert sorted(one.trigger_id for one in found.results) == expected.split()
        assert found.total == len(expected.split())

    async def test_search_sorted_by_the_next_date_returns_that_order(self, store: StorePorts) -> None:
        for number, name in enumerate(("c", "a", "b")):
            await store.triggers.save(msgspec.structs.replace(STATE, trigger_id=name, next_date=NOW + number))
        page = PageRequest(size=2, sort=(("nextExecutionDate", False),))
        found = await store.triggers.search("main", [], page)
        assert [one.trigger_id for one in found.results] == ["b", "a"]
        assert found.total == 3
