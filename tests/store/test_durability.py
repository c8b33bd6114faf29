"""A process killed at any moment: what it acknowledged is there, what it did not is there whole or not at all."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import time

import pytest

from penstock.base.clock import SystemClock
from penstock.ports.journal import PARTITIONS
from penstock.store import open_store

WRITER = """
    import asyncio, sys
    from penstock.base.clock import SystemClock
    from penstock.store import open_store
    from penstock.testing.store import records

    async def main():
        store = await open_store(sys.argv[1], SystemClock())

        async def write():
            while True:
                one = records.execution()
                runs = [records.task_run(one, f"t{n}", sequence=n) for n in range(3)]
                jobs = {(run.id, 1): (records.job(run), "w") for run in runs}
                await store.journal.commit(
                    records.batch_of(one, new_task_runs={run.id: run for run in runs}, jobs=jobs,
                                     messages=[records.created(one)], logs=[records.line(one)])
                )
                print(one.id, flush=True)

        await asyncio.gather(*(write() for _ in range(4)))

    asyncio.run(main())
"""
ROUNDS = 5


def acknowledged_until_killed(url: str) -> set[str]:
    """Run the writer for a moment, kill it, and return the executions it said were stored."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), url], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline().strip()  # it is under way
        time.sleep(random.uniform(0.01, 0.2))
        writer.kill()
        return {first, *(line.strip() for line in writer.stdout if line.endswith("\n"))}


@pytest.mark.chaos
async def test_writer_killed_while_committing_has_lost_nothing_it_acknowledged(url: str) -> None:
    store = await open_store(url, SystemClock())
    await store.close()
    acknowledged: set[str] = set()
    for _ in range(ROUNDS):
        acknowledged |= acknowledged_until_killed(url)
    store = await open_store(url, SystemClock())
    ids = list(await store.journal.live(range(PARTITIONS), "", 1_000_000))
    loaded = await store.journal.load(ids)
    messages = {one.execution_id for one in await store.journal.messages(range(PARTITIONS), 0, 1_000_000)}
    await store.jobs.expire(0, 0)  # frees the jobs: nobody ever knew the worker they were given to
    unowned = await store.jobs.unowned()
    logs = [len((await store.queries.logs_of(one))[0]) for one in ids[:50]]
    await store.close()
    assert acknowledged <= set(ids)
    assert all(len(found.task_runs) == 3 for found in loaded.values())
    assert messages == set(ids)
    assert unowned == len(ids) * 3
    assert set(logs) == {1}
