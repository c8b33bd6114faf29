"""A `WorkerGateway` in memory, and the contract every gateway keeps.

The one in memory serves tests of workers and tasks; its jobs, kill orders and answers come from the test.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from penstock.base.clock import SECOND, Instant, Micros, SystemClock
from penstock.base.errors import InvalidRequestError, NotFoundError, UnauthorizedError
from penstock.engine.decision import Job
from penstock.engine.events import TaskEnded, TaskStarted
from penstock.engine.records import LogLine, Metric
from penstock.engine.states import StateType
from penstock.ports.gateway import Assignment, Report, WorkerGateway
from penstock.ports.journal import LeaseLost

Function = Callable[..., Any]


class MemoryGateway:
    """Jobs, files and answers in memory.

    Args:
        functions: Answers of expression functions by name; called with the arguments by name.
    """

    def __init__(self, functions: Mapping[str, Function] | None = None) -> None:
        self.functions = dict(functions or {})
        self.files: dict[str, bytes] = {}
        self.reports: list[Report] = []
        self.lines: list[LogLine] = []
        self.metric_list: list[Metric] = []
        self.released: list[str] = []
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

    async def order_kill(self, job: Job) -> None:
        """Order the end of a job, whoever holds it."""
        async with self._changed:
            for worker_id, held in self._held.items():
                if job.key in held:
                    self._orders[worker_id].append(job.key)
            self._changed.notify_all()

    async def give_up(self, worker_id: str) -> None:
        """Give a worker up: what it holds can be claimed by others."""
        async with self._changed:
            self._waiting.extend(self._held.pop(worker_id).values())
            self._changed.notify_all()

    async def settled(self, count: int, seconds: float = 10.0) -> list[TaskEnded]:
        """Wait until so many ends are reported, and return them in order."""

        async def enough() -> list[TaskEnded]:
            async with self._changed:
                await self._changed.wait_for(lambda: len(self.ends) >= count)
            return self.ends

        return await asyncio.wait_for(enough(), seconds)

    @property
    def ends(self) -> list[TaskEnded]:
        """The ends reported so far."""
        return [report.event for report in self.reports if isinstance(report.event, TaskEnded)]

    @property
    def messages(self) -> list[str]:
        """The log messages stored so far, in order."""
        return [line.message for line in self.lines]

    # -- the worker's side

    async def register(self, worker_id: str, group: str, capacity: int) -> None:
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
        uri = f"kestra:///{job.execution_id}/{job.task_id}/{job.task_run_id}/{name}"
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

    async def call(self, job: Job, function: str, arguments: Mapping[str, Any]) -> Any:
        """Return the test's answer."""
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


class GatewayBench(Protocol):
    """What a test of a gateway needs besides it."""

    gateway: WorkerGateway

    async def offer(self, count: int) -> Sequence[Job]:
        """Make jobs of one execution that can be claimed; their task logs `{{ inputs.name }}`, which is `Ada`."""
        ...

    async def order_kill(self, job: Job) -> None:
        """Order the end of a job."""
        ...

    async def give_up(self, worker_id: str) -> None:
        """Give up a worker that seems dead."""
        ...

    async def events(self) -> Sequence[TaskStarted | TaskEnded]:
        """Return the events reported so far."""
        ...

    async def messages(self) -> Sequence[str]:
        """Return the log messages stored so far."""
        ...

    async def metric_names(self) -> Sequence[str]:
        """Return the names of the metrics stored so far."""
        ...


