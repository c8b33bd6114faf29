"""Gateways on real stores: straight, and over real HTTP."""

import asyncio
import base64
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import httpx
import msgspec
import pytest
import uvicorn
from fastapi import FastAPI

from penstock.api.worker_gateway import WorkerAccess, create_worker_router
from penstock.base.clock import SystemClock
from penstock.base.ids import new_id
from penstock.engine.decision import Job, Killed
from penstock.engine.events import TaskEnded, TaskStarted
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import NO_PINS, Execution, Pins, TaskRun
from penstock.engine.states import State, StateType
from penstock.ports.evaluations import Step
from penstock.ports.flows import StoredFlow
from penstock.ports.gateway import WorkerGateway
from penstock.ports.journal import PARTITIONS, Batch, partition_of
from penstock.ports.queries import PageRequest
from penstock.ports.triggers import Outcome, TriggerState
from penstock.secrets import EnvironmentSecrets
from penstock.services.directory_cache import DirectoryCacheFunctions
from penstock.services.executor.dispatch import StoredDispatcher
from penstock.services.file_access import FileAccess
from penstock.services.file_functions import FileFunctions
from penstock.services.functions import ServerFunctions
from penstock.services.gateway import DirectGateway
from penstock.services.gateway.http import HttpGateway
from penstock.services.keyvalues import KeyValueFunctions, KeyValueService
from penstock.services.namespace_files import NamespaceFileFunctions, NamespaceFileService
from penstock.services.task_cache import TaskCacheFunctions
from penstock.services.worker.working_files import allowed_host_file
from penstock.storage import LocalStorage
from penstock.store import Store, open_store
from penstock.wiring.flow_reading import FlowReading
from penstock.wiring.plugins import load_plugins
from tests.support.evaluations import evaluations_on
from tests.support.waiting import PATIENCE, eventually

TOKEN = "a worker's token"
SIGNING_KEY = b"k" * 32
SOURCE = """
id: flow
namespace: company.team
tasks:
  - {id: hello, type: io.kestra.plugin.core.log.Log, message: "{{ inputs.name }}"}
  - {id: other, type: io.kestra.plugin.core.log.Log, message: "{{ inputs.name }}"}
triggers:
  - {id: watch, type: io.kestra.plugin.core.http.Trigger, uri: "http://localhost:1/", interval: PT1H}
"""
FLOW = FlowReading(load_plugins().registry).resolve(StoredFlow("main", "company.team", "flow", 1, SOURCE, 0))
WATCH = ("main", "company.team", "flow", "watch")


class OneFlow:
    """Knows one flow."""

    def cached(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, pins: Pins = NO_PINS
    ) -> ResolvedFlow:
        return FLOW

    async def resolved(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, pins: Pins = NO_PINS
    ) -> ResolvedFlow:
        return FLOW


