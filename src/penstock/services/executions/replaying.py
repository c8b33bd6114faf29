"""Running an earlier execution again as a new one, from the start or from one of its task runs."""

from __future__ import annotations

from penstock.base.clock import Clock
from penstock.base.ids import new_id
from penstock.engine.records import Cursor, Execution, TaskRun
from penstock.engine.replaying import replayed
from penstock.engine.states import State, StateType
from penstock.engine.turn import replace
from penstock.engine.working_set import ExecutionState
from penstock.ports.dispatch import Dispatcher
from penstock.ports.queries import ExecutionQueries
from penstock.services.executions.following import missing_execution
from penstock.services.executions.labels import USERNAME
from penstock.services.flows import FlowCatalog


class Replaying:
    """Makes new executions of earlier ones. Implements ENG-152, ENG-154, ENG-155, ENG-398.

    Args:
        queries: Reads the earlier execution.
        catalog: Where resolved flows come from.
        dispatcher: The door to the executor.
        clock: Tells when the new execution begins.
    """

    def __init__(self, queries: ExecutionQueries, catalog: FlowCatalog, dispatcher: Dispatcher, clock: Clock) -> None:
        self._queries = queries
        self._catalog = catalog
        self._dispatcher = dispatcher
        self._clock = clock

    async def replay(
        self,
        tenant: str,
        execution_id: str,
        task_run_id: str | None = None,
        revision: int | None = None,
        *,
        latest: bool = False,
        by: str | None = None,
    ) -> Execution:
        """Start a new execution that reuses what ran before a task run of an earlier one.

        Args:
            tenant: Whose execution it is.
            execution_id: The earlier execution, in any state.
            task_run_id: Where to begin; from the start when absent.
            revision: Which revision to run; that of the earlier execution by default.
            latest: Run the latest revision instead.
            by: Who asks for it.

        Raises:
            NotFoundError: There is no such execution, task run or revision.
            ConflictError: The replay cannot begin there.
        """
        found = await self._queries.get(tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        old, task_runs = found
        wanted = None if latest else revision or old.flow_revision
        flow = await self._catalog.resolved(tenant, old.namespace, old.flow_id, wanted)
        new = self._fresh(old, flow.revision, by)
        runs: tuple[TaskRun, ...] = ()
        if task_run_id is None:
            new = replace(new, variables=None)
        else:
            new, runs = replayed(flow, ExecutionState.of(old, task_runs), new, task_run_id, self._clock.now())
        await self._dispatcher.create(new, runs=runs)
        return new

    def _fresh(self, old: Execution, revision: int, by: str | None) -> Execution:
        now = self._clock.now()
        labels = dict(old.labels)
        if by is not None:
            labels[USERNAME] = by
        return replace(
            old,
            id=new_id(),
            flow_revision=revision,
            created=now,
            attempt_number=old.attempt_number + 1,
            parent=None,
            schedule_date=None,
            firing_key=None,
            state=State.at(StateType.CREATED, now),
            labels=tuple(labels.items()),
            outputs=None,
            cursor=Cursor(),
            error=None,
            version=0,
        )
