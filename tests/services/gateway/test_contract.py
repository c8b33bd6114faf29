"""Every gateway keeps the contract."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from penstock.base.clock import SystemClock
from penstock.base.ids import new_id
from penstock.builtin.http.trigger import Trigger
from penstock.builtin.log import Log
from penstock.engine.decision import Job
from penstock.engine.events import TaskEnded, TaskStarted
from penstock.ports.gateway import Assignment
from penstock.store import open_store
from penstock.testing.gateway import MemoryGateway
from penstock.testing.gateway_contract import ServerFunctionsContract, WorkerGatewayContract
from tests.services.gateway.conftest import StoreBench, direct_gateway


class MemoryBench:
    """The gateway in memory, seen from outside."""

    def __init__(self) -> None:
        self.gateway = MemoryGateway({"secret": lambda key, **_: {"TOKEN": "hunter2"}[key]})

    async def offer(self, count: int) -> Sequence[Job]:
        execution_id = new_id()
        assignments = []
        for _ in range(count):
            job = Job(new_id(), 1, execution_id, "main", "company.team", "flow", 1, "hello")
            definition = {"id": "hello", "type": Log.type_name, "message": "{{ inputs.name }}"}
            variables = {"inputs": {"name": "Ada"}, "taskrun": {"id": job.task_run_id}}
            assignments.append(Assignment(job, definition, Log.type_name, variables))
        await self.gateway.offer(*assignments)
        return [assignment.job for assignment in assignments]

    async def offer_evaluation(self) -> Job:
        job = Job(new_id(), 1, new_id(), "main", "company.team", "flow", 1, "watch", trigger_id="watch")
        definition = {"id": "watch", "type": Trigger.type_name, "uri": "http://localhost:1/"}
        variables = {"flow": {"namespace": "company.team", "id": "flow"}, "trigger": {"id": "watch"}}
        await self.gateway.offer(Assignment(job, definition, Trigger.type_name, variables))
        return job

    async def withdraw(self, job: Job) -> None:
        await self.gateway.order_kill(job, withdraw=True)

    async def started(self) -> Sequence[Mapping[str, object]]:
        return list(
            {
                one.key or number: one.variables for number, one in enumerate(self.gateway.evaluations) if one.variables
            }.values()
        )

    async def order_kill(self, job: Job) -> None:
        await self.gateway.order_kill(job)

    async def give_up(self, worker_id: str) -> None:
        await self.gateway.give_up(worker_id)

    async def events(self) -> Sequence[TaskStarted | TaskEnded]:
        return [report.event for report in self.gateway.reports]

    async def messages(self) -> Sequence[str]:
        return self.gateway.messages

    async def metric_names(self) -> Sequence[str]:
        return [metric.name for metric in self.gateway.metric_list]


class TestMemoryGateway(WorkerGatewayContract):
    @pytest.fixture
    async def bench(self) -> MemoryBench:
        return MemoryBench()


class TestDirectGatewayOnSqlite(WorkerGatewayContract, ServerFunctionsContract):
    @pytest.fixture
    def bench(self, direct: StoreBench) -> StoreBench:
        return direct


@pytest.mark.postgres
class TestDirectGatewayOnPostgres(WorkerGatewayContract, ServerFunctionsContract):
    @pytest.fixture
    async def bench(self, postgres_url: str, tmp_path: Path) -> AsyncIterator[StoreBench]:
        store = await open_store(postgres_url, SystemClock())
        async with direct_gateway(store, tmp_path) as gateway:
            yield StoreBench(store, gateway, gateway)
        await store.close()


class TestHttpGateway(WorkerGatewayContract, ServerFunctionsContract):
    @pytest.fixture
    def bench(self, over_http: StoreBench) -> StoreBench:
        return over_http
