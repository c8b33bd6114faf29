"""`WorkerGateway` in one trust zone: straight on the stores, for workers in the server's processes and behind HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import structlog

from penstock.base.clock import SECOND, Clock, Instant, Micros
from penstock.base.errors import PenstockError, UnavailableError
from penstock.engine.decision import Job
from penstock.engine.events import TaskEnded
from penstock.engine.records import LogLine, Metric, TaskRun
from penstock.engine.states import TERMINAL, StateType
from penstock.engine.working_set import ExecutionState
from penstock.ports.gateway import Assignment, Evaluated, Report
from penstock.ports.jobs import Held, JobQueue
from penstock.ports.journal import Journal, LeaseLost
from penstock.ports.notifier import Notifier
from penstock.ports.queries import ExecutionQueries
from penstock.services.executor.assignments import assignment_of
from penstock.services.executor.flow_source import FlowSource
from penstock.services.functions import Caller, ServerFunctions
from penstock.services.gateway.local import LocalAssignments

log = structlog.get_logger(__name__)
_SAFETY_POLL = 2.0


class EvaluationDesk(Protocol):
    """What the server does about evaluations of triggers (`Evaluations`)."""

    async def assignment(self, job: Job) -> Assignment | None:
        """Return an evaluation with what is needed to do it; None when nobody wants it any more."""
        ...

    async def unwanted(self, jobs: Sequence[Job]) -> list[tuple[str, int]]:
        """Return the keys of evaluations that nobody wants any more."""
        ...

    async def report(self, told: Evaluated) -> bool:
        """Take a report; False when nobody waits for it any more."""
        ...


WorkingSet = Callable[[str], ExecutionState | None]
"""Returns what the executor of this process holds of an execution in memory, if anything."""


def _nothing_held(execution_id: str) -> ExecutionState | None:
    return None


class ReportSink(Protocol):
    """Where reports go: the executor of this process, or the inboxes in the database."""

    async def report(self, reports: Sequence[Report]) -> None:
        """Take what workers report; durable when it returns."""
        ...


@dataclass(slots=True)
class _Registered:
    """A worker this gateway serves; what it holds is known to the queue, whichever server it came by."""

    group: str
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    look_for_kills: asyncio.Event = field(default_factory=asyncio.Event)
    may_have_work: bool = True


class DirectGateway:
    """The server's side of a worker. Implements BEY-010 and, with the engine, BEY-004.

    An async context manager: within it, notifications wake waiting claims and kill orders.

    Args:
        queue: Jobs, and the workers that have them.
        journal: Takes log lines and metrics; gives the working sets that no executor of this process holds.
        queries: Tells which task runs are over.
        flows: Resolved flows.
        sink: Where reports go.
        functions: What tasks and expressions may ask for.
        evaluations: What is told and reported of triggers.
        notifier: Tells of jobs and kills that others have stored.
        clock: The time.
        local: Jobs handed to the worker of this process in memory; None where executor and worker are not in one.
        shared: Variables the instance adds to every expression.
        working_set: What the executor of this process holds of an execution.
        decides_alone: Whether that executor is the only one there is.
        is_remote: Whether it is for workers that live apart from all servers.
    """

    def __init__(
        self,
        *,
        queue: JobQueue,
        journal: Journal,
        queries: ExecutionQueries,
        flows: FlowSource,
        sink: ReportSink,
        functions: ServerFunctions,
        evaluations: EvaluationDesk,
        notifier: Notifier,
        clock: Clock,
        local: LocalAssignments | None = None,
        shared: Mapping[str, Any] | None = None,
        working_set: WorkingSet | None = None,
        decides_alone: bool = False,
        is_remote: bool = False,
    ) -> None:
        self._queue = queue
        self._journal = journal
        self._queries = queries
        self._flows = flows
        self._sink = sink
        self._functions = functions
        self._evaluations = evaluations
        self._notifier = notifier
        self._clock = clock
        self._local = local
        self._shared = shared or {}
        self._working_set = working_set or _nothing_held
        self._decides_alone = decides_alone
        self._is_remote = is_remote
        self._workers: dict[str, _Registered] = {}
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> DirectGateway:
        self._listener = asyncio.create_task(self._listen(), name="gateway-notifications")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)

    # -- leases

    async def register(self, worker_id: str, group: str, capacity: int, hostname: str | None = None) -> None:
        """Make the worker known."""
        place, now = hostname or socket.gethostname(), self._clock.now()
        await self._queue.register(worker_id, group, place, now, is_remote=self._is_remote)
        if self._local is not None:
            self._local.register(worker_id, group)
        self._workers[worker_id] = self._registered(worker_id, group)

    async def heartbeat(self, worker_id: str) -> Sequence[tuple[str, int]]:
        """Say that the worker lives; returns what it holds that is to be killed."""
        if not await self._queue.heartbeat(worker_id, self._clock.now()):
            self._workers.pop(worker_id, None)
            raise _given_up(worker_id)
        await self._worker(worker_id)
        if self._decides_alone and self._local is not None and self._local.serves(worker_id):
            return ()  # the executor of this process orders all kills straight
        return await self._orders(worker_id)

    async def release(self, worker_id: str) -> None:
        """Hand back everything the worker holds."""
        group = await self._group_of(worker_id)
        self._workers.pop(worker_id, None)
        if self._local is not None:
            self._local.release(worker_id)
        if await self._queue.release(worker_id):
            await self._notifier.publish("jobs", [group])

    async def _group_of(self, worker_id: str) -> str:
        with contextlib.suppress(LeaseLost):
            return (await self._worker(worker_id)).group
        return ""

    # -- work

    async def claim(self, worker_id: str, limit: int, wait: Micros) -> Sequence[Assignment]:
        """Return what was handed over in memory, and up to `limit` jobs from the queue.

        May be cancelled without losing a job while it waits, and at any time when `limit` is 0.

        Raises:
            UnavailableError: Jobs may have been leased that nobody could hand over; `lost` finds them.
        """
        worker = await self._worker(worker_id)
        deadline = asyncio.get_running_loop().time() + wait / SECOND
        while True:
            worker.wake.clear()  # before looking, so that no wake-up is lost
            taken = self._take_local(worker, worker_id)
            # What is quick takes no place that others could have.
            free = limit - sum(1 for assignment in taken if not assignment.job.quick)
            if free > 0 and worker.may_have_work:
                taken = [*taken, *await self._take_stored_after(taken, worker, worker_id, free)]
            if taken:
                return taken
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return ()
            try:
                async with asyncio.timeout(min(left, _SAFETY_POLL)):
                    await worker.wake.wait()
            except TimeoutError:
                worker.may_have_work = True

    def _take_local(self, worker: _Registered, worker_id: str) -> list[Assignment]:
        if self._local is None or not self._local.serves(worker_id):
            return []
        if self._local.take_mislaid():
            raise UnavailableError("jobs may have been stored without an answer")
        return list(self._local.take(others_wait=worker.may_have_work))

    async def _take_stored_after(
        self, taken: Sequence[Assignment], worker: _Registered, worker_id: str, limit: int
    ) -> list[Assignment]:
        """Take jobs from the queue; when that fails, what was taken in memory before waits there again."""
        try:
            return await self._take_stored(worker, worker_id, limit)
        except BaseException:
            if self._local is not None:
                self._local.give_back(taken)
            raise

    async def _take_stored(self, worker: _Registered, worker_id: str, limit: int) -> list[Assignment]:
        worker.may_have_work = False
        jobs = await self._queue.claim(worker_id, worker.group, limit, self._clock.now())
        if self._workers.get(worker_id) is not worker:
            await self._queue.release(worker_id)  # it was released while the claim was under way
            raise _given_up(worker_id)
        if len(jobs) == limit:
            worker.may_have_work = True
        return await self._assignments(worker_id, jobs)

    async def _assignments(self, worker_id: str, jobs: Sequence[Job]) -> list[Assignment]:
        """Return the jobs with all that is needed to run them; jobs that have become pointless end here."""
        states = await self._states({job.execution_id for job in jobs if job.trigger_id is None})
        result = []
        for job in jobs:
            if job.trigger_id is not None:
                evaluation = await self._evaluations.assignment(job)
                result += [] if evaluation is None else [evaluation]
                continue
            state = states.get(job.execution_id)
            if state is None or not _may_run(job, state.task_runs.get(job.task_run_id)):
                await self._end(worker_id, job, StateType.KILLED, None)
                continue
            try:
                key = (job.tenant, job.namespace, job.flow_id, job.flow_revision, state.execution.pins)
                flow = self._flows.cached(*key) or await self._flows.resolved(*key)
                result.append(assignment_of(job, state, flow, self._shared))
            except UnavailableError:
                raise
            except (PenstockError, KeyError) as error:
                reason = str(error) if isinstance(error, PenstockError) else f"the flow has no task {job.task_id}"
                await self._end(worker_id, job, StateType.FAILED, reason)
        return result

    async def _states(self, execution_ids: set[str]) -> dict[str, ExecutionState]:
        """Return the working sets of executions: from memory where the executor of this process holds them."""
        states = {one: state for one in execution_ids if (state := self._working_set(one)) is not None}
        missing = execution_ids - states.keys()
        if missing:
            for execution_id, found in (await self._journal.load(missing)).items():
                states[execution_id] = ExecutionState.of(found.execution, found.task_runs)
        return states

    async def _end(self, worker_id: str, job: Job, state: StateType, error: str | None) -> None:
        now = self._clock.now()
        ended = TaskEnded(job.task_run_id, job.attempt, state, now, now, worker_id, error=error, retryable=False)
        lines = [_line(job, now, error)] if error else []
        await self._sink.report([Report(job, ended, lines)])

    async def lost(self, worker_id: str, known: Collection[tuple[str, int]]) -> Sequence[Assignment]:
        """Return the jobs leased to the worker that it does not know of."""
        await self._worker(worker_id)
        jobs = await self._queue.owned(worker_id, known)
        if self._local is not None:
            jobs = [job for job in jobs if not self._local.holds(job.key)]  # looked at after the rows, not before
        return await self._assignments(worker_id, jobs)

    # -- kills

    async def kills(self, worker_id: str, wait: Micros) -> Sequence[tuple[str, int]]:
        """Return what is to be killed, waiting for the first."""
        worker = await self._worker(worker_id)
        local = self._local if self._local is not None and self._local.serves(worker_id) else None
        waits: list[asyncio.Future[object]] = [asyncio.ensure_future(worker.look_for_kills.wait())]
        if local is not None:
            waits.append(asyncio.ensure_future(local.wait_for_orders()))
        try:
            await asyncio.wait(waits, timeout=wait / SECOND, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in waits:
                waiting.cancel()
        orders = list(local.take_orders()) if local is not None else []
        if worker.look_for_kills.is_set():
            worker.look_for_kills.clear()
            orders.extend(await self._orders(worker_id))
        return orders

    async def _orders(self, worker_id: str) -> list[tuple[str, int]]:
        """Return which of the jobs a worker holds must not go on, as the stored state of their task runs says.

        It is told of them as long as it holds them: an earlier answer may never have reached it.
        """
        held = {job.key: job for job in await self._queue.owned(worker_id)}
        if not held:
            return []
        evaluations = [job for job in held.values() if job.trigger_id is not None]
        attempts = [job for job in held.values() if job.trigger_id is None]
        found = await self._queries.task_runs(sorted({job.execution_id for job in attempts}))
        runs = {run.id: run for some in found.values() for run in some}
        over = [job.key for job in attempts if not _may_run(job, runs.get(job.task_run_id))]
        over += await self._evaluations.unwanted(evaluations)
        return over

    # -- reports

    async def report(self, reports: Sequence[Report]) -> None:
        """Hand in starts and ends."""
        if self._local is not None:
            for report in reports:
                if isinstance(report.event, TaskEnded):
                    self._local.ended(report.job.key)
        await self._sink.report(reports)

    async def evaluated(self, told: Evaluated) -> bool:
        """Hand in what the evaluation of a trigger found."""
        return await self._evaluations.report(told)

    async def logs(self, lines: Sequence[LogLine]) -> None:
        """Store log lines of running jobs."""
        await self._journal.send((), logs=lines)
        await self._notifier.publish("logs", sorted({line.execution_id for line in lines if line.execution_id}))

    async def metrics(self, metrics: Sequence[Metric]) -> None:
        """Store metrics of running jobs."""
        await self._journal.send((), metrics=metrics)

    # -- files and functions

    async def put_file(self, job: Job, name: str, content: bytes | Path) -> str:
        """Store a file of the job and return its URI."""
        return await self._functions.files.put(_caller(job), job.task_id, job.task_run_id, name, content)

    async def get_file(self, job: Job, uri: str, target: Path) -> None:
        """Copy a file the job may read to the local disk."""
        await self._functions.files.fetch(_caller(job), uri, target)

    async def stream_file(self, job: Job, uri: str) -> AsyncIterator[bytes]:
        """Return a file's bytes in pieces."""
        async for piece in self._functions.files.stream(_caller(job), uri):
            yield piece

    async def call(self, job: Job, function: str, arguments: Mapping[str, Any], worker_id: str | None = None) -> Any:
        """Answer an expression function; what changes something, to the worker that has the job alone."""
        return await self._functions.call(_caller(job, worker_id), function, arguments)

    async def now(self) -> Instant:
        """Return the server's time."""
        return self._clock.now()

    # -- inside

    async def _worker(self, worker_id: str) -> _Registered:
        """Return a worker; one that came by another server is served here from now on."""
        worker = self._workers.get(worker_id)
        if worker is None:
            found = [info for info in await self._queue.workers() if info.id == worker_id]
            if not found:
                raise _given_up(worker_id)
            worker = self._workers.setdefault(worker_id, self._registered(worker_id, found[0].group))
        return worker

    def _registered(self, worker_id: str, group: str) -> _Registered:
        """Return a worker to serve; the one that jobs are handed to in memory is woken by that too."""
        if self._local is not None and self._local.serves(worker_id):
            return _Registered(group, self._local.delivered)
        return _Registered(group)

    async def _listen(self) -> None:
        """Pass notifications on; a connection that breaks is made anew, and the safety poll bridges the gap."""
        while True:
            with contextlib.suppress(UnavailableError):
                async with self._notifier.subscribe("jobs", "kill") as notifications:
                    async for topic, payload in notifications:
                        self._notified(topic, payload)
            await asyncio.sleep(_SAFETY_POLL)

    def _notified(self, topic: str, payload: str) -> None:
        if topic == "kill":
            worker = self._workers.get(payload)
            if worker is not None:
                worker.look_for_kills.set()
            return
        for worker in self._workers.values():
            if worker.group == payload:
                worker.may_have_work = True
                worker.wake.set()


def _may_run(job: Job, run: TaskRun | None) -> bool:
    """Return whether an attempt may still run: nobody killed, ended or replaced it (BEY-004)."""
    if run is None or run.state.current in TERMINAL or run.state.current is StateType.KILLING:
        return False
    ended = sum(1 for attempt in run.attempts if attempt.state.current in TERMINAL)
    return job.attempt > ended


def _line(job: Job, now: Instant, message: str) -> LogLine:
    return LogLine(
        tenant=job.tenant,
        namespace=job.namespace,
        flow_id=job.flow_id,
        date=now,
        level="ERROR",
        message=message,
        execution_id=job.execution_id,
        task_id=job.task_id,
        task_run_id=job.task_run_id,
        attempt=job.attempt,
    )


def _caller(job: Job, worker_id: str | None = None) -> Caller:
    held = None if worker_id is None else Held(job.task_run_id, job.attempt, worker_id)
    return Caller(job.tenant, job.namespace, job.flow_id, job.execution_id, held)


def _given_up(worker_id: str) -> LeaseLost:
    return LeaseLost(f"worker {worker_id} is not known any more", hint="it registers anew under another name")