class StoreBench:
    """A gateway on a store, seen from outside."""

    def __init__(self, store: Store, direct: DirectGateway, gateway: WorkerGateway) -> None:
        self.store = store
        self.direct = direct
        self.gateway = gateway
        self._numbers = itertools.count(1)
        self._tokens: dict[int, int] = {}

    async def fences(self) -> dict[int, int]:
        if not self._tokens:
            leases = await self.store.journal.lease("test", PARTITIONS, 600_000_000, SystemClock().now())
            self._tokens = {lease.partition: lease.token for lease in leases}
        return self._tokens

    async def offer(self, count: int, inputs: dict[str, object] | None = None) -> Sequence[Job]:
        now = SystemClock().now()
        execution = Execution(
            id=new_id(),
            tenant="main",
            namespace="company.team",
            flow_id="flow",
            flow_revision=1,
            created=now,
            original_id="",
            original_created=now,
            inputs={"name": "Ada", **(inputs or {})},
            state=State.at(StateType.RUNNING, now),
        )
        batch = Batch(new_executions={execution.id: execution})
        jobs = []
        for number in range(count):
            state = State.at(StateType.CREATED, now).to(StateType.SUBMITTED, now)
            run = TaskRun(id=new_id(), execution_id=execution.id, task_id="hello", sequence=number, state=state)
            job = Job(run.id, 1, execution.id, "main", "company.team", "flow", 1, "hello", created=now + number)
            batch.new_task_runs[run.id] = run
            batch.jobs[job.key] = (job, None)
            jobs.append(job)
        fences = await self.fences()
        batch.fences = {partition_of(execution.id): fences[partition_of(execution.id)]}
        await self.store.journal.commit(batch)
        await self.store.notifier.publish("jobs", [""])
        return jobs

    async def change(self, job: Job, state: StateType, *, kill: bool = False) -> list[str]:
        """Change a task run's state, with a kill order or without; returns the workers that have the job."""
        loaded = (await self.store.journal.load([job.execution_id]))[job.execution_id]
        run = next(run for run in loaded.task_runs if run.id == job.task_run_id)
        changed = TaskRun(
            id=run.id,
            execution_id=run.execution_id,
            task_id=run.task_id,
            sequence=run.sequence,
            state=run.state.to(state, SystemClock().now()),
        )
        fences = await self.fences()
        batch = Batch(
            task_runs={run.id: changed}, fences={partition_of(job.execution_id): fences[partition_of(job.execution_id)]}
        )
        if kill:
            batch.kills.append(Killed(job.execution_id, job.task_run_id, job.attempt))
        result = await self.store.journal.commit(batch)
        return [worker for _, worker in result.killed_claimed]

    async def offer_evaluation(self) -> Job:
        before = await self.store.triggers.get(*WATCH) or TriggerState(*WATCH)
        job = Job(new_id(), 1, new_id(), *WATCH[:3], 1, "watch", created=SystemClock().now(), trigger_id="watch")
        after = msgspec.structs.replace(before, evaluation=job.task_run_id, next_date=job.created)
        assert await self.store.evaluations.take(Step(before, after, offered=job)) is Outcome.DONE
        await self.store.notifier.publish("jobs", [""])
        return job

    async def withdraw(self, job: Job) -> None:
        state = await self.store.triggers.get(*WATCH)
        assert state is not None
        await self.store.triggers.save(msgspec.structs.replace(state, evaluation=None))
        owner = await self.store.evaluations.withdraw(job.task_run_id)
        await self.store.notifier.publish("kill", [] if owner is None else [owner])

    async def started(self) -> Sequence[Mapping[str, object]]:
        found = await self.store.queries.search("main", [], PageRequest(size=100))
        return [one.trigger.variables for one in found.results if one.trigger is not None]

    async def order_kill(self, job: Job) -> None:
        workers = await self.change(job, StateType.KILLING, kill=True)
        await self.store.notifier.publish("kill", workers)

    async def give_up(self, worker_id: str) -> None:
        assert await self.store.jobs.expire(-1, SystemClock().now()) == [worker_id]

    async def events(self) -> Sequence[TaskStarted | TaskEnded]:
        stored = await self.store.journal.messages(range(PARTITIONS), 0, 1000)
        return [message.event for message in stored if isinstance(message.event, TaskStarted | TaskEnded)]

    async def _executions(self) -> list[str]:
        return list(await self.store.journal.live(range(PARTITIONS), "", 1000))

    async def messages(self) -> Sequence[str]:
        found = [await self.store.queries.logs_of(execution_id) for execution_id in await self._executions()]
        return [line.message for lines, _ in found for line in lines]

    async def metric_names(self) -> Sequence[str]:
        found = [await self.store.queries.metrics_of(execution_id) for execution_id in await self._executions()]
        return [metric.name for metrics in found for metric in metrics]


@contextlib.asynccontextmanager
async def direct_gateway(store: Store, folder: Path) -> AsyncIterator[DirectGateway]:
    storage = LocalStorage(folder / "storage")
    secret = base64.b64encode(b"hunter2").decode()
    access, clock = FileAccess(storage, store.queries), SystemClock()
    functions = ServerFunctions(
        secrets=EnvironmentSecrets({"SECRET_TOKEN": secret}),
        key_values=store.key_values,
        files=access,
        queries=store.queries,
        jobs=store.jobs,
        clock=clock,
        host_file=lambda uri: allowed_host_file(uri, []),
        others={
            **KeyValueFunctions(KeyValueService(store.key_values, clock)).functions(),
            **NamespaceFileFunctions(NamespaceFileService(storage), access).functions(),
            **FileFunctions(storage, access).functions(),
            **DirectoryCacheFunctions(storage, access, clock).functions(),
            **TaskCacheFunctions(store.task_cache, storage, clock).functions(),
        },
    )
    gateway = DirectGateway(
        queue=store.jobs,
        journal=store.journal,
        queries=store.queries,
        flows=OneFlow(),
        sink=StoredDispatcher(store.journal, store.notifier),
        functions=functions,
        evaluations=evaluations_on(store, OneFlow(), folder / "storage"),
        notifier=store.notifier,
        clock=SystemClock(),
    )
    async with gateway:
        yield gateway


@contextlib.asynccontextmanager
async def serving(gateway: WorkerGateway) -> AsyncIterator[str]:
    """Serve a gateway over HTTP and yield the server's address."""
    app = FastAPI()
    app.include_router(create_worker_router(gateway, WorkerAccess([TOKEN], SIGNING_KEY)))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    await eventually(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listening.close()


@pytest.fixture
async def sqlite_store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(f"sqlite:///{tmp_path / 'test.db'}", SystemClock())
    yield store
    await store.close()


@pytest.fixture
async def direct(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[StoreBench]:
    async with direct_gateway(sqlite_store, tmp_path) as gateway:
        yield StoreBench(sqlite_store, gateway, gateway)


@pytest.fixture
async def over_http(direct: StoreBench) -> AsyncIterator[StoreBench]:
    async with serving(direct.direct) as address, httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        yield StoreBench(direct.store, direct.direct, HttpGateway(client, TOKEN))
