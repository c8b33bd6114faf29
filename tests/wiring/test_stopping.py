"""A whole server told to stop in the midst of its start: it ends, whatever it was about, and lets go of everything."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

from penstock.wiring.application import Application
from penstock.wiring.plan import ALL_ROLES, HttpPlan, Plan
from tests.support.waiting import PATIENCE
from tests.wiring.test_application import plan

STEPS = [0, 3, 13]
"""Steps of the loop after which the start is cancelled; what waits for threads and connections takes few of them."""
MOMENTS = [0.1]
"""Seconds after which it is."""


def whole(database: str, folder: Path) -> Plan:
    return replace(plan(database, folder, ALL_ROLES), http=HttpPlan(port=0))


async def stopped(wanted: Plan, steps: int, seconds: float) -> set[str]:
    """Start a server, stop it after some steps and seconds, and return the names of the tasks it leaves behind."""
    before = asyncio.all_tasks()
    application = Application(wanted)
    starting = asyncio.create_task(application.start(), name="start")
    for _ in range(steps):
        await asyncio.sleep(0)
    await asyncio.wait([starting], timeout=seconds)
    starting.cancel()
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait([starting])
        if not starting.cancelled():
            starting.result()
        await application.stop(hurry=True)
        await asyncio.sleep(0)  # what has been cancelled may end
        await asyncio.sleep(0)
    return {task.get_name() for task in asyncio.all_tasks() - before if not task.done()}


async def check(wanted: Plan) -> None:
    left: dict[float, set[str]] = {}
    for steps in map(int, os.environ.get("STEPS", "").split() or STEPS):
        if found := await stopped(wanted, steps, 0):
            left[steps] = found
    for seconds in map(float, os.environ.get("MOMENTS", "").split() or MOMENTS):
        if found := await stopped(wanted, 0, seconds):
            left[seconds] = found
    assert left == {}
    application = Application(wanted)  # nothing is held that another start would need
    await application.start()
    await application.stop(hurry=True)


async def test_server_stopped_while_it_starts_on_sqlite_ends(tmp_path: Path) -> None:
    """OPS-004, BEY-001."""
    await check(whole(f"sqlite:///{tmp_path / 'penstock.db'}", tmp_path))


async def test_server_stopped_while_it_starts_on_postgresql_ends(postgres_url: str, tmp_path: Path) -> None:
    """OPS-004, BEY-001."""
    await check(whole(postgres_url, tmp_path))
