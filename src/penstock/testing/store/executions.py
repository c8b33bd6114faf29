"""The contract every `ExecutionQueries` keeps about executions and task runs."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from penstock.base.errors import ConflictError, InvalidRequestError
from penstock.engine.decision import Timer
from penstock.engine.records import Execution, Metric, Parent, TriggerOrigin
from penstock.engine.states import StateType
from penstock.ports.journal import PARTITIONS, Batch
from penstock.ports.queries import Filter, PageRequest
from penstock.testing.store import records
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import FAILED, NOW, SECOND, SUCCESS, state

EVERYTHING = PageRequest(size=100)

CAST: dict[str, Execution] = {
    "plain": records.execution(id="id-plain", flow_id="extract", state=state(StateType.CREATED, at=NOW)),
    "failed": records.execution(
        id="id-failed",
        flow_id="load",
        namespace="company.team.data",
        state=state(StateType.CREATED, StateType.FAILED, at=NOW + SECOND),
        labels=(("team", "data"), ("cost", "high")),
        flow_revision=4,
    ),
    "child": records.execution(
        id="id-child",
        flow_id="Extract_more",
        namespace="company-other",
        state=state(StateType.CREATED, StateType.SUCCESS, at=NOW + 2 * SECOND),
        parent=Parent("id-plain", "run"),
        trigger=TriggerOrigin("subflow", "io.kestra.plugin.core.flow.Subflow", {"executionId": "id-plain"}),
        labels=(("team", "web"),),
    ),
    "system": records.execution(
        id="id-system", flow_id="purge", namespace="system", state=state(StateType.RUNNING, at=NOW + 3 * SECOND)
    ),
    "test": records.execution(
        id="id-test",
        flow_id="per%cent",
        namespace="company",
        kind="TEST",
        state=state(StateType.CREATED, StateType.WARNING, at=NOW + 4 * SECOND),
        original_id="id-plain",
    ),
}
"""Executions that differ in all that can be searched by, oldest first."""


async def find(store: StorePorts, *filters: Filter, page: PageRequest = EVERYTHING) -> list[str]:
    """Return the names of those of the cast that a search finds."""
    found = await store.queries.search("main", filters, page)
    return [one.id.removeprefix("id-") for one in found.results]


class ExecutionQueriesContract:
    """What holds for every implementation. A subclass gives the fixture `store`."""

    async def test_get_returns_an_execution_with_its_task_runs(self, store: StorePorts) -> None:
        one = records.execution(inputs={"a": 1}, outputs={"b": 2})
        runs = [records.task_run(one, f"task-{number}", sequence=number) for number in range(3)]
        await records.stored(store.journal, one, new_task_runs={run.id: run for run in reversed(runs)})
        found = await store.queries.get("main", one.id)
        assert found is not None
        assert found[0] == one
        assert list(found[1]) == runs
        assert await store.queries.head("main", one.id) == one

    async def test_get_of_another_tenant_finds_nothing(self, store: StorePorts) -> None:
        (one,) = await records.stored(store.journal, records.execution())
        assert await store.queries.get("other", one.id) is None
        assert await store.queries.head("other", one.id) is None
        assert (await store.queries.search("other", [], EVERYTHING)).total == 0

    async def test_search_without_filters_returns_newest_first_with_bodies(self, store: StorePorts) -> None:
        await records.stored(store.journal, *CAST.values())
        found = await store.queries.search("main", [], EVERYTHING)
        assert list(found.results) == list(reversed(CAST.values()))
        assert found.total == len(CAST)

    @pytest.mark.parametrize(
        ("field", "operation", "value", "expected"),
        [
            ("namespace", "EQUALS", "company", "test"),
            ("namespace", "NOT_EQUALS", "company", "plain failed child system"),
            ("namespace", "PREFIX", "company", "plain failed test"),
            ("namespace", "PREFIX", "company.team", "plain failed"),
            ("namespace", "STARTS_WITH", "company", "plain failed child test"),
            ("namespace", "ENDS_WITH", "data", "failed"),
            ("namespace", "CONTAINS", "team", "plain failed"),
            ("namespace", "IN", ["company", "system"], "system test"),
            ("namespace", "NOT_IN", "company,system", "plain failed child"),
            ("namespace", "REGEX", "^company[.-]", "plain failed child"),
            ("flowId", "EQUALS", "load", "failed"),
            ("flowId", "CONTAINS", "xtract", "plain child"),
            ("flowId", "STARTS_WITH", "extract", "plain"),
            ("flowId", "CONTAINS", "%", "test"),
            ("flowId", "ENDS_WITH", "a-text-longer-than-any-id", ""),
            ("flowRevision", "GREATER_THAN", "3", "failed"),
            ("flowRevision", "EQUALS", 1, "plain child system test"),
            ("id", "EQUALS", "id-test", "test"),
            ("id", "IN", "id-test,id-plain", "plain test"),
            ("originalId", "EQUALS", "id-plain", "plain test"),
            ("state", "EQUALS", "FAILED", "failed"),
            ("state", "IN", "FAILED,WARNING", "failed test"),
            ("state", "IN", ["RUNNING", "CREATED"], "plain system"),
            ("state", "IN", ["RUNNING", "SUCCESS"], "child system"),
            ("state", "NOT_IN", "FAILED,WARNING", "plain child system"),
            ("state", "NOT_EQUALS", "RUNNING", "plain failed child test"),
            ("labels", "EQUALS", {"team": "data"}, "failed"),
            ("labels", "EQUALS", {"team": "data", "cost": "low"}, ""),
            ("labels", "EQUALS", "team:web", "child"),
            ("labels", "NOT_EQUALS", {"team": "data"}, "plain child system test"),
            ("labels", "IN", {"team": ["data", "web"]}, "failed child"),
            ("labels", "IN", {"team": "data,web"}, "failed child"),
            ("labels", "NOT_IN", {"team": ["data", "web"]}, "plain system test"),
            ("labels", "NOT_IN", {"team": "data,web"}, "plain system test"),
            ("labels", "CONTAINS", {"cost": "ig"}, "failed"),
            ("startDate", "GREATER_THAN_OR_EQUAL_TO", NOW + 3 * SECOND, "system test"),
            ("startDate", "LESS_THAN", "2026-09-21T14:13:21Z", "plain"),
            ("endDate", "LESS_THAN_OR_EQUAL_TO", NOW + 3 * SECOND, "failed child"),
            ("timeRange", "EQUALS", NOW + 4 * SECOND, "test"),
            ("created", "GREATER_THAN", NOW, ""),
            ("triggerExecutionId", "EQUALS", "id-plain", "child"),
            ("parentId", "EQUALS", "id-plain", "child"),
            ("triggerId", "EQUALS", "subflow", "child"),
            ("childFilter", "EQUALS", "CHILD", "child"),
            ("childFilter", "EQUALS", "MAIN", "plain failed system test"),
            ("kind", "EQUALS", "TEST", "test"),
            ("kind", "NOT_EQUALS", "TEST", "plain failed child system"),
            ("scope", "EQUALS", "SYSTEM", "system"),
            ("scope", "EQUALS", "USER", "plain failed child test"),
            ("scope", "EQUALS", "USER,SYSTEM", "plain failed child system test"),
            ("q", "EQUALS", "EXTRACT", "plain child"),
            ("q", "EQUALS", "team.d", "failed"),
            ("q", "EQUALS", "id-sys", "system"),
            ("q", "EQUALS", "%", "test"),
            ("q", "EQUALS", "_", "child"),
        ],
    )
    async def test_search_with_a_filter_finds_what_fits(
        self, store: StorePorts, field: str, operation: str, value: Any, expected: str
    ) -> None:
        await records.stored(store.journal, *CAST.values())
        assert sorted(await find(store, Filter(field, operation, value))) == sorted(expected.split())

    async def test_search_with_several_filters_finds_what_fits_all(self, store: StorePorts) -> None:
        await records.stored(store.journal, *CAST.values())
        both = [Filter("namespace", "PREFIX", "company"), Filter("state", "IN", "FAILED,SUCCESS")]
        assert await find(store, *both) == ["failed"]

    async def test_search_by_label_after_labels_changed_goes_by_the_new_ones(self, store: StorePorts) -> None:
        (one,) = await records.stored(store.journal, records.execution(labels=(("a", "1"), ("b", "1"))))
        changed = msgspec.structs.replace(one, labels=(("a", "2"), ("c", "1")))
        await store.journal.commit(Batch(executions={one.id: changed}))
        totals = [
            (await store.queries.search("main", [Filter("labels", "EQUALS", {key: value})], EVERYTHING)).total
            for key, value in (("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"))
        ]
        assert totals == [0, 0, 1, 1]

    async def test_search_by_state_after_it_changed_goes_by_the_new_one(self, store: StorePorts) -> None:
        (one,) = await records.stored(store.journal, records.execution())
        await store.journal.commit(Batch(executions={one.id: records.ended(one, FAILED)}))
        assert (await store.queries.search("main", [Filter("state", "EQUALS", "RUNNING")], EVERYTHING)).total == 0
        assert (await store.queries.search("main", [Filter("state", "EQUALS", "FAILED")], EVERYTHING)).total == 1

    async def test_search_in_pages_returns_each_once_and_the_total(self, store: StorePorts) -> None:
        await records.stored(store.journal, *CAST.values())
        pages = [await store.queries.search("main", [], PageRequest(number, 2)) for number in (1, 2, 3, 4)]
        assert [one.total for one in pages] == [5] * 4
        assert [len(one.results) for one in pages] == [2, 2, 1, 0]
        assert len({one.id for page in pages for one in page.results}) == 5

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ((("state.startDate", True),), "plain failed child system test"),
            ((("id", True),), "child failed plain system test"),
            ((("namespace", False), ("flowId", True)), "system failed plain child test"),
            ((("state.current", True),), "plain failed system child test"),
        ],
    )
    async def test_search_sorted_returns_that_order(
        self, store: StorePorts, sort: tuple[tuple[str, bool], ...], expected: str
    ) -> None:
        await records.stored(store.journal, *CAST.values())
        assert await find(store, page=PageRequest(size=10, sort=sort)) == expected.split()

    @pytest.mark.parametrize(
        ("one", "words"),
        [
            (Filter("colour", "EQUALS", "red"), ["colour", "namespace"]),
            (Filter("state", "REGEX", ".*"), ["REGEX", "EQUALS"]),
            (Filter("state", "EQUALS", "FAILURE"), ["FAILURE", "FAILED"]),
            (Filter("state", "NOT_IN", "SUCCESS,DONE"), ["DONE", "SUCCESS"]),
            (Filter("kind", "EQUALS", "USUAL"), ["USUAL", "NORMAL"]),
            (Filter("flowId", "REGEX", "("), ["regular expression"]),
            (Filter("flowId", "REGEX", "(" * 5_000 + ")" * 5_000), ["regular expression"]),
            (Filter("startDate", "EQUALS", "yesterday"), ["yesterday"]),
            (Filter("flowRevision", "EQUALS", "x"), ["whole number"]),
            (Filter("labels", "EQUALS", "keyonly"), ["label"]),
            (Filter("scope", "EQUALS", "MINE"), ["MINE", "USER"]),
            (Filter("childFilter", "EQUALS", "NONE"), ["NONE", "CHILD"]),
        ],
    )
    async def test_search_with_a_filter_that_cannot_be_says_what_can(
        self, store: StorePorts, one: Filter, words: list[str]
    ) -> None:
        with pytest.raises(InvalidRequestError) as caught:
            await store.queries.search("main", [one], EVERYTHING)
        assert all(word in str(caught.value) for word in words)

    async def test_search_by_a_sort_key_nobody_knows_says_which_there_are(self, store: StorePorts) -> None:
        with pytest.raises(InvalidRequestError, match=r"`colour`.*state\.startDate"):
            await store.queries.search("main", [], PageRequest(sort=(("colour", True),)))

    async def test_task_runs_of_several_executions_come_apart(self, store: StorePorts) -> None:
        one, two = records.execution(), records.execution()
        runs = [records.task_run(one), records.task_run(two), records.task_run(two, sequence=1)]
        await records.stored(store.journal, one, two, new_task_runs={run.id: run for run in runs})
        found = await store.queries.task_runs([one.id, two.id])
        assert {key: list(value) for key, value in found.items()} == {one.id: runs[:1], two.id: runs[1:]}

    async def test_outputs_of_a_task_come_in_order_without_those_that_have_none(self, store: StorePorts) -> None:
        one = records.execution()
        runs = [
            records.task_run(one, "t", outputs={"n": 1} if number != 1 else None, sequence=number)
            for number in range(3)
        ]
        other = records.task_run(one, "other", outputs={"n": 1})
        await records.stored(store.journal, one, new_task_runs={run.id: run for run in (*runs, other)})
        assert list(await store.queries.outputs(one.id, "t")) == [runs[0], runs[2]]

    async def test_children_are_those_an_execution_waits_for_oldest_first(self, store: StorePorts) -> None:
        own = [
            records.execution(id=f"id-{number}", created=NOW + number, parent=Parent("id-parent", "run", 9 - number))
            for number in range(3)
        ]
        other = records.execution(id="id-other", parent=Parent("id-else", "run"))
        await records.stored(store.journal, *own, other)
        found = await store.queries.children("main", "id-parent")
        assert [(one.id, one.parent) for one in found] == [(one.id, one.parent) for one in own]
        assert await store.queries.children("main", "id-0") == []

    async def test_restarted_execution_is_stored_with_the_revision_it_goes_on_with(self, store: StorePorts) -> None:
        (old,) = await records.stored(store.journal, records.execution())
        await store.journal.commit(Batch(executions={old.id: msgspec.structs.replace(old, flow_revision=7)}))
        found = await store.queries.head("main", old.id)
        assert found is not None
        assert found.flow_revision == 7

    async def test_latest_returns_the_newest_of_each_flow_that_has_one(self, store: StorePorts) -> None:
        executions = [
            records.execution(flow_id=flow, state=state(StateType.CREATED, at=NOW + number))
            for flow in ("a", "b")
            for number in range(3)
        ]
        await records.stored(store.journal, *executions)
        found = await store.queries.latest("main", [("company.team", name) for name in ("a", "b", "never")])
        assert list(found) == [executions[2], executions[5]]
        several = await store.queries.latest("main", [("company.team", "a"), ("company.team", "b")], 2)
        assert list(several) == [executions[at] for at in (2, 1, 5, 4)]

    async def test_search_in_the_order_of_ends_takes_what_is_open_for_the_last_to_end(self, store: StorePorts) -> None:
        """API-008, BEY-022."""
        ends = [
            records.execution(id=f"e{n}", state=state(StateType.CREATED, StateType.SUCCESS, at=NOW + n))
            for n in range(5)
        ]
        await records.stored(store.journal, *ends, records.execution(id="open"), records.execution(tenant="other"))

        async def page(number: int, ascending: bool, *filters: Filter) -> tuple[list[str], int]:
            request = PageRequest(number, 2, (("endDate", ascending),))
            found = await store.queries.search("main", filters, request)
            return [one.id for one in found.results], found.total

        assert [await page(n, True) for n in (1, 3)] == [(["e0", "e1"], 6), (["e4", "open"], 6)]
        assert [await page(n, False) for n in (1, 2, 4)] == [(["open", "e4"], 6), (["e3", "e2"], 6), ([], 6)]
        assert await page(1, False, Filter("state", "IN", ["SUCCESS"])) == (["e4", "e3"], 5)

    async def test_search_in_the_order_of_states_gives_the_newest_of_each_first(self, store: StorePorts) -> None:
        """API-008, BEY-022."""
        made = [("r", StateType.RUNNING), ("s1", StateType.SUCCESS), ("f", StateType.FAILED), ("s2", StateType.SUCCESS)]
        await records.stored(
            store.journal,
            *(
                records.execution(id=name, state=state(StateType.CREATED, one, at=NOW + n))
                for n, (name, one) in enumerate(made)
            ),
        )

        async def page(number: int, ascending: bool) -> list[str]:
            request = PageRequest(number, 3, (("state", ascending),))
            return [one.id for one in (await store.queries.search("main", [], request)).results]

        assert [*await page(1, True), *await page(2, True)] == ["f", "r", "s2", "s1"]
        assert [*await page(1, False), *await page(2, False)] == ["s2", "s1", "r", "f"]

    async def test_total_of_a_search_by_state_is_that_of_the_tenant_alone(self, store: StorePorts) -> None:
        """API-008, BEY-022."""
        states = {"s1": SUCCESS, "s2": SUCCESS, "f": FAILED, "r": records.RUNNING}
        mine = [records.execution(id=name, state=one) for name, one in states.items()]
        others = [records.execution(id=tenant, tenant=tenant, state=SUCCESS) for tenant in ("a", "z")]
        await records.stored(store.journal, *mine, *others)

        async def total(*wanted: str, order: str = "startDate") -> int:
            filters = [Filter("state", "IN", wanted)] if wanted else []
            found = await store.queries.search("main", filters, PageRequest(1, 1, ((order, False),)))
            return found.total

        assert [await total(), await total(order="endDate"), await total(order="state")] == [4, 4, 4]
        assert [await total("SUCCESS"), await total("SUCCESS", order="endDate")] == [2, 2]
        assert [await total("SUCCESS", "RUNNING"), await total("FAILED"), await total("KILLED")] == [3, 1, 0]
        assert [await total("SUCCESS", "RETRIED"), await total("SUCCESS", "SUCCESS", "FAILED")] == [2, 3]

    async def test_counts_tell_how_many_by_state(self, store: StorePorts) -> None:
        await records.stored(
            store.journal,
            records.execution(),
            records.execution(),
            records.execution(state=SUCCESS),
            records.execution(tenant="other"),
        )
        assert await store.queries.counts("main") == {"RUNNING": 2, "SUCCESS": 1}

    async def test_open_executions_are_counted_by_namespace(self, store: StorePorts) -> None:
        """BEY-011."""
        await records.stored(
            store.journal,
            records.execution(namespace="a"),
            records.execution(namespace="a"),
            records.execution(namespace="a.b", state=state(StateType.CREATED)),
            records.execution(namespace="c", state=SUCCESS),
            records.execution(namespace="d", tenant="other"),
        )
        assert await store.queries.open_by_namespace("main") == {"a": 2, "a.b": 1}

    async def test_created_since_counts_one_flow_from_an_instant_on(self, store: StorePorts) -> None:
        await records.stored(
            store.journal,
            *(records.execution(created=NOW + n, state=state(StateType.CREATED, at=NOW + n)) for n in range(4)),
            records.execution(flow_id="other", created=NOW + 3, state=state(StateType.CREATED, at=NOW + 3)),
        )
        assert await store.queries.created_since("main", "company.team", "hello", NOW + 2) == 2

    # -- removing

    async def test_delete_removes_an_execution_and_all_that_belongs_to_it(self, store: StorePorts) -> None:
        one, other = records.execution(labels=(("a", "1"),)), records.execution(labels=(("a", "1"),))
        run = records.task_run(one)
        await records.stored(
            store.journal,
            one,
            other,
            new_task_runs={run.id: run},
            timers={(one.id, "sla", None): Timer(one.id, NOW, "sla")},
            messages=[records.created(one), records.created(other)],
            logs=[records.line(one), records.line(other)],
            metrics=[Metric("main", "n", "f", one.id, "t", run.id, "counter", "rows", 1.0, NOW)],
        )
        await store.journal.commit(Batch(executions={one.id: records.ended(one)}))
        assert await store.queries.delete("main", one.id, logs=True, metrics=True) is True
        everywhere = range(PARTITIONS)
        assert set(await store.journal.load([one.id, other.id])) == {other.id}
        assert await store.queries.task_runs([one.id]) == {one.id: []}
        assert list(await store.journal.timers(everywhere, NOW, 10)) == []
        assert [message.execution_id for message in await store.journal.messages(everywhere, 0, 10)] == [other.id]
        assert (await store.queries.logs_of(one.id))[0] == []
        assert await store.queries.metrics_of(one.id) == []
        assert await find(store, Filter("labels", "EQUALS", {"a": "1"})) == [other.id]
        assert await store.queries.delete("main", one.id, logs=True, metrics=True) is False

    async def test_delete_leaves_logs_and_metrics_when_asked_to(self, store: StorePorts) -> None:
        one = records.execution(state=SUCCESS)
        metric = Metric("main", "n", "f", one.id, "t", "run", "timer", "seconds", 1.5, NOW, {"table": "x"}, "TEST")
        await records.stored(store.journal, one, logs=[records.line(one)], metrics=[metric])
        assert await store.queries.delete("main", one.id, logs=False, metrics=False) is True
        assert len((await store.queries.logs_of(one.id))[0]) == 1
        assert list(await store.queries.metrics_of(one.id)) == [metric]

    async def test_delete_of_a_running_execution_is_refused(self, store: StorePorts) -> None:
        (one,) = await records.stored(store.journal, records.execution())
        with pytest.raises(ConflictError, match="not ended"):
            await store.queries.delete("main", one.id, logs=True, metrics=True)
        assert await store.queries.head("main", one.id) == one

    async def test_delete_by_another_tenant_finds_nothing(self, store: StorePorts) -> None:
        (one,) = await records.stored(store.journal, records.execution(state=SUCCESS))
        assert await store.queries.delete("other", one.id, logs=True, metrics=True) is False
        assert await store.queries.head("main", one.id) == one

    async def test_fired_execution_is_found_by_its_key_until_that_is_forgotten(self, store: StorePorts) -> None:
        one = records.execution(firing_key="order", created=NOW)
        await records.stored(store.journal, one)
        assert await store.queries.fired("order") == one
        assert await store.queries.fired("other") is None
        await store.queries.forget_firing("order", NOW)
        assert await store.queries.fired("order") == one, "it is not older"
        await store.queries.forget_firing("order", NOW + 1)
        assert await store.queries.fired("order") is None
        again = records.execution(firing_key="order")
        await records.stored(store.journal, again)
        assert await store.queries.fired("order") == again
