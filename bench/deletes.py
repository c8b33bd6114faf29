"""`python -m bench.deletes`: what removing old log lines costs on PostgreSQL, and those who write meanwhile.

Fills the table of lines, lets the retention remove the older half as servers do, and drops a partition with as many
lines for comparison. Prints how long each takes, how much is written ahead for it, and the commits of a writer beside.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg
from sqlalchemy import Connection, text

from bench.postgres import postgres
from penstock.base.clock import SECOND, SystemClock
from penstock.services.retention import Policy, RetentionService
from penstock.storage import LocalStorage
from penstock.store import Store, open_store

DAY = 86_400 * SECOND
_COLUMNS = "tenant, namespace, flow_id, execution_id, task_id, task_run_id, attempt, date, level, thread, kind, message"
_LINES = f"""
INSERT INTO {{table}} ({_COLUMNS})
SELECT 'main', 'company.team', 'flow', md5((n / 10)::text), 'task', md5((n / 5)::text), 1,
       {{first}} + n::bigint * {{step}}, 2, 'worker-1', 'NORMAL', repeat('a line of a usual length, ', 4) || n
FROM generate_series(1, {{count}}) AS n
"""
_PARTED = """
CREATE TABLE parted (LIKE logs INCLUDING DEFAULTS) PARTITION BY RANGE (date);
CREATE TABLE parted_old PARTITION OF parted FOR VALUES FROM (0) TO ({middle});
CREATE TABLE parted_new PARTITION OF parted FOR VALUES FROM ({middle}) TO ({last});
CREATE INDEX ON parted (execution_id, id);
CREATE INDEX ON parted (tenant, date);
"""


async def beside(store: Store, work: Callable[[], Awaitable[object]]) -> tuple[float, list[float]]:
    """Do some work while a writer commits ten lines at a time; returns its seconds, and those of the commits."""
    done, commits = asyncio.Event(), list[float]()

    async def write() -> None:
        while not done.is_set():
            began = time.perf_counter()
            await store.database.write(lambda connection: _fill(connection, "logs", SystemClock().now(), 1, 10))
            commits.append(time.perf_counter() - began)
            await asyncio.sleep(0.02)

    writer = asyncio.create_task(write())
    began = time.perf_counter()
    await work()
    seconds = time.perf_counter() - began
    done.set()
    await writer
    return seconds, commits


def _fill(connection: Connection, table: str, first: int, step: int, count: int) -> None:
    connection.execute(text(_LINES.format(table=table, first=first, step=step, count=count)))


def _tell(name: str, seconds: float, commits: list[float], wal: int) -> None:
    commits = sorted(commits)
    print(
        f"{name:<28}{seconds:8.1f} s  {wal / 1e6:8.0f} MB written ahead  a commit beside it: median"
        f" {statistics.median(commits) * 1000:.1f} ms, at most {commits[-1] * 1000:.0f} ms",
        flush=True,
    )


async def measure(url: str, count: int) -> None:
    """Measure and print."""
    store = await open_store(url, SystemClock())
    now = SystemClock().now()
    span = 60 * DAY

    def position() -> int:
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
            return int(row[0]) if row else 0

    async def timed(name: str, work: Callable[[], Awaitable[object]]) -> None:
        before = position()
        seconds, commits = await beside(store, work)
        _tell(name, seconds, commits, position() - before)

    await store.database.write(lambda connection: _fill(connection, "logs", now - span, span // count, count))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE logs")
    await timed("nothing, for five seconds", lambda: asyncio.sleep(5))
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        files = LocalStorage(Path(folder))
        retention = RetentionService(store.purging, files, SystemClock(), Policy(None, 30 * DAY))
        await timed(f"{count // 2:,} lines, by retention", lambda: retention.sweep("main"))

    async def drop() -> None:
        await store.database.write(lambda connection: connection.execute(text("DROP TABLE parted_old")).close())

    def part(connection: Connection) -> None:
        for statement in _PARTED.format(middle=now - 30 * DAY, last=now + DAY).split(";")[:-1]:
            connection.execute(text(statement))
        _fill(connection, "parted", now - span, span // count, count)

    await store.database.write(part)
    await timed("the same, by its partition", drop)
    await store.close()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--postgres", help="URL of an empty database; by default one of its own")
    given = parser.parse_args()
    with postgres(given.postgres) as url:
        if url is not None:
            asyncio.run(measure(url, given.lines))


if __name__ == "__main__":
    main()
