"""`python -m bench.store [URL]`: what the store costs for flows of two tasks, beside a floor of plain commits.

The executor's pattern: one commit creates (execution, task run, job), one goes on (task run ended, its job away, the
next task run and job, a log line), one ends. A batch carries many executions, as under load.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.options import rounds_of, whole
from penstock.base.clock import SystemClock
from penstock.base.ids import derived_id, new_id
from penstock.engine.decision import Job
from penstock.engine.records import Attempt, Cursor, Execution, LogLine, TaskRun
from penstock.engine.states import Change, State, StateType
from penstock.ports.journal import Batch
from penstock.store import open_store

S = StateType
NOW = 1_790_000_000_000_000
ROWS_PER_EXECUTION = 13


def _execution(state: State, execution_id: str) -> Execution:
    return Execution(
        id=execution_id,
        tenant="main",
        namespace="company.team",
        flow_id="simple",
        flow_revision=1,
        created=NOW,
        original_id=execution_id,
        original_created=NOW,
        inputs={"name": "value", "count": 3},
        state=state,
        labels=(("system.correlationId", execution_id),),
        cursor=Cursor(active=1),
    )


def _run(execution_id: str, task: str, *, is_ended: bool, sequence: int) -> TaskRun:
    state = State(S.SUBMITTED, (Change(S.CREATED, NOW), Change(S.SUBMITTED, NOW)))
    attempts: tuple[Attempt, ...] = ()
    if is_ended:
        state = state.to(S.RUNNING, NOW).to(S.SUCCESS, NOW)
        attempts = (Attempt(State.at(S.RUNNING, NOW).to(S.SUCCESS, NOW), "worker"),)
    return TaskRun(
        id=derived_id(execution_id, task),
        execution_id=execution_id,
        task_id=task,
        sequence=sequence,
        state=state,
        attempts=attempts,
        outputs={"value": "hello from the task"} if is_ended else None,
    )


def _job(run: TaskRun) -> Job:
    return Job(run.id, 1, run.execution_id, "main", "company.team", "simple", 1, run.task_id, created=NOW)


def _log(run: TaskRun) -> LogLine:
    return LogLine(
        "main", "company.team", "simple", NOW, "INFO", "hello from the task", run.execution_id, run.task_id, run.id, 1
    )


def batches(ids: Sequence[str], fences: dict[int, int]) -> tuple[Batch, Batch, Batch]:
    """Return the three commits that many executions go through together."""
    begin, middle, end = Batch(fences=fences), Batch(fences=fences), Batch(fences=fences)
    running = State(S.RUNNING, (Change(S.CREATED, NOW), Change(S.RUNNING, NOW)))
    for execution_id in ids:
        begin.new_executions[execution_id] = _execution(running, execution_id)
        first = _run(execution_id, "first", is_ended=False, sequence=0)
        begin.new_task_runs[first.id] = first
        begin.jobs[(first.id, 1)] = (_job(first), "worker")
        ended = _run(execution_id, "first", is_ended=True, sequence=0)
        second = _run(execution_id, "second", is_ended=False, sequence=1)
        middle.task_runs[first.id] = ended
        middle.ended_jobs[first.id, 1] = "worker"
        middle.new_task_runs[second.id] = second
        middle.jobs[(second.id, 1)] = (_job(second), "worker")
        middle.logs.append(_log(first))
        end.task_runs[second.id] = _run(execution_id, "second", is_ended=True, sequence=1)
        end.ended_jobs[second.id, 1] = "worker"
        end.logs.append(_log(second))
        end.executions[execution_id] = _execution(running.to(S.SUCCESS, NOW), execution_id)
    return begin, middle, end


async def measure(url: str, count: int, size: int) -> None:
    """Print what so many executions cost in batches of this size."""
    store = await open_store(url, SystemClock())
    try:
        leases = await store.journal.lease("bench", 64, 3_600_000_000, NOW)
        fences = {lease.partition: lease.token for lease in leases}
        rounds = [batches([new_id() for _ in range(size)], fences) for _ in range(rounds_of(count, size))]
        started, cpu = time.perf_counter(), time.process_time()
        for commits in rounds:
            for batch in commits:
                await store.journal.commit(batch)
        elapsed, used = time.perf_counter() - started, time.process_time() - cpu
        total = len(rounds) * size
        print(
            f"batches of {size:4}: {total * ROWS_PER_EXECUTION / elapsed:9,.0f} rows/s, "
            f"{elapsed / total * 1e6:7.0f} us/execution ({used / total * 1e6:.0f} us CPU), "
            f"{elapsed / len(rounds) / 3 * 1000:6.2f} ms/commit"
        )
    finally:
        await store.close()


def floor(path: Path, commits: int) -> None:
    """Print what a plain durable commit of one row costs here."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY, body TEXT)")
    started = time.perf_counter()
    for _ in range(commits):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO plain (body) VALUES ('body')")
        connection.execute("COMMIT")
    elapsed = time.perf_counter() - started
    connection.close()
    print(f"floor, one row a commit: {elapsed / commits * 1000:.2f} ms/commit")


async def main() -> None:
    """Measure a database named by its address, or a SQLite file in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--count", type=whole, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as directory:
        floor(Path(directory) / "floor.db", 300)
        for size, count in ((1, 300), (20, arguments.count // 10), (200, arguments.count), (1000, arguments.count)):
            url = arguments.url or f"sqlite:///{directory}/store-{size}.db"
            await measure(url, count, size)


if __name__ == "__main__":
    asyncio.run(main())
