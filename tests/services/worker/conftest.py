"""A worker on a gateway in memory, with tasks that behave in every possible way."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from penstock.base.clock import SECOND
from penstock.builtin.debug import Return
from penstock.builtin.execution import Fail, Labels, SetVariables
from penstock.builtin.log import Log
from penstock.builtin.output import OutputValues
from penstock.builtin.sleep import Sleep
from penstock.engine.decision import Job
from penstock.model.registry import TypeEntry, TypeKind, TypeRegistry
from penstock.ports.gateway import Assignment
from penstock.sdk import Property, RunContext, Task
from penstock.services.worker import Worker, WorkerSettings
from penstock.testing.gateway import MemoryGateway
from tests.support.waiting import PATIENCE


class Call(Task):
    """Runs a function of the test: tasks as odd as plugins can be."""

    type_name = "test.Call"

    number: int

    def run(self, context: RunContext) -> Any:
        return FUNCTIONS[self.number](context)


class QuickCall(Call):
    type_name = "test.QuickCall"
    quick = True


class Typed(Task):
    type_name = "test.Typed"
    quick = True

    count: Property[int]

    def run(self, context: RunContext) -> dict[str, Any]:
        return {"count": context.render(self.count)}


FUNCTIONS: dict[int, Callable[[RunContext], Any]] = {}
_numbers = itertools.count()
_TYPES = (Log, Return, Fail, Labels, SetVariables, OutputValues, Sleep, Call, QuickCall, Typed)
REGISTRY = TypeRegistry(TypeEntry(cls.type_name, TypeKind.TASK, cls, cls.type_aliases) for cls in _TYPES)


class Bench:
    """A running worker and its gateway."""

    def __init__(self, gateway: MemoryGateway, worker: Worker) -> None:
        self.gateway = gateway
        self.worker = worker
        self._ids = itertools.count(1)

    def assignment(self, type_name: str, context: Mapping[str, Any] | None = None, /, **properties: Any) -> Assignment:
        number = next(self._ids)
        about = {name: properties.pop(name) for name in ("timeout", "log_level") if name in properties}
        job = Job(
            task_run_id=f"run{number}",
            attempt=1,
            execution_id=properties.pop("execution_id", "e1"),
            tenant="main",
            namespace="company.team",
            flow_id="flow",
            flow_revision=1,
            task_id=f"task{number}",
        )
        definition = {"id": job.task_id, "type": type_name, **properties}
        return Assignment(job, definition, type_name, context or {}, **about)

    def call(self, function: Callable[[RunContext], Any], type_name: str = "test.Call", **about: Any) -> Assignment:
        number = next(_numbers)
        FUNCTIONS[number] = function
        return self.assignment(type_name, number=number, **about)

    async def run(self, *assignments: Assignment) -> list[Any]:
        """Offer these and return the ends reported, in order of the assignments."""
        before = len(self.gateway.ends)
        await self.gateway.offer(*assignments)
        await self.gateway.settled(before + len(assignments))
        ends = {end.task_run_id: end for end in self.gateway.ends}
        return [ends[assignment.job.task_run_id] for assignment in assignments]


Start = Callable[..., contextlib.AbstractAsyncContextManager[Bench]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    @contextlib.asynccontextmanager
    async def started(
        functions: Mapping[str, Callable[..., Any]] | None = None,
        gateway: MemoryGateway | None = None,
        **settings: Any,
    ) -> AsyncIterator[Bench]:
        about = {
            "threads": 4,
            "announce_after": SECOND // 50,
            "flush_every": SECOND // 50,
            "heartbeat_every": SECOND // 20,
            "claim_wait": SECOND,
            "abandon_after": SECOND // 5,
            "grace": 5 * SECOND,
            "directory": tmp_path / "work",
            "environment": {},
        }
        gateway = gateway or MemoryGateway(functions)
        worker = Worker(gateway, REGISTRY, WorkerSettings(**{**about, **settings}))
        running = asyncio.create_task(worker.run())
        try:
            yield Bench(gateway, worker)
        finally:
            worker.stop()
            worker.stop()
            await asyncio.wait_for(running, PATIENCE)

    return started
