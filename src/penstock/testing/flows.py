"""Flows run to their end within a test, on a server of its own in memory. Implements PLG-054."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.base.clock import SECOND
from penstock.engine.records import Execution, LogLine, TaskRun
from penstock.secrets import GivenSecrets
from penstock.services.executions import Following
from penstock.services.executions.creation import Launch
from penstock.wiring.application import TENANT, Application, flow_service
from penstock.wiring.core import Core
from penstock.wiring.datasource import MEMORY
from penstock.wiring.plan import Plan, Role
from penstock.wiring.plugins import load_plugins


@dataclass(frozen=True, slots=True)
class FinishedFlow:
    """An execution that has ended."""

    execution: Execution
    task_runs: Sequence[TaskRun]
    logs: Sequence[LogLine]

    @property
    def state(self) -> str:
        """How it ended, such as `SUCCESS`."""
        return str(self.execution.state.current)

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The flow's outputs."""
        return self.execution.outputs or {}

    def outputs_of(self, task_id: str) -> Mapping[str, Any]:
        """Return the outputs of a task's last run.

        Raises:
            LookupError: The task did not run.
        """
        found = [run for run in self.task_runs if run.task_id == task_id]
        if not found:
            raise LookupError(f"the task `{task_id}` did not run; these did: {[run.task_id for run in self.task_runs]}")
        return found[-1].outputs or {}

    @property
    def messages(self) -> list[str]:
        """What was logged."""
        return [line.message for line in self.logs]


def run_flow(
    flow: Path | str,
    *,
    types: Iterable[Any] = (),
    inputs: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    patience: float = 60.0,
) -> FinishedFlow:
    """Run a flow and return how it ended.

    Args:
        flow: A file, or the YAML itself.
        types: The types under test, as a plugin lists them; the built-in ones are there anyway.
        inputs: Values of the flow's inputs.
        secrets: Secrets by name.
        patience: Seconds it may take.

    Raises:
        PenstockError: The flow is wrong, or so are the inputs.
        TimeoutError: It has not ended in time.
    """
    text = flow.read_text(encoding="utf-8") if isinstance(flow, Path) else flow
    return asyncio.run(_run(text, tuple(types), dict(inputs or {}), dict(secrets or {}), patience))


async def _run(
    text: str, types: Sequence[Any], inputs: Mapping[str, Any], secrets: Mapping[str, str], patience: float
) -> FinishedFlow:
    with tempfile.TemporaryDirectory(prefix="penstock-flow-", ignore_cleanup_errors=True) as folder:
        plan = Plan(
            roles=frozenset({Role.EXECUTOR, Role.WORKER}),
            database=MEMORY,
            storage=Path(folder) / "storage",
            secrets=(GivenSecrets(secrets),),
        )
        application = Application(plan, plugins=load_plugins((), types=types))
        await application.start()
        try:
            return await _execute(application.core, text, inputs, patience)
        finally:
            await application.stop(hurry=True)


async def _execute(core: Core, text: str, inputs: Mapping[str, Any], patience: float) -> FinishedFlow:
    stored = await flow_service(core).put(TENANT, text)
    prepared, reject = await core.executions.prepared(Launch(TENANT, stored.namespace, stored.id, inputs=inputs))
    following = Following(core.store.queries, core.followers, pause=0.01)
    with following.watch(prepared.id) as watch:
        await core.dispatcher.create(prepared, reject=reject)
        view = await following.end(TENANT, prepared.id, watch, int(patience * SECOND))
    if not view.is_over:
        raise TimeoutError(f"the flow is {view.execution.state.current} after {patience:g} seconds")
    lines, _ = await core.store.queries.logs_of(prepared.id)
    return FinishedFlow(view.execution, view.task_runs, lines)
