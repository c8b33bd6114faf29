"""`python -m bench.lists [--count N] [--lines N] [--postgres URL]`: lists and charts of many finished executions.

The store is filled by SQL. Each question is a page of 25 as the interface asks for it, with the number of all that fit;
then come all charts of the home page for the last seven days, and the logs.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from bench.options import whole
from penstock.base.clock import SECOND, Instant, SystemClock
from penstock.ports.queries import Filter, Page, PageRequest
from penstock.services.dashboards.charts import ChartData
from penstock.services.dashboards.overrides import Overrides
from penstock.services.dashboards.service import DashboardService
from penstock.store import Store, open_store
from penstock.store.rows import EXECUTION_CHANGING, EXECUTION_SET_ONCE
from penstock.testing.store import records

DAY = 24 * 3600 * SECOND
REPEATS = 5
AIM = 100.0
"""Milliseconds of a list."""
HOME_AIM = 300.0
"""Milliseconds of a chart of the home page."""
_LINES_AT_ONCE = 500_000
_SAMPLE = "a sample"
_NUMBERS = (
    "WITH RECURSIVE numbers(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i < {count}) "
)
_VARIED = {
    "id": "'execution' || (1000000000 + i)",
    "original_id": "'execution' || (1000000000 + i)",
    "namespace": "'company.team' || (i % 20)",
    "flow_id": "'flow' || (i % 200)",
    "created": "created + i * 1000000",
    "start_date": "start_date + i * 1000000",
    "end_date": "end_date + i * 1000000",
    "state": "CASE WHEN i % 50 = 0 THEN 'FAILED' WHEN i % 500 = 1 THEN 'WARNING' ELSE 'SUCCESS' END",
}
"""What differs from one execution to the next."""


def fill_txn(connection: Connection, count: int) -> None:
    """Copy a sample execution so many times, each with a label."""
    columns = (*EXECUTION_SET_ONCE, *EXECUTION_CHANGING)
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(_VARIED.get(name, f'"{name}"') for name in columns)
    numbers = _NUMBERS.format(count=count)
    execute_txn(
        connection,
        f"INSERT INTO executions ({names}) {numbers} SELECT {values} FROM executions, numbers "
        f"WHERE executions.id = '{_SAMPLE}'",
    )
    execute_txn(
        connection,
        f"INSERT INTO execution_labels (execution_id, key, value) {numbers} "
        "SELECT 'execution' || (1000000000 + i), 'customer', 'c' || (i % 1000) FROM numbers",
    )


def execute_txn(connection: Connection, statement: str) -> None:
    """Run a statement in which signs of percent mean what SQL means by them, whatever the driver."""
    connection.execute(text(statement))


def fill_lines_txn(connection: Connection, first: int, count: int, each: int) -> None:
    """Add log lines, `each` for an execution, one of a thousand of them an error."""
    execute_txn(
        connection,
        "INSERT INTO logs (tenant, namespace, flow_id, execution_id, task_id, date, level, kind, message) "
        f"{_NUMBERS.format(count=count)} SELECT 'main', 'company.team' || (({first} + i) / {each} % 20), "
        f"'flow' || (({first} + i) / {each} % 200), 'execution' || (1000000000 + ({first} + i) / {each}), 'task', "
        f"{records.NOW} + ({first} + i) / {each} * 1000000, CASE WHEN i % 1000 = 0 THEN 5 ELSE 3 END, 'NORMAL', "
        "'step ' || i || ' of the work is done, and so on' FROM numbers",
    )


async def filled(url: str, count: int, lines: int) -> Store:
    """Return a store with so many finished executions and log lines."""
    store = await open_store(url, SystemClock())
    sample = records.execution(id=_SAMPLE, state=records.SUCCESS, inputs={"text": "x" * 1000})
    await records.stored(store.journal, sample)
    began = time.perf_counter()
    await store.database.write(lambda connection: fill_txn(connection, count))
    await store.counts.recount()
    for first in range(0, lines, _LINES_AT_ONCE):
        number, each = min(_LINES_AT_ONCE, lines - first), max(1, lines // count)
        await store.database.write(partial(fill_lines_txn, first=first, count=number, each=each))
    print(f"{count:,} executions, {lines:,} log lines in {time.perf_counter() - began:.0f} s")
    return store


def questions(count: int) -> dict[str, tuple[list[Filter], PageRequest]]:
    """Return what is asked."""
    recent = records.NOW + (count - 1000) * SECOND

    def page(number: int = 1, *sort: tuple[str, bool]) -> PageRequest:
        return PageRequest(number, 25, sort)

    def one(field: str, operation: str, value: Any) -> list[Filter]:
        return [Filter(field, operation, value)]

    return {
        "the first page": ([], page()),
        "page 100": ([], page(100)),
        "the last hour": (one("timeRange", "EQUALS", recent), page()),
        "succeeded": (one("state", "IN", ["SUCCESS"]), page()),
        "failed": (one("state", "IN", ["FAILED"]), page()),
        "running": (one("state", "IN", ["RUNNING"]), page()),
        "a namespace": (one("namespace", "PREFIX", "company.team7"), page()),
        "a flow": ([*one("namespace", "EQUALS", "company.team7"), *one("flowId", "EQUALS", "flow7")], page()),
        "a flow's failed": ([*one("flowId", "EQUALS", "flow50"), *one("state", "IN", ["FAILED"])], page()),
        "a label": (one("labels", "EQUALS", {"customer": "c7"}), page()),
        "by end": ([], page(1, ("endDate", False))),
        "by state": ([], page(1, ("state", True))),
        "by id": ([], page(1, ("id", False))),
    }


async def measure(store: Store, count: int) -> None:
    """Ask, and print the median of several times."""
    for name, (filters, page) in questions(count).items():
        await timed(name, partial(store.queries.search, "main", filters, page, bodies=False), AIM)
    recent = [Filter("timeRange", "EQUALS", records.NOW + (count - 3600) * SECOND)]
    newest = PageRequest(1, 100, (("date", False),))
    await timed("logs of the last hour", partial(store.queries.logs, "main", recent, newest), AIM)
    errors = [Filter("level", "EQUALS", "ERROR")]
    await timed("all errors", partial(store.queries.logs, "main", errors, newest), AIM)


async def measure_home(store: Store, count: int) -> None:
    """Ask for each chart of the home page."""
    clock = Standing(records.NOW + count * SECOND)
    dashboards = DashboardService(store.dashboards, ChartData(store.charts, store.flows, clock), clock)
    for chart in (await dashboards.get("main", "home")).charts:
        await timed(f"home: {chart.id}", partial(dashboards.rows, "main", "home", chart.id, Overrides()), HOME_AIM)


@dataclass(frozen=True, slots=True)
class Standing:
    """A clock that stands at the end of what the store is filled with."""

    instant: Instant

    def now(self) -> Instant:
        """Return the present."""
        return self.instant


async def timed(name: str, ask: Callable[[], Awaitable[Page[Any]]], aim: float) -> None:
    """Print the median of several times, and the slowest, which reads what no cache has."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        found = await ask()
        times.append((time.perf_counter() - began) * 1000)
    median = statistics.median(times)
    note = "" if median < aim else "   too slow"
    print(f"{name:30} {found.total:>10,} found {median:8.1f} ms, at most {max(times):8.1f} ms{note}")


async def run(url: str | None, count: int, lines: int) -> None:
    """Fill a database and measure."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        store = await filled(url or f"sqlite:///{Path(folder) / 'lists.db'}", count, lines)
        await measure(store, count)
        await measure_home(store, count)
        await store.close()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=whole, default=100_000)
    parser.add_argument("--lines", type=int, default=0, help="log lines")
    parser.add_argument("--postgres", metavar="URL", help="an empty database; SQLite without it")
    given = parser.parse_args()
    asyncio.run(run(given.postgres, given.count, given.lines))


if __name__ == "__main__":
    main()
