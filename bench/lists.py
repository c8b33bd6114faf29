"""`python -m bench.lists [--count N] [--postgres URL]`: how long lists take in a store with many finished executions.

The store is filled by SQL. Each question is a page of 25 as the interface asks for it, with the number of all that fit.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from penstock.base.clock import SECOND, SystemClock
from penstock.ports.queries import Filter, PageRequest
from penstock.store import Store, open_store
from penstock.store.rows import EXECUTION_CHANGING, EXECUTION_SET_ONCE
from penstock.testing.store import records

DAY = 24 * 3600 * SECOND
REPEATS = 5
AIM = 100.0
"""Milliseconds."""
_SAMPLE = "a sample"
_NUMBERS = "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count}) "
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
    connection.exec_driver_sql(
        f"INSERT INTO executions ({names}) {numbers} SELECT {values} FROM executions, numbers "
        f"WHERE executions.id = '{_SAMPLE}'"
    )
    connection.exec_driver_sql(
        f"INSERT INTO execution_labels (execution_id, key, value) {numbers} "
        "SELECT 'execution' || (1000000000 + i), 'customer', 'c' || (i % 1000) FROM numbers"
    )


async def filled(url: str, count: int) -> Store:
    """Return a store with so many finished executions."""
    store = await open_store(url, SystemClock())
    sample = records.execution(id=_SAMPLE, state=records.SUCCESS, inputs={"text": "x" * 1000})
    await records.stored(store.journal, sample)
    began = time.perf_counter()
    await store.database.write(lambda connection: fill_txn(connection, count))
    print(f"{count:,} executions in {time.perf_counter() - began:.0f} s")
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
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            found = await store.queries.search("main", filters, page)
            times.append((time.perf_counter() - began) * 1000)
        median = statistics.median(times)
        print(f"{name:20} {found.total:>10,} found {median:8.1f} ms{'' if median < AIM else '   too slow'}")


async def run(url: str | None, count: int) -> None:
    """Fill a database and measure."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        store = await filled(url or f"sqlite:///{Path(folder) / 'lists.db'}", count)
        await measure(store, count)
        await store.close()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--postgres", metavar="URL", help="an empty database; SQLite without it")
    given = parser.parse_args()
    asyncio.run(run(given.postgres, given.count))


if __name__ == "__main__":
    main()
