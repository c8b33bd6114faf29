"""A `WorkerGateway` in memory, for tests of workers and tasks: jobs, kill orders and answers come from the test."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.base.clock import SECOND, Instant, Micros, SystemClock
from penstock.base.errors import InvalidRequestError, NotFoundError, UnauthorizedError
from penstock.engine.decision import Job
from penstock.engine.events import TaskEnded
from penstock.engine.records import LogLine, Metric
from penstock.ports.gateway import Assignment, Evaluated, Report
from penstock.ports.journal import LeaseLost
from penstock.ports.objects import uri_of

Function = Callable[..., Any]


class MemoryGateway:
    """Jobs, files and answers in memory.

    Args:
        functions: Answers of expression functions by name; called with the arguments by name.
    """

    def __init__(self, functions: Mapping[str, Function] | None = None) -> None:
        self.locks: dict[str, str] = {}
        self.functions: dict[str, Function] = {
            "dependencyLock": lambda *, key, **_: self.locks.get(key),
            "keepDependencyLock": lambda *, key, text, **_: self.locks.setdefault(key, text),
            "pluginConfiguration": lambda **_: {},
            **(functions or {}),
        }
        self.files: dict[str, bytes] = {}
        self.reports: list[Report] = []
        self.evaluations: list[Evaluated] = []
        self.lines: list[LogLine] = []
        self.metric_list: list[Metric] = []
        self.released: list[str] = []
        self.calls: list[tuple[str, str | None]] = []
        """The functions that were called, each with the worker whose lease was to hold."""
        self._waiting: deque[Assignment] = deque()
        self._held: dict[str, dict[tuple[str, int], Assignment]] = {}
        self._orders: dict[str, list[tuple[str, int]]] = {}
        self._changed = asyncio.Condition()

    # -- the test's side

    async def offer(self, *assignments: Assignment) -> None:
        """Let workers claim these."""
        async with self._changed:
            self._waiting.extend(assignments)
            self._changed.notify_all()

    async def order_kill(self, job: Job, *, withdraw: bool = False) -> None:
        """Order the end of a job, whoever holds it; one withdrawn is not its worker's any more."""
        async with self._changed:
            for worker_id, held in self._held.items():
                if job.key in held:
                    self._orders[worker_id].append(job.key)
                    if withdraw:
                        del held[job.key]
            self._changed.notify_all()

    async def give_up(self, worker_id: str) -> None:
        """Give a worker up: what it holds can be claimed by others."""
        async with self._changed:
            self._waiting.extend(self._held.pop(worker_id).values())
            self._changed.notify_all()

    async def settled(self, count: int, seconds: float = 60.0) -> list[TaskEnded]:
        """Wait until so many ends are reported, and return them in order."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: len(self.ends) >= count)
        return self.ends

    @property
    def ends(self) -> list[TaskEnded]:
        """The ends reported so far."""
        return [report.event for report in self.reports if isinstance(report.event, TaskEnded)]

    @property
    def messages(self) -> list[str]:
        """The log messages stored so far, in order."""
        return [line.message for line in self.lines]

    # -- the worker's side

    async def register(self, worker_id: str, group: str, capacity: int, hostname: str | None = None) -> None:
        """Make the worker known."""
        self._held[worker_id] = {}
        self._orders[worker_id] = []

    async def claim(self, worker_id: str, limit: int, wait: Micros) -> Sequence[Assignment]:
        """Return jobs, waiting for the first."""
        held = self._of(worker_id)
        try:
            async with asyncio.timeout(wait / SECOND), self._changed:
                await self._changed.wait_for(lambda: self._waits_no_longer(worker_id, limit))
                self._of(worker_id)
                taken = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
        except TimeoutError:
            return ()
        held.update((assignment.job.key, assignment) for assignment in taken)
        return taken

    async def lost(self, worker_id: str, known: Collection[tuple[str, int]]) -> Sequence[Assignment]:
        """Return what the worker holds and does not know of."""
        return [assignment for key, assignment in self._of(worker_id).items() if key not in known]

    async def heartbeat(self, worker_id: str) -> Sequence[tuple[str, int]]:
        """Say that the worker lives."""
        self._of(worker_id)
        return self._take_orders(worker_id)

    async def kills(self, worker_id: str, wait: Micros) -> Sequence[tuple[str, int]]:
        """Return kill orders, waiting for the first."""
        self._of(worker_id)
        try:
            async with asyncio.timeout(wait / SECOND), self._changed:
                await self._changed.wait_for(lambda: self._orders.get(worker_id))
        except TimeoutError:
            return ()
        return self._take_orders(worker_id)

    async def report(self, reports: Sequence[Report]) -> None:
        """Keep reports."""
        async with self._changed:
            for report in reports:
                self.reports.append(report)
                self.lines.extend(report.logs)
                self.metric_list.extend(report.metrics)
                if isinstance(report.event, TaskEnded):
                    for held in self._held.values():
                        held.pop(report.job.key, None)
            self._changed.notify_all()

    async def evaluated(self, told: Evaluated) -> bool:
        """Keep what was found; False when no worker holds the evaluation."""
        key = told.job.key
        async with self._changed:
            is_awaited = any(key in held for held in self._held.values())
            if is_awaited:
                self.evaluations.append(told)
                for held in self._held.values():
                    if told.is_over:
                        held.pop(key, None)
            self._changed.notify_all()
        return is_awaited

    async def logs(self, lines: Sequence[LogLine]) -> None:
        """Keep log lines."""
        self.lines.extend(lines)

    async def metrics(self, metrics: Sequence[Metric]) -> None:
        """Keep metrics."""
        self.metric_list.extend(metrics)

    async def release(self, worker_id: str) -> None:
        """Take back what the worker holds."""
        self.released.append(worker_id)
        async with self._changed:
            self._waiting.extend(self._held.pop(worker_id, {}).values())
            self._changed.notify_all()

    async def put_file(self, job: Job, name: str, content: bytes | Path) -> str:
        """Keep a file."""
        if name.startswith("/") or ".." in name.split("/"):
            raise InvalidRequestError(f"`{name}` is no name for a stored file")
        data = content if isinstance(content, bytes) else await asyncio.to_thread(content.read_bytes)
        uri = uri_of(f"/{job.execution_id}/{job.task_id}/{job.task_run_id}/{name}")
        self.files[uri] = data
        return uri

    async def get_file(self, job: Job, uri: str, target: Path) -> None:
        """Copy a file to the disk."""
        await asyncio.to_thread(target.write_bytes, self._file(job, uri))

    async def stream_file(self, job: Job, uri: str) -> AsyncIterator[bytes]:
        """Return a file in pieces."""
        data = self._file(job, uri)
        for start in range(0, len(data), 65_536):
            yield data[start : start + 65_536]

    async def call(self, job: Job, function: str, arguments: Mapping[str, Any], worker_id: str | None = None) -> Any:
        """Return the test's answer."""
        self.calls.append((function, worker_id))
        if function not in self.functions:
            raise InvalidRequestError(f"function `{function}` has no answer in this test")
        return await asyncio.to_thread(self.functions[function], **arguments)

    async def now(self) -> Instant:
        """Return the present instant."""
        return SystemClock().now()

    def _waits_no_longer(self, worker_id: str, limit: int) -> bool:
        return worker_id not in self._held or (limit > 0 and bool(self._waiting))

    def _file(self, job: Job, uri: str) -> bytes:
        if uri.startswith("kestra:///") and not uri.startswith(f"kestra:///{job.execution_id}/"):
            raise UnauthorizedError(f"execution {job.execution_id} may not read {uri}")
        if uri not in self.files:
            raise NotFoundError(f"there is no file {uri}")
        return self.files[uri]

    def _of(self, worker_id: str) -> dict[tuple[str, int], Assignment]:
        held = self._held.get(worker_id)
        if held is None:
            raise LeaseLost(f"worker {worker_id} is not known")
        return held

    def _take_orders(self, worker_id: str) -> Sequence[tuple[str, int]]:
        orders, self._orders[worker_id] = self._orders[worker_id], []
        return orders
