"""SQLite answers the questions asked all the time from an index made for them, whatever the size of the tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from penstock.base.clock import SystemClock
from penstock.ports.queries import Filter, PageRequest
from penstock.store import Store, open_store
from penstock.store.sqlite import driver_of
from penstock.testing.store.records import NOW

OLD = [Filter("namespace", "PREFIX", "company"), Filter("state", "IN", ["SUCCESS"])]
Ask = Callable[[Store], Awaitable[object]]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'test.db'}", SystemClock())
    yield opened
    await opened.close()


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
    for part in (store.journal, store.queries, store.flows, store.jobs, store.purging):
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


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda store: store.journal.live([1, 2], "", 10), "executions_live"),
        (lambda store: store.journal.timers([1, 2], NOW, 10), "timers_by_due"),
        (lambda store: store.flows.get("main", "company", "hello"), "flows_latest"),
        (lambda store: store.jobs.unowned(), "jobs_waiting"),
        (lambda store: store.queries.logs_of("e"), "logs_by_execution"),
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
        (search("triggerExecutionId", "EQUALS", "e"), "executions_by_trigger_execution"),
    ],
)
async def test_question_asked_all_the_time_is_answered_from_its_index(store: Store, ask: Ask, index: str) -> None:
    found = await plans(store, ask)
    assert index in found
    assert "SCAN executions\n" not in f"{found}\n"