class WorkerGatewayContract:
    """What holds for every gateway. A subclass gives the fixture `bench`."""

    async def test_claim_jobs_wait_returns_them_with_what_is_needed_to_run_them(self, bench: GatewayBench) -> None:
        """BEY-010."""
        jobs = await bench.offer(3)
        await bench.gateway.register("w1", "", 4)
        claimed = await _claim(bench.gateway, "w1", 3)
        assert {one.job.key for one in claimed} == {job.key for job in jobs}
        first = claimed[0]
        assert first.type == "io.kestra.plugin.core.log.Log"
        assert first.definition["message"] == "{{ inputs.name }}"
        assert first.variables["inputs"]["name"] == "Ada"
        assert first.variables["taskrun"]["id"] == first.job.task_run_id

    async def test_claim_limit_given_returns_no_more(self, bench: GatewayBench) -> None:
        await bench.offer(5)
        await bench.gateway.register("w1", "", 2)
        assert len(await bench.gateway.claim("w1", 2, SECOND)) == 2

    async def test_claim_nothing_there_returns_none_after_the_wait(self, bench: GatewayBench) -> None:
        await bench.gateway.register("w1", "", 2)
        assert list(await bench.gateway.claim("w1", 2, SECOND // 20)) == []

    async def test_claim_job_comes_during_the_wait_returns_at_once(self, bench: GatewayBench) -> None:
        await bench.gateway.register("w1", "", 2)
        claim = asyncio.ensure_future(bench.gateway.claim("w1", 2, 20 * SECOND))
        await asyncio.sleep(0.1)
        await bench.offer(1)
        assert len(await asyncio.wait_for(claim, 5)) == 1

    async def test_claim_two_workers_never_get_the_same_job(self, bench: GatewayBench) -> None:
        await bench.offer(20)
        await bench.gateway.register("w1", "", 20)
        await bench.gateway.register("w2", "", 20)
        both = await asyncio.gather(*(bench.gateway.claim(name, 5, SECOND) for name in ("w1", "w2", "w1", "w2")))
        keys = [one.job.key for claimed in both for one in claimed]
        assert len(keys) == len(set(keys)) == 20

    async def test_claim_without_registration_says_that_the_lease_is_lost(self, bench: GatewayBench) -> None:
        with pytest.raises(LeaseLost):
            await bench.gateway.claim("nobody", 1, 0)

    async def test_release_held_jobs_can_be_claimed_by_another(self, bench: GatewayBench) -> None:
        jobs = await bench.offer(2)
        await bench.gateway.register("w1", "", 2)
        await _claim(bench.gateway, "w1", 2)
        await bench.gateway.release("w1")
        await bench.gateway.register("w2", "", 2)
        assert {one.job.key for one in await _claim(bench.gateway, "w2", 2)} == {job.key for job in jobs}

    async def test_heartbeat_after_being_given_up_says_that_the_lease_is_lost(self, bench: GatewayBench) -> None:
        await bench.gateway.register("w1", "", 2)
        assert list(await bench.gateway.heartbeat("w1")) == []
        await bench.give_up("w1")
        with pytest.raises(LeaseLost):
            await bench.gateway.heartbeat("w1")

    async def test_kills_job_held_returns_its_key(self, bench: GatewayBench) -> None:
        """BEY-004."""
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        claimed = await bench.gateway.claim("w1", 2, SECOND)
        waiting = asyncio.ensure_future(bench.gateway.kills("w1", 20 * SECOND))
        await asyncio.sleep(0.05)
        await bench.order_kill(claimed[0].job)
        assert list(await asyncio.wait_for(waiting, 5)) == [claimed[0].job.key]

    async def test_kills_nothing_ordered_returns_none_after_the_wait(self, bench: GatewayBench) -> None:
        await bench.gateway.register("w1", "", 2)
        assert list(await bench.gateway.kills("w1", SECOND // 20)) == []

    async def test_report_start_and_end_are_stored_with_lines_and_metrics(self, bench: GatewayBench) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        started = TaskStarted(job.task_run_id, job.attempt, "w1", 1_000)
        ended = TaskEnded(
            job.task_run_id, job.attempt, StateType.SUCCESS, 1_000, 2_000, "w1", {"value": "x", "rows": [1, None]},
            labels=(("a", "b"),), variables={"n": {"m": 1}},
        )  # fmt: skip
        metric = Metric("main", "company.team", job.flow_id, job.execution_id, job.task_id, job.task_run_id, "counter",
                        "rows", 3.0, 1_500, {"zone": "EU"})  # fmt: skip
        await bench.gateway.report([Report(job, started)])
        await bench.gateway.report([Report(job, ended, [_line(job, "with the end")], [metric])])
        assert list(await bench.events()) == [started, ended]
        assert list(await bench.messages()) == ["with the end"]
        assert list(await bench.metric_names()) == ["rows"]

    async def test_logs_and_metrics_of_a_running_job_are_stored(self, bench: GatewayBench) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        await bench.gateway.logs([_line(job, "one"), _line(job, "zwei: ü\n✓")])
        metric = Metric("main", job.namespace, job.flow_id, job.execution_id, job.task_id, job.task_run_id, "timer",
                        "lasted", 0.25, 1_500)  # fmt: skip
        await bench.gateway.metrics([metric])
        assert list(await bench.messages()) == ["one", "zwei: ü\n✓"]
        assert list(await bench.metric_names()) == ["lasted"]

    async def test_file_stored_by_a_job_can_be_read_back_whole_and_in_pieces(
        self, bench: GatewayBench, tmp_path: Path
    ) -> None:
        """PLG-020."""
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        content = bytes(range(256)) * 1000
        source = tmp_path / "source.bin"
        source.write_bytes(content)
        for given in (content, source):
            uri = await bench.gateway.put_file(job, "folder/a b.bin", given)
            assert uri.startswith("kestra:///")
            target = tmp_path / "copy.bin"
            await bench.gateway.get_file(job, uri, target)
            assert target.read_bytes() == content
            assert b"".join([piece async for piece in bench.gateway.stream_file(job, uri)]) == content

    async def test_file_name_that_leads_away_is_refused(self, bench: GatewayBench) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        for name in ("../escape", "/etc/passwd", "a/../../b"):
            with pytest.raises(InvalidRequestError):
                await bench.gateway.put_file(job, name, b"x")

    async def test_file_of_another_execution_is_refused(self, bench: GatewayBench, tmp_path: Path) -> None:
        """ENG-333."""
        one, other = (await bench.offer(1))[0], (await bench.offer(1))[0]
        await bench.gateway.register("w1", "", 2)
        await _claim(bench.gateway, "w1", 2)
        uri = await bench.gateway.put_file(other, "private.txt", b"x")
        with pytest.raises(UnauthorizedError):
            await bench.gateway.get_file(one, uri, tmp_path / "copy")
        with pytest.raises(UnauthorizedError):
            [piece async for piece in bench.gateway.stream_file(one, uri)]

    async def test_file_that_does_not_exist_is_not_found(self, bench: GatewayBench, tmp_path: Path) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        uri = await bench.gateway.put_file(job, "there.txt", b"x")
        with pytest.raises(NotFoundError):
            await bench.gateway.get_file(job, uri.replace("there", "nowhere"), tmp_path / "copy")

    async def test_call_secret_returns_its_value(self, bench: GatewayBench) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        arguments = {"key": "TOKEN", "namespace": None, "subkey": None}
        assert await bench.gateway.call(job, "secret", arguments) == "hunter2"

    async def test_call_unknown_function_is_refused_by_name(self, bench: GatewayBench) -> None:
        await bench.offer(1)
        await bench.gateway.register("w1", "", 2)
        job = (await bench.gateway.claim("w1", 2, SECOND))[0].job
        with pytest.raises(InvalidRequestError, match="nonsense"):
            await bench.gateway.call(job, "nonsense", {})

    async def test_now_is_near_the_machine_s_time(self, bench: GatewayBench) -> None:
        assert abs(await bench.gateway.now() - SystemClock().now()) < 60 * SECOND


async def _claim(gateway: WorkerGateway, worker_id: str, count: int) -> list[Assignment]:
    """Claim until there are so many; a gateway may give them in several parts."""
    claimed: list[Assignment] = []
    while len(claimed) < count:
        more = await gateway.claim(worker_id, count - len(claimed), SECOND)
        assert more, f"only {len(claimed)} of {count} jobs came"
        claimed.extend(more)
    return claimed


def _line(job: Job, message: str) -> LogLine:
    return LogLine(
        tenant=job.tenant,
        namespace=job.namespace,
        flow_id=job.flow_id,
        date=1_000,
        level="INFO",
        message=message,
        execution_id=job.execution_id,
        task_id=job.task_id,
        task_run_id=job.task_run_id,
        attempt=job.attempt,
    )
