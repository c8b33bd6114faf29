"""Replays: an earlier execution runs again as a new one, as it was or with some of it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.base.ids import new_id
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import NO_PINS, Cursor, Edits, Execution, TaskRun
from penstock.engine.replaying import Outputs, replayed
from penstock.engine.states import State, StateType
from penstock.engine.turn import replace
from penstock.engine.working_set import ExecutionState
from penstock.ports.dispatch import Dispatcher
from penstock.ports.queries import ExecutionQueries
from penstock.services.executions.following import missing_execution
from penstock.services.executions.inputs import InputReader, Upload
from penstock.services.executions.labels import USERNAME
from penstock.services.flows import FlowCatalog


@dataclass(frozen=True, slots=True)
class Replay:
    """How an execution is to run again; everything absent is as it was."""

    task_run_id: str | None = None
    """Where to begin; from the start when absent."""
    task_id: str | None = None
    """Where to begin, by the task: at its first task run."""
    revision: int | None = None
    latest: bool = False
    """Run the latest revision."""
    breakpoints: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """Values in the place of those the inputs had."""
    files: Mapping[str, Upload] = field(default_factory=dict)
    outputs: Outputs = field(default_factory=dict)
    """Outputs in the place of those that reused task runs had, by task run or task."""
    skip: tuple[str, ...] = ()
    """Tasks to skip."""


AS_IT_WAS = Replay()


class Replaying:
    """Makes new executions of earlier ones.

    Implements ENG-152, ENG-154, ENG-155, ENG-156, ENG-398, BEY-042.

    Args:
        queries: Reads the earlier execution.
        catalog: Where resolved flows come from.
        dispatcher: The door to the executor.
        clock: Tells when the new execution begins.
        inputs: Reads inputs that are given anew.
    """

    def __init__(
        self,
        queries: ExecutionQueries,
        catalog: FlowCatalog,
        dispatcher: Dispatcher,
        clock: Clock,
        inputs: InputReader,
    ) -> None:
        self._queries = queries
        self._catalog = catalog
        self._dispatcher = dispatcher
        self._clock = clock
        self._inputs = inputs

    async def replay(
        self, tenant: str, execution_id: str, wanted: Replay = AS_IT_WAS, by: str | None = None
    ) -> Execution:
        """Start a new execution that reuses what ran before a task run of an earlier one.

        Args:
            tenant: Whose execution it is.
            execution_id: The earlier execution, in any state.
            wanted: Where to begin, and what to change.
            by: Who asks for it.

        Raises:
            NotFoundError: There is no such execution, task run or revision.
            ConflictError: The replay cannot begin there.
            InvalidRequestError: What is to be changed is not there, or does not fit.
        """
        found = await self._queries.get(tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        old, task_runs = found
        revision = None if wanted.latest else wanted.revision or old.flow_revision
        pins = old.pins if revision == old.flow_revision else NO_PINS
        flow = await self._catalog.resolved(tenant, old.namespace, old.flow_id, revision, pins)
        new = self._fresh(old, flow, wanted, by)
        runs: tuple[TaskRun, ...] = ()
        beginning = _beginning(old, task_runs, wanted)
        if beginning is not None:
            state = ExecutionState.of(old, task_runs)
            new, runs = replayed(flow, state, new, beginning, self._clock.now(), wanted.outputs)
        elif wanted.outputs:
            raise InvalidRequestError(
                "outputs are given, and a replay from the start reuses none", hint="say at which task run to begin"
            )
        else:
            new = replace(new, variables=None)
        if wanted.inputs or wanted.files:
            new = await self._inputs.refilled(flow, new, wanted.inputs, wanted.files)
        edits = Edits(
            execution_id=old.id,
            by=by,
            inputs=tuple(sorted({*wanted.inputs, *wanted.files})),
            outputs=tuple(run.id for run in runs if run.edited),
            skipped=wanted.skip,
        )
        if edits.inputs or edits.outputs or edits.skipped:
            new = replace(new, edits=edits)
        await self._dispatcher.create(new, runs=runs)
        return new

    def _fresh(self, old: Execution, flow: ResolvedFlow, wanted: Replay, by: str | None) -> Execution:
        now = self._clock.now()
        unknown = [task_id for task_id in wanted.skip if task_id not in flow.tasks]
        if unknown:
            raise InvalidRequestError(
                f"revision {flow.revision} of flow {flow.namespace}.{flow.id} has no task"
                f" {', '.join(f'`{task_id}`' for task_id in unknown)} to skip"
            )
        labels = dict(old.labels)
        if by is not None:
            labels[USERNAME] = by
        return replace(
            old,
            id=new_id(),
            flow_revision=flow.revision,
            pins=flow.pins,
            created=now,
            attempt_number=old.attempt_number + 1,
            parent=None,
            schedule_date=None,
            firing_key=None,
            digest=None,
            breakpoints=wanted.breakpoints,
            skip=wanted.skip,
            edits=None,
            state=State.at(StateType.CREATED, now),
            labels=tuple(labels.items()),
            outputs=None,
            cursor=Cursor(),
            error=None,
            version=0,
        )


def _beginning(old: Execution, task_runs: Iterable[TaskRun], wanted: Replay) -> str | None:
    """Return the task run at which a replay begins; None for the start."""
    if wanted.task_run_id is not None or wanted.task_id is None:
        return wanted.task_run_id
    for run in task_runs:
        if run.task_id == wanted.task_id:
            return run.id
    raise NotFoundError(f"execution {old.id} has no run of task `{wanted.task_id}`")
