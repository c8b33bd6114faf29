"""The worker and the executor of one process, on a real store."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from penstock.base.clock import SECOND, SystemClock
from penstock.base.errors import UnavailableError
from penstock.base.ids import new_id
from penstock.engine.events import Kill
from penstock.engine.flow import ResolvedFlow, ResolvedTask
from penstock.engine.records import NO_PINS, Execution, Pins, TaskRun
from penstock.engine.states import State, StateType
from penstock.ports.journal import Batch, CommitResult
from penstock.ports.queries import LogSelection, PageRequest
from penstock.secrets import GivenSecrets
from penstock.services.executor import Executor, ExecutorSettings
from penstock.services.executor.dispatch import LocalDispatcher, StoredDispatcher
from penstock.services.file_access import FileAccess
from penstock.services.functions import ServerFunctions
from penstock.services.gateway import DirectGateway, LocalAssignments
from penstock.services.worker import Worker, WorkerSettings
from penstock.services.worker.working_files import allowed_host_file
from penstock.storage import LocalStorage
from penstock.store import Store, open_store
from tests.services.worker.conftest import REGISTRY
from tests.support.evaluations import evaluations_on
from tests.support.waiting import PATIENCE

PLUGIN = "io.kestra.plugin.core."


def flow(*definitions: dict[str, Any]) -> ResolvedFlow:
    tasks = []
    for number, definition in enumerate(definitions):
        whole = {"id": f"t{number}", **definition}
        found = REGISTRY.find(whole["type"])
        assert found is not None
        tasks.append(ResolvedTask(whole["id"], whole["type"], whole, quick=found.entry.cls.quick))  # type: ignore[attr-defined]
    following = {task.id: after for task, after in itertools.pairwise(tasks)}
    lists = {"tasks": tuple(tasks)}
    return ResolvedFlow("main", "company.team", "flow", 1, lists, {task.id: task for task in tasks}, following, {})


class Server:
    """An executor and a worker, with whichever flow is run."""

    def __init__(self, store: Store, dispatcher: LocalDispatcher) -> None:
        self.store = store
        self.dispatcher = dispatcher
        self.flow = flow()

    def cached(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, pins: Pins = NO_PINS
    ) -> ResolvedFlow:
        return self.flow

    async def resolved(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, pins: Pins = NO_PINS
    ) -> ResolvedFlow:
        return self.flow

    async def start(self, *definitions: dict[str, Any]) -> str:
        self.flow = flow(*definitions)
        now = SystemClock().now()
        execution = Execution(
            id=new_id(), tenant="main", namespace="company.team", flow_id="flow", flow_revision=1, created=now,
            original_id="", original_created=now, inputs={"name": "Ada"}, state=State.at(StateType.CREATED, now),
        )  # fmt: skip
        assert await self.dispatcher.create(execution)
        return execution.id

    async def when(self, execution_id: str, *states: StateType) -> tuple[Execution, list[TaskRun]]:
        for _ in range(12_000):
            found = await self.store.queries.get("main", execution_id)
            if found is not None and found[0].state.current in states:
                return found[0], list(found[1])
            await asyncio.sleep(0.005)
        raise TimeoutError(f"execution {execution_id} did not become {states}")


@contextlib.asynccontextmanager
async def serving(folder: Path, places: int) -> AsyncIterator[Server]:
    clock = SystemClock()
    store = await open_store(f"sqlite:///{folder / 'test.db'}", clock)
    functions = ServerFunctions(
        secrets=GivenSecrets({"TOKEN": "hunter2"}),
        key_values=store.key_values,
        files=FileAccess(LocalStorage(folder / "storage"), store.queries),
        queries=store.queries,
        jobs=store.jobs,
        clock=clock,
        host_file=lambda uri: allowed_host_file(uri, []),
    )
    local = LocalAssignments(places)
    server = Server(store, None)  # type: ignore[arg-type]  # set below
    executor = Executor(
        store.journal, store.jobs, server, store.notifier, clock, functions.answer,
        ExecutorSettings("test"), local,
    )  # fmt: skip
    server.dispatcher = LocalDispatcher(executor, StoredDispatcher(store.journal, store.notifier))
    gateway = DirectGateway(
        queue=store.jobs, journal=store.journal, queries=store.queries, flows=server, sink=server.dispatcher,
        functions=functions, evaluations=evaluations_on(store, server, folder / "storage"),
        notifier=store.notifier, clock=clock, local=local,
    )  # fmt: skip
    settings = WorkerSettings(threads=2, claim_wait=SECOND, environment={}, directory=folder / "work")
    worker = Worker(gateway, REGISTRY, settings)
    async with gateway:
        running = [asyncio.create_task(executor.run()), asyncio.create_task(worker.run())]
        await executor.ready.wait()
        yield server
        worker.stop()
        worker.stop()
        await asyncio.wait_for(running[1], PATIENCE)
        executor.stop()
        await asyncio.wait_for(running[0], PATIENCE)
    await store.close()


@pytest.fixture(params=[0, 100], ids=["by the queue", "in memory"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path, request.param) as running:
        yield running


async def test_two_quick_tasks_run_one_after_the_other(server: Server) -> None:
    execution_id = await server.start(
        {"type": PLUGIN + "debug.Return", "format": "Hello {{ inputs.name }}"},
        {"type": PLUGIN + "log.Log", "message": "{{ outputs.t0.value }}!"},
    )
    _, runs = await server.when(execution_id, StateType.SUCCESS)
    assert [run.state.current for run in runs] == [StateType.SUCCESS] * 2
    assert runs[0].outputs == {"value": "Hello Ada"}
    lines, _ = await server.store.queries.logs_of(execution_id)
    assert [line.message for line in lines] == ["Hello Ada!"]
    assert {metric.name for metric in await server.store.queries.metrics_of(execution_id)} == {"length", "duration"}


async def test_secret_is_read_through_the_gateway_and_masked_in_the_logs(server: Server) -> None:
    """ENG-372, ENG-373."""
    execution_id = await server.start({"type": PLUGIN + "log.Log", "message": "it is {{ secret('TOKEN') }}"})
    await server.when(execution_id, StateType.SUCCESS)
    lines, _ = await server.store.queries.logs_of(execution_id)
    assert [line.message for line in lines] == ["it is ******"]


async def test_task_that_fails_fails_the_execution_with_the_reason_in_the_logs(server: Server) -> None:
    execution_id = await server.start(
        {"type": PLUGIN + "execution.Fail", "errorMessage": "enough"}, {"type": PLUGIN + "log.Log", "message": "never"}
    )
    _, runs = await server.when(execution_id, StateType.FAILED)
    assert [run.state.current for run in runs] == [StateType.FAILED]
    lines, _ = await server.store.queries.logs_of(execution_id, LogSelection("ERROR"))
    assert [line.message for line in lines] == ["enough"]


async def test_variables_set_by_a_task_are_seen_by_the_next(server: Server) -> None:
    """ENG-201."""
    execution_id = await server.start(
        {"type": PLUGIN + "execution.SetVariables", "variables": {"greeting": "Hi {{ inputs.name }}"}},
        {"type": PLUGIN + "debug.Return", "format": "{{ vars.greeting }}"},
    )
    _, runs = await server.when(execution_id, StateType.SUCCESS)
    assert runs[1].outputs == {"value": "Hi Ada"}


async def test_kill_ends_a_running_task_at_once(server: Server) -> None:
    """ENG-157, BEY-004."""
    execution_id = await server.start({"type": PLUGIN + "flow.Sleep", "duration": "PT10M"})
    for _ in range(12_000):
        _, runs = await server.when(execution_id, StateType.RUNNING)
        if runs and runs[0].state.current is StateType.RUNNING:
            break
        await asyncio.sleep(0.005)
    await server.dispatcher.send(execution_id, Kill())
    execution, runs = await server.when(execution_id, StateType.KILLED)
    assert runs[0].state.current is StateType.KILLED
    assert [change.state for change in runs[0].state.histories][-2:] == [StateType.KILLING, StateType.KILLED]
    assert execution.state.is_terminal


async def test_job_of_a_commit_whose_answer_got_lost_runs_all_the_same(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, lost = server.store.journal.commit, False

    async def losing(batch: Batch) -> CommitResult:
        nonlocal lost
        result = await commit(batch)
        if batch.jobs and not lost:
            lost = True
            raise UnavailableError("the connection broke while the answer was on its way")
        return result

    monkeypatch.setattr(server.store.journal, "commit", losing)
    with pytest.raises(UnavailableError):
        await server.start({"type": PLUGIN + "debug.Return", "format": "here"})
    (execution,) = (await server.store.queries.search("main", [], PageRequest())).results
    _, runs = await server.when(execution.id, StateType.SUCCESS)
    assert [run.outputs for run in runs] == [{"value": "here"}]
