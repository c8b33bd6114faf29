"""Script tasks under a worker: what a kill, a timeout and a stop leave of their processes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock.base.clock import SECOND
from penstock.engine.decision import Job
from penstock.engine.states import StateType
from penstock.model.registry import TypeRegistry
from penstock.ports.gateway import Assignment
from penstock.services.worker import Worker, WorkerSettings
from penstock.testing.gateway import MemoryGateway
from penstock.wiring.plugins import builtin_types
from tests.builtin.scripts.making import RUNNER
from tests.support.waiting import PATIENCE, eventually

REGISTRY = TypeRegistry(builtin_types())
COMMANDS = "io.kestra.plugin.scripts.shell.Commands"
SLEEPS = ["sleep 300 & echo $!", "setsid sleep 301 & echo $!", "echo ready", "wait"]


def assignment(*commands: str, timeout: str | None = None) -> Assignment:
    job = Job(
        task_run_id="run1",
        attempt=1,
        execution_id="e1",
        tenant="main",
        namespace="company.team",
        flow_id="flow",
        flow_revision=1,
        task_id="t",
    )
    definition = {"id": "t", "type": COMMANDS, "commands": list(commands), "taskRunner": RUNNER}
    return Assignment(job, definition, COMMANDS, {}, timeout=timeout)


@contextlib.asynccontextmanager
async def working(gateway: MemoryGateway, folder: Path) -> AsyncIterator[asyncio.Task[None]]:
    settings = WorkerSettings(
        threads=2,
        announce_after=SECOND // 50,
        flush_every=SECOND // 50,
        heartbeat_every=SECOND // 20,
        claim_wait=SECOND,
        grace=SECOND // 10,
        directory=folder,
    )
    worker = Worker(gateway, REGISTRY, settings)
    running = asyncio.create_task(worker.run())
    try:
        yield running
    finally:
        worker.stop()
        await asyncio.wait_for(running, PATIENCE)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def started(gateway: MemoryGateway) -> list[int]:
    """Wait until the sleeps run and return their process ids."""
    await eventually(lambda: "ready" in gateway.messages)
    pids = [int(message) for message in gateway.messages if message.isdigit()]
    assert len(pids) == 2
    assert all(is_running(pid) for pid in pids)
    return pids


async def test_script_killed_is_reported_when_its_processes_are_gone(tmp_path: Path) -> None:
    """BEY-004, BEY-009, SCR-064."""
    gateway = MemoryGateway()
    async with working(gateway, tmp_path):
        offered = assignment(*SLEEPS)
        await gateway.offer(offered)
        pids = await started(gateway)
        await gateway.order_kill(offered.job)
        (end,) = await gateway.settled(1)
        assert end.state is StateType.KILLED
        assert not any(is_running(pid) for pid in pids)


async def test_script_over_its_timeout_fails_when_its_processes_are_gone(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with working(gateway, tmp_path):
        await gateway.offer(assignment(*SLEEPS, timeout="PT2S"))
        pids = await started(gateway)
        (end,) = await gateway.settled(1)
        assert end.state is StateType.FAILED
        assert "timeout of PT2S" in (end.error or "")
        assert not any(is_running(pid) for pid in pids)


async def test_script_of_a_worker_that_stops_leaves_no_process(tmp_path: Path) -> None:
    """SCR-064."""
    gateway = MemoryGateway()
    async with working(gateway, tmp_path):
        await gateway.offer(assignment(*SLEEPS))
        pids = await started(gateway)
    assert not any(is_running(pid) for pid in pids)
    assert gateway.released
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(("code", "state"), [(0, StateType.SUCCESS), (3, StateType.FAILED)])
async def test_script_ends_as_its_exit_code_says(tmp_path: Path, code: int, state: StateType) -> None:
    """SCR-011."""
    gateway = MemoryGateway()
    async with working(gateway, tmp_path):
        await gateway.offer(assignment("echo oops >&2", f"exit {code}"))
        (end,) = await gateway.settled(1)
        assert end.state is state
        assert (end.outputs or {}).get("exitCode", code) == code
        assert code == 0 or f"exit code {code}" in (end.error or "")
    assert names_in(tmp_path) == []
