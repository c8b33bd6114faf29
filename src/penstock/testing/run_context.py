"""Run contexts for unit tests of tasks: the worker's own, with the server replaced by what the test gives."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from penstock.base.clock import SystemClock
from penstock.base.ids import new_id
from penstock.engine.decision import Job
from penstock.model.registry import TypeRegistry
from penstock.ports.gateway import Assignment
from penstock.sdk.task import TaskBase
from penstock.services.masking import Maskers
from penstock.services.worker.context import WorkerRunContext
from penstock.services.worker.host import Host
from penstock.services.worker.settings import WorkerSettings
from penstock.testing.gateway import Function, MemoryGateway


class RunContextFactory:
    """Makes run contexts. Implements PLG-053.

        with RunContextFactory() as contexts:
            context = contexts.of({"variable": "John Doe"})
            output = Return(id="t", type=Return.type_name, format="Hello {{ variable }}").run(context)
            assert output.value == "Hello John Doe"

    Args:
        functions: Answers of expression functions by name, such as `{"secret": lambda key, **_: "hunter2"}`.
        settings: How the worker behaves; working directories lie in the system's folder for temporary files by default.
        registry: The types of tasks that may run inside of one.
    """

    def __init__(
        self,
        functions: Mapping[str, Function] | None = None,
        settings: WorkerSettings | None = None,
        registry: TypeRegistry | None = None,
    ) -> None:
        self._functions = functions
        self._registry = registry or TypeRegistry(())
        self._settings = settings or WorkerSettings(threads=1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="run-context-loop", daemon=True)
        self._contexts: list[WorkerRunContext] = []

    def __enter__(self) -> RunContextFactory:
        self._thread.start()
        self.gateway = MemoryGateway(self._functions)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for context in self._contexts:
            context.close()
        asyncio.run_coroutine_threadsafe(self._loop.shutdown_default_executor(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def of(
        self,
        variables: Mapping[str, Any] | None = None,
        *,
        task: TaskBase | None = None,
        files: Mapping[str, bytes] | None = None,
        log_level: str | None = None,
    ) -> WorkerRunContext:
        """Return a context with these variables.

        Args:
            variables: The expression context.
            task: The task it is for, so that errors can name its properties.
            files: What is in internal storage, by URI.
            log_level: The lowest level of log lines that is kept.
        """
        job = Job(
            task_run_id=new_id(),
            attempt=1,
            execution_id=new_id(),
            tenant="main",
            namespace="company.team",
            flow_id="flow",
            flow_revision=1,
            task_id=task.id if task else "task",
        )
        self.gateway.files.update(files or {})
        assignment = Assignment(job, {}, task.type if task else "", dict(variables or {}), log_level=log_level)
        host = Host(self._loop, self.gateway, self._settings, SystemClock(), Maskers(), registry=self._registry)
        context = WorkerRunContext(assignment, host, task)
        self._contexts.append(context)
        return context


def messages_of(context: WorkerRunContext) -> list[tuple[str, str]]:
    """Take out what a task has logged: (level, message)."""
    return [(line.level, line.message) for line in context.log.take_lines()]
