"""The contract of the counts that are kept as executions end."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from penstock.engine.records import Execution
from penstock.ports.dashboards import ChartColumn, ChartFilter, ChartQuery
from penstock.ports.journal import Batch
from penstock.ports.queries import Filter, PageRequest
from penstock.testing.store import records
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import FAILED, NOW, RUNNING, SECOND, SUCCESS

HOUR = 3600 * SECOND
SINCE = NOW - NOW % HOUR - 1800 * SECOND
"""In the middle of the hour before."""


def begun(execution: Execution, at: int) -> Execution:
    """Return an execution whose history begins then."""
    shift = at - execution.state.histories[0].date
    histories = tuple(msgspec.structs.replace(one, date=one.date + shift) for one in execution.state.histories)
    return msgspec.structs.replace(execution, state=msgspec.structs.replace(execution.state, histories=histories))


async def total(store: StorePorts, *filters: Filter) -> int:
    """Return how many executions fit."""
    return (await store.queries.search("main", filters, PageRequest(size=1))).total


async def is_right(store: StorePorts) -> bool:
    """Return whether all counts are what the executions say."""
    return not await store.counts.wrong()


class CountsContract:
    """What holds for every store's counts (BEY-022). A subclass gives the fixture `store`."""

    async def test_execution_is_counted_as_it_ended_last(self, store: StorePorts) -> None:
        """BEY-022: an end, a restart and another end in another state."""
        [one] = await records.stored(store.journal, records.execution())
        assert await store.queries.counts("main") == {"RUNNING": 1}
        for number, (state, counts) in enumerate(
            [(FAILED, {"FAILED": 1}), (RUNNING, {"RUNNING": 1}), (SUCCESS, {"SUCCESS": 1})], start=1
        ):
            changed = msgspec.structs.replace(one, state=state, version=number)
            await store.journal.commit(Batch(executions={one.id: changed}, share=number))
            assert await store.queries.counts("main") == counts
            assert await is_right(store)

    async def test_batch_counts_all_that_it_ends(self, store: StorePorts) -> None:
        """BEY-022: those that end with their beginning too."""
        several = await records.stored(store.journal, *(records.execution(id=f"e{number}") for number in range(5)))
        ended = {one.id: records.ended(one, FAILED if one.id == "e0" else SUCCESS) for one in several}
        new = {"new": records.execution(id="new", state=SUCCESS, flow_id="other")}
        await store.journal.commit(Batch(executions=ended, new_executions=new, share=3))
        assert await store.queries.counts("main") == {"FAILED": 1, "SUCCESS": 5}
        assert await total(store, Filter("flowId", "EQUALS", "hello"), Filter("state", "IN", ["SUCCESS"])) == 4
        assert await is_right(store)

    async def test_batch_that_tells_what_was_stored_counts_the_same(self, store: StorePorts) -> None:
        """BEY-022: the executor knows; of those that had ended it cannot know whether they have been removed since."""
        lives, over, gone = (records.execution(id=name) for name in ("lives", "over", "gone"))
        over, gone = records.ended(over, FAILED), records.ended(gone, FAILED)
        await records.stored(store.journal, lives, over, gone)
        assert await store.queries.delete("main", "gone", logs=True, metrics=True)
        before = {one.id: one for one in (lives, over, gone)}
        labels = (("key", "other"),)
        changed = {
            one.id: msgspec.structs.replace(records.ended(one, SUCCESS), labels=labels, version=9)
            for one in before.values()
        }
        await store.journal.commit(Batch(executions=changed, before=before, share=2))
        assert await store.queries.counts("main") == {"SUCCESS": 2}
        assert await total(store, Filter("labels", "EQUALS", {"key": "other"})) == 2
        assert await is_right(store)

    async def test_end_of_an_execution_that_is_gone_is_not_counted(self, store: StorePorts) -> None:
        """BEY-022."""
        gone = records.ended(records.execution())
        await store.journal.commit(Batch(executions={gone.id: gone}))
        assert await store.queries.counts("main") == {}
        assert await is_right(store)

    async def test_what_is_removed_is_not_counted_any_more(self, store: StorePorts) -> None:
        """BEY-022: by a person or by retention."""
        several = [records.execution(id=f"e{number}", state=SUCCESS) for number in range(4)]
        await records.stored(store.journal, *several, share=2)
        assert await store.queries.delete("main", "e0", logs=True, metrics=True)
        assert await store.purging.remove("main", ["e1", "e2", "never"]) == 2
        assert await total(store) == 1
        assert await is_right(store)

    async def test_hours_that_are_over_come_to_one_count_each(self, store: StorePorts) -> None:
        """BEY-022: and what has come to nothing goes."""
        for share in range(3):
            await records.stored(store.journal, records.execution(id=f"e{share}", state=SUCCESS), share=share)
        await records.stored(store.journal, records.execution(id="gone", state=FAILED), share=1)
        assert await store.purging.remove("main", ["gone"]) == 1
        assert await store.purging.fold_counts(NOW - HOUR, 10) == 0, "that hour is not over"
        folded = [await store.purging.fold_counts(NOW + HOUR, 2) for _ in range(4)]
        assert folded == [2, 2, 1, 0], "of FAILED and SUCCESS; then that of nothing"
        assert await store.queries.counts("main") == {"SUCCESS": 3}
        assert await is_right(store)

    async def test_counts_that_are_wrong_are_told_and_mended(self, store: StorePorts) -> None:
        """BEY-022."""
        await records.stored(store.journal, records.execution(id="one", state=SUCCESS))
        await self.spoil(store)
        [wrong] = await store.counts.wrong()
        assert (wrong.flow_id, wrong.state, wrong.kept, wrong.found) == ("hello", "SUCCESS", 8, 1)
        assert await store.counts.recount() == 1
        assert await is_right(store)
        assert await total(store) == 1

    async def spoil(self, store: Any) -> None:
        await store.database.write(
            lambda connection: connection.exec_driver_sql("UPDATE execution_counts SET number = number + 7")
        )

    @pytest.mark.parametrize(
        "filters",
        [
            [],
            [Filter("timeRange", "EQUALS", SINCE)],
            [Filter("startDate", "GREATER_THAN", SINCE), Filter("startDate", "LESS_THAN_OR_EQUAL_TO", NOW + HOUR)],
            [Filter("startDate", "LESS_THAN", NOW + HOUR // 3), Filter("state", "NOT_EQUALS", "FAILED")],
            [Filter("namespace", "PREFIX", "company"), Filter("state", "IN", ["FAILED", "RUNNING"])],
            [Filter("flowId", "EQUALS", "b"), Filter("timeRange", "EQUALS", SINCE)],
            [Filter("scope", "EQUALS", "SYSTEM")],
            [Filter("kind", "NOT_IN", ["TEST"]), Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", SINCE)],
            [Filter("startDate", "GREATER_THAN", NOW), Filter("startDate", "LESS_THAN", NOW + 2)],
        ],
    )
    async def test_total_of_a_search_is_that_of_its_rows(self, store: StorePorts, filters: list[Filter]) -> None:
        """BEY-022: whatever part of an hour is asked for."""
        await records.stored(store.journal, *cast())
        found = await store.queries.search("main", filters, PageRequest(size=1000))
        by_row = [Filter("id", "NOT_EQUALS", "none"), *filters]
        assert found.total == len(found.results) == await total(store, *by_row)

    async def test_chart_of_counts_is_that_of_rows(self, store: StorePorts) -> None:
        """BEY-022, UI-049: of each span, state and place, and of nothing at all."""
        await records.stored(store.journal, *cast())
        count, time = ChartColumn("total", None, "COUNT"), ChartColumn("time", "DURATION", "SUM")
        date = ChartColumn("date", "START_DATE", span=HOUR)
        groups: tuple[list[ChartColumn], ...] = (
            [],
            [ChartColumn("state", "STATE")],
            [date, ChartColumn("flow", "FLOW_ID")],
        )
        wheres: tuple[list[ChartFilter], ...] = (
            [],
            [ChartFilter("GREATER_THAN_OR_EQUAL_TO", "START_DATE", (SINCE,))],
            [ChartFilter("LESS_THAN", "START_DATE", (NOW + HOUR // 2,)), ChartFilter("IS_NOT_NULL", "END_DATE")],
            [ChartFilter("IS_NULL", "END_DATE"), ChartFilter("EQUAL_TO", "SCOPE", ("USER",))],
            [ChartFilter("OR", alternatives=(ChartFilter("EQUAL_TO", "NAMESPACE", ("system",)),))],
            [ChartFilter("EQUAL_TO", "STATE", ("KILLED",))],
        )
        every = ChartFilter("IS_NOT_NULL", "ID")
        """What only rows can say, of all of them."""
        for columns in groups:
            for where in wheres:
                asked = ChartQuery("Executions", [*columns, count, time], where)
                counted = await store.charts.rows("main", asked, PageRequest(size=1000))
                by_row = await store.charts.rows("main", replace(asked, where=[*where, every]), PageRequest(size=1000))
                assert counted == by_row, (columns, where)

    async def test_list_without_bodies_has_all_but_what_may_be_large(self, store: StorePorts) -> None:
        """BEY-022."""
        given = {"inputs": {"a": 1}, "outputs": {"b": [1.0]}, "variables": {"c": None}}
        origin = records.TRIGGERED
        [whole] = await records.stored(store.journal, records.execution(trigger=origin, state=SUCCESS, **given))
        [read] = (await store.queries.search("main", [], PageRequest())).results
        [light] = (await store.queries.search("main", [], PageRequest(), bodies=False)).results
        assert read == whole
        nothing = dict.fromkeys(given)
        assert light == msgspec.structs.replace(whole, trigger=msgspec.structs.replace(origin, variables={}), **nothing)


def cast() -> list[Execution]:
    """Return executions of several hours, flows and states, some of them open."""
    found = []
    for number in range(40):
        state = (SUCCESS, FAILED, RUNNING, SUCCESS)[number % 4]
        one = records.execution(
            id=f"e{number}",
            flow_id="ab"[number % 2],
            namespace=("company.team", "system", "company")[number % 3],
            kind="TEST" if number % 7 == 0 else "NORMAL",
            state=state,
        )
        found.append(begun(one, SINCE - HOUR + number * 500 * SECOND))
    return found
