"""SQLite answers the questions asked all the time from an index made for them, whatever the size of the tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Connection

from penstock.base.clock import SystemClock
from penstock.ports.dashboards import ChartColumn, ChartFilter, ChartQuery
from penstock.ports.queries import ALL_LINES, Filter, PageRequest
from penstock.store import Store, filters, open_store
from penstock.store.sqlite import driver_of
from penstock.testing.store import records
from penstock.testing.store.records import NOW

OLD = [Filter("namespace", "PREFIX", "company"), Filter("state", "IN", ["SUCCESS"])]
Ask = Callable[[Store], Awaitable[object]]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'test.db'}", SystemClock())
    yield opened
    await opened.close()


ERRORS = [Filter("level", "EQUALS", "ERROR")]


async def plans(store: Store, ask: Ask) -> str:
    """Return the plans of all queries that a question makes on any connection."""
    asked: list[str] = []

    class Recording:
        name = "recording"

        async def read(self, work: Callable[[Connection], object]) -> object:
            def recorded(connection: Connection) -> object:
                driver_of(connection).set_trace_callback(asked.append)
                try:
                    return work(connection)
                finally:
                    driver_of(connection).set_trace_callback(None)

            return await store.database.read(recorded)

        write = read

    recording = Recording()
    for part in (store.journal, store.queries, store.flows, store.jobs, store.purging, store.charts):
        part._database = recording  # type: ignore[assignment]
    await ask(store)
    selects = [statement for statement in asked if statement.startswith("SELECT")]
    assert selects

    def explained(connection: Connection) -> str:
        found = [driver_of(connection).execute(f"EXPLAIN QUERY PLAN {one}").fetchall() for one in selects]
        return "\n".join(row[3] for rows in found for row in rows)

    return await store.database.read(explained)


def search(field: str, operation: str, value: object) -> Ask:
    return lambda store: store.queries.search("main", [Filter(field, operation, value)], PageRequest())


def ordered(name: str, *, ascending: bool = False) -> Ask:
    return lambda store: store.queries.search("main", [], PageRequest(sort=((name, ascending),)))


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda store: store.journal.live([1, 2], "", 10), "executions_live"),
        (lambda store: store.journal.timers([1, 2], NOW, 10), "timers_by_due"),
        (lambda store: store.flows.get("main", "company", "hello"), "flows_latest"),
        (lambda store: store.jobs.unowned(), "jobs_waiting"),
        (lambda store: store.queries.logs_of("e"), "logs_by_execution"),
        (lambda store: store.queries.log_marks("e", ALL_LINES, after=7, step=100), "COVERING INDEX logs_by_execution"),
        (lambda store: store.queries.latest("main", [("company", "hello")]), "executions_by_flow"),
        (lambda store: store.queries.created_since("main", "company", "hello", NOW), "executions_by_flow"),
        (lambda store: store.queries.counts("main"), "executions_open"),
        # along the ends, so that each batch of a purge begins where the one before it ended
        (
            lambda store: store.purging.ended("main", OLD, NOW, (1, "id"), 10),
            "executions_by_end (tenant=? AND end_date>",
        ),
        (search("state", "EQUALS", "FAILED"), "executions_ended"),
        (search("state", "IN", "RUNNING,CREATED"), "executions_open"),
        (search("flowId", "EQUALS", "hello"), "executions_by_flow"),
        (search("labels", "EQUALS", {"team": "data"}), "execution_labels_by_value"),
        (search("timeRange", "EQUALS", NOW), "executions_by_date"),
        (search("endDate", "GREATER_THAN_OR_EQUAL_TO", NOW), "executions_by_end"),
        (search("parentId", "EQUALS", "e"), "executions_by_parent"),
        (search("executionId", "EQUALS", "e"), "sqlite_autoindex_executions_1"),
        (search("namespace", "PREFIX", "company"), "executions_by_flow"),
        (search("namespace", "EQUALS", "company.team"), "executions_by_flow"),
        (search("startDate", "GREATER_THAN_OR_EQUAL_TO", NOW), "executions_by_date"),
        (lambda store: store.queries.open_by_namespace("main"), "executions_open"),
        (lambda store: store.jobs.turns(), "jobs_waiting"),
        (lambda store: store.jobs.claim("worker", "", 10, NOW), "workers"),
        (
            lambda store: store.purging.old_lines("main", OLD, NOW, (1, 2), 10, [OLD]),
            "logs_by_date (tenant=? AND date>",
        ),
        (lambda store: store.queries.logs("main", ERRORS, PageRequest(sort=(("date", False),))), "logs_grave"),
        (search("triggerExecutionId", "EQUALS", "e"), "executions_by_trigger_execution"),
    ],
)
async def test_question_asked_all_the_time_is_answered_from_its_index(store: Store, ask: Ask, index: str) -> None:
    await many(store)
    found = await plans(store, ask)
    assert index in found
    assert "SCAN executions\n" not in f"{found}\n"


@pytest.mark.parametrize("group", ["NAMESPACE", "FLOW_ID", "STATE"])
async def test_chart_reads_the_counts_of_its_span_and_no_others(store: Store, group: str) -> None:
    """BEY-022: whatever it is grouped by, and once for its rows and for how many there are."""
    since = ChartFilter("GREATER_THAN_OR_EQUAL_TO", "START_DATE", (NOW,))
    state = ChartFilter("EQUAL_TO", "STATE", ("FAILED",))
    asked = ChartQuery("Executions", [ChartColumn("group", group), ChartColumn("n", None, "COUNT")], [since, state])
    lines = (await plans(store, lambda store: store.charts.rows("main", asked, PageRequest(size=25)))).splitlines()
    of_counts = [line for line in lines if "execution_counts" in line]
    assert of_counts == ["SEARCH execution_counts USING PRIMARY KEY (tenant=? AND hour>?)"]


async def many(store: Store) -> None:
    """Store an execution of each kind: a page of none is not looked for."""
    states = (records.SUCCESS, records.FAILED, records.RUNNING)
    await records.stored(store.journal, *(records.execution(state=state) for state in states))


@pytest.mark.parametrize("name", ["endDate", "state.endDate", "state", "state.current", "startDate", "state.startDate"])
@pytest.mark.parametrize("ascending", [True, False])
async def test_order_of_a_list_is_read_along_an_index(store: Store, name: str, ascending: bool) -> None:
    """BEY-022: nothing is sorted but the few that are open, and what ends or begins in one instant."""
    await many(store)
    lines = (await plans(store, ordered(name, ascending=ascending))).splitlines()
    assert "SCAN executions" not in lines, lines
    sorted_ones = [before for before, line in pairwise(lines) if line == "USE TEMP B-TREE FOR ORDER BY"]
    assert all("executions_open" in before for before in sorted_ones)


@pytest.mark.parametrize("field", ["state", "namespace", "flowId", "kind", "scope", "timeRange"])
async def test_what_fits_is_counted_without_walking_past_executions(store: Store, field: str) -> None:
    """BEY-022: counts come from what is kept as executions end, and from the few that are open or just began."""
    await many(store)
    values = {"state": "SUCCESS", "scope": "USER", "kind": "NORMAL", "timeRange": records.NOW}
    asked = [Filter(field, "EQUALS", values.get(field, "company.team"))]
    found = (await plans(store, lambda store: store.queries.search("main", asked, PageRequest(size=0)))).splitlines()
    assert any("execution_counts" in line for line in found)
    bounded = ("executions_open (", "executions_by_date (tenant=? AND start_date>? AND start_date<?)", "end_date=?)")
    assert all("execution_counts" in line or any(one in line for one in bounded) for line in found), found


async def test_long_log_is_not_counted_to_its_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """BEY-022: its number is a bound then, always beyond the page that is asked for; a short one's is exact."""
    monkeypatch.setattr(filters, "BOUND", 5)
    await store.journal.send((), logs=[records.line(records.execution(), f"line {number}") for number in range(8)])
    found = [await store.queries.logs("main", [], PageRequest(page, 3)) for page in (1, 2, 3, 4)]
    assert [(page.total, page.is_exact, len(page.results)) for page in found] == [
        (5, False, 3),
        (7, False, 3),
        (8, True, 2),
        (8, True, 0),
    ]
    chart = ChartQuery("Logs", [ChartColumn("text", "MESSAGE")])
    totals = [(await store.charts.rows("main", chart, PageRequest(page, 3))).total for page in (1, 2, 3, 4)]
    assert totals == [5, 7, 8, 8]


async def test_table_of_executions_is_counted_from_what_is_kept(store: Store) -> None:
    """BEY-022: all of it, and without reading a row more than its page has."""
    await records.stored(store.journal, *(records.execution(state=records.FAILED) for _ in range(4)))
    chart = ChartQuery("Executions", [ChartColumn("id", "ID")], [ChartFilter("EQUAL_TO", "STATE", ("FAILED",))])
    pages = [await store.charts.rows("main", chart, PageRequest(page, 3)) for page in (1, 2, 3)]
    assert [(page.total, len(page.results)) for page in pages] == [(4, 3), (4, 1), (4, 0)]
