"""The contracts of every `DashboardStore` and `ChartReads`."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from penstock.base.errors import ConflictError
from penstock.engine.records import Metric
from penstock.ports.dashboards import ChartColumn, ChartFilter, ChartQuery, StoredDashboard
from penstock.ports.flows import StoredFlow
from penstock.ports.queries import PageRequest
from penstock.ports.triggers import TriggerState
from penstock.testing.store import records
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import FAILED, NOW, SECOND, SUCCESS

ONE = StoredDashboard("main", "one", "Sales", None, "title: Sales", NOW, NOW)
HOUR = 3600 * SECOND
WEEK = 7 * 24 * HOUR
COUNT = ChartColumn("total", None, "COUNT")


class DashboardStoreContract:
    """What holds for every store of dashboards. A subclass gives the fixture `store`."""

    async def test_dashboard_replaced_keeps_the_date_of_its_creation(self, store: StorePorts) -> None:
        assert await store.dashboards.save(ONE, is_new=True) == ONE
        with pytest.raises(ConflictError):
            await store.dashboards.save(ONE, is_new=True)
        later = replace(ONE, title="Costs", created=NOW + 1, updated=NOW + 1)
        assert await store.dashboards.save(later, is_new=False) == replace(later, created=NOW)
        assert await store.dashboards.get("main", "one") == replace(later, created=NOW)
        assert await store.dashboards.get("other", "one") is None
        assert await store.dashboards.delete("main", "one")
        assert not await store.dashboards.delete("main", "one")

    async def test_dashboards_are_found_by_id_and_title(self, store: StorePorts) -> None:
        for one in (ONE, replace(ONE, id="two", title="Costs"), replace(ONE, tenant="other")):
            await store.dashboards.save(one, is_new=True)
        page = await store.dashboards.search("main", "", PageRequest())
        assert ([one.id for one in page.results], page.total) == (["two", "one"], 2)
        assert [one.id for one in (await store.dashboards.search("main", "SALE", PageRequest())).results] == ["one"]


def executions() -> list[Any]:
    """Return two ended executions and one that runs, of two namespaces, an hour apart."""
    first = records.execution(id="first", labels=(("team", "a"),), state=SUCCESS)
    second = records.execution(id="second", labels=(("team", "b"),), state=FAILED, created=NOW + HOUR)
    second = replace_state(second, HOUR)
    third = replace_state(records.execution(id="third", namespace="system", created=NOW + HOUR), HOUR)
    return [first, second, third, records.execution(id="test", kind="TEST", state=SUCCESS)]


def replace_state(execution: Any, shift: int) -> Any:
    """Return an execution whose history is moved on."""
    histories = tuple(msgspec.structs.replace(one, date=one.date + shift) for one in execution.state.histories)
    return msgspec.structs.replace(execution, state=msgspec.structs.replace(execution.state, histories=histories))


class ChartReadsContract:
    """What holds for the data of charts. A subclass gives the fixture `store`."""

    async def test_executions_are_counted_by_state_and_span_without_tests(self, store: StorePorts) -> None:
        await records.stored(store.journal, *executions())
        begin = NOW - NOW % HOUR
        columns = [ChartColumn("date", "START_DATE", span=HOUR), ChartColumn("state", "STATE"), COUNT]
        assert await rows(store, columns) == [
            {"date": begin, "state": "SUCCESS", "total": 1},
            {"date": begin + HOUR, "state": "FAILED", "total": 1},
            {"date": begin + HOUR, "state": "RUNNING", "total": 1},
        ]
        [week] = await rows(store, [ChartColumn("date", "START_DATE", span=WEEK), COUNT])
        assert (week["date"] + 3 * 24 * HOUR) % WEEK == 0, "weeks begin on Mondays"

    async def test_executions_without_aggregate_are_rows_newest_first_and_paged(self, store: StorePorts) -> None:
        await records.stored(store.journal, *executions())
        query = ChartQuery(
            "Executions", [ChartColumn("id", "ID"), ChartColumn("duration", "DURATION"), ChartColumn("all", "LABELS")]
        )
        page = await store.charts.rows("main", query, PageRequest(2, 2))
        assert (page.results, page.total) == ([{"id": "first", "duration": 2.0, "all": {"team": "a"}}], 3)

    async def test_executions_are_ordered_by_what_is_aggregated(self, store: StorePorts) -> None:
        await records.stored(store.journal, *executions())
        columns = [
            ChartColumn("namespace", "NAMESPACE"),
            COUNT,
            ChartColumn("mean", "DURATION", "AVG"),
            ChartColumn("most", "DURATION", "MAX"),
            ChartColumn("revisions", "FLOW_REVISION", "SUM"),
            ChartColumn("last", "START_DATE", "MAX"),
        ]
        assert await rows(store, columns, order=[("total", False)]) == [
            {"namespace": "company.team", "total": 2, "mean": 2.0, "most": 2.0, "revisions": 2, "last": NOW + HOUR},
            {"namespace": "system", "total": 1, "mean": None, "most": None, "revisions": 1, "last": NOW + HOUR},
        ]

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            (ChartFilter("EQUAL_TO", "STATE", ("FAILED",)), "second"),
            (ChartFilter("NOT_EQUAL_TO", "STATE", ("FAILED",)), "first third"),
            (ChartFilter("IN", "STATE", ("FAILED", "SUCCESS")), "first second"),
            (ChartFilter("NOT_IN", "STATE", ("FAILED", "SUCCESS")), "third"),
            (ChartFilter("IS_NULL", "END_DATE"), "third"),
            (ChartFilter("IS_NOT_NULL", "END_DATE"), "first second"),
            (ChartFilter("GREATER_THAN_OR_EQUAL_TO", "START_DATE", (NOW + HOUR,)), "second third"),
            (ChartFilter("LESS_THAN", "DURATION", (1.5,)), ""),
            (ChartFilter("LESS_THAN_OR_EQUAL_TO", "DURATION", (2.0,)), "first second"),
            (ChartFilter("GREATER_THAN", "FLOW_REVISION", (0.0,)), "first second third"),
            (ChartFilter("CONTAINS", "ID", ("ir",)), "first third"),
            (ChartFilter("STARTS_WITH", "NAMESPACE", ("company.",)), "first second"),
            (ChartFilter("ENDS_WITH", "ID", ("nd",)), "second"),
            (ChartFilter("REGEX", "ID", ("^(f|t)",)), "first third"),
            (ChartFilter("EQUAL_TO", "SCOPE", ("SYSTEM",)), "third"),
            (ChartFilter("EQUAL_TO", "LABELS", ("b",), label_key="team"), "second"),
            (ChartFilter("IS_TRUE", "ID"), ""),
            (ChartFilter("IS_FALSE", "STATE"), ""),
            (
                ChartFilter(
                    "OR",
                    alternatives=(
                        ChartFilter("EQUAL_TO", "ID", ("first",)),
                        ChartFilter("EQUAL_TO", "STATE", ("FAILED",)),
                    ),
                ),
                "first second",
            ),
        ],
        ids=lambda value: value.type if isinstance(value, ChartFilter) else "",
    )
    async def test_executions_are_those_that_meet_a_filter(
        self, store: StorePorts, where: ChartFilter, expected: str
    ) -> None:
        await records.stored(store.journal, *executions())
        found = await rows(store, [ChartColumn("id", "ID")], where=[where], order=[("id", True)])
        assert " ".join(row["id"] for row in found) == expected

    async def test_one_label_is_a_column_of_its_own(self, store: StorePorts) -> None:
        await records.stored(store.journal, *executions())
        columns = [ChartColumn("team", "LABELS", label_key="team"), COUNT]
        assert await rows(store, columns) == [
            {"team": "a", "total": 1},
            {"team": "b", "total": 1},
            {"team": None, "total": 1},
        ]

    async def test_logs_and_metrics_are_counted(self, store: StorePorts) -> None:
        [owner, *_] = executions()
        metric = Metric("main", "company.team", "hello", owner.id, "task", "run", "counter", "rows", 4.0, NOW)
        lines = [records.line(owner, "a"), records.line(owner, "b", level="ERROR"), records.line(owner, "c")]
        await records.stored(store.journal, owner, logs=lines, metrics=[metric, metric])
        assert await rows(store, [ChartColumn("level", "LEVEL"), COUNT], "Logs") == [
            {"level": "ERROR", "total": 1},
            {"level": "INFO", "total": 2},
        ]
        only = [ChartFilter("EQUAL_TO", "LEVEL", ("ERROR",))]
        assert await rows(store, [ChartColumn("text", "MESSAGE")], "Logs", where=only) == [{"text": "b"}]
        columns = [ChartColumn("name", "NAME"), ChartColumn("sum", "VALUE", "SUM")]
        assert await rows(store, columns, "Metrics") == [{"name": "rows", "sum": 8.0}]

    async def test_flows_and_triggers_are_those_there_are_now(self, store: StorePorts) -> None:
        flow = StoredFlow("main", "company", "one", 0, "id: one", NOW)
        await store.flows.save(flow, None)
        await store.flows.save(flow, None)
        assert await rows(store, [ChartColumn("id", "ID"), ChartColumn("revision", "REVISION")], "Flows") == [
            {"id": "one", "revision": 2}
        ]
        await store.triggers.save(TriggerState("main", "company", "one", "daily", "Schedule", next_date=NOW))
        columns = [
            ChartColumn("id", "TRIGGER_ID"),
            ChartColumn("next", "NEXT_EXECUTION_DATE"),
            ChartColumn("w", "WORKER_ID"),
        ]
        assert await rows(store, columns, "Triggers") == [{"id": "daily", "next": NOW, "w": None}]


async def rows(
    store: StorePorts,
    columns: Sequence[ChartColumn],
    source: str = "Executions",
    where: Sequence[ChartFilter] = (),
    order: Sequence[tuple[str, bool]] = (),
) -> list[Mapping[str, Any]]:
    """Return the first rows of a chart."""
    page = await store.charts.rows("main", ChartQuery(source, columns, where, order), PageRequest(1, 100))
    assert page.total == len(page.results)
    return list(page.results)
