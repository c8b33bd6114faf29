"""Steering executions that exist: kill, pause, resume, restart, force-run, unqueue, labels, states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.base.errors import ConflictError, InvalidRequestError
from penstock.engine.events import (
    AnyEvent,
    ChangeState,
    ChangeTaskState,
    ForceRun,
    Kill,
    Pause,
    Restart,
    Resume,
    ResumeFromBreakpoint,
    SetLabels,
    Unqueue,
)
from penstock.engine.overriding import CHOSEN_ENDS, FORCIBLE, LEAVING_THE_QUEUE
from penstock.engine.records import Execution, Labels
from penstock.engine.states import StateType
from penstock.ports.dispatch import Dispatcher
from penstock.ports.queries import ExecutionQueries
from penstock.services.executions.following import is_over, missing_execution
from penstock.services.executions.inputs import Upload
from penstock.services.executions.labels import changed_labels
from penstock.services.executions.resuming import ResumeReader

_PAUSED = frozenset({StateType.PAUSED})
_RUNNING = frozenset({StateType.RUNNING})
_QUEUED = frozenset({StateType.QUEUED})
_BREAKPOINT = frozenset({StateType.BREAKPOINT})


class Steering:
    """Requests that change an execution. Each checks the state first, so that the answer is the same wherever it runs.

    Implements ENG-028, ENG-096, ENG-153, ENG-157, API-026.

    Args:
        queries: Reads the state.
        dispatcher: Takes the request to the executor.
        resuming: Reads what is given on a resume.
    """

    def __init__(self, queries: ExecutionQueries, dispatcher: Dispatcher, resuming: ResumeReader) -> None:
        self._queries = queries
        self._dispatcher = dispatcher
        self._resuming = resuming

    async def kill(self, tenant: str, execution_id: str, by: str | None = None, *, cascade: bool = True) -> Execution:
        """Stop an execution that is not over, and those it waits for unless it is to be stopped alone.

        One that has ended keeps its state; its `afterExecution` tasks are stopped.
        """
        execution = await self._find(tenant, execution_id)
        if is_over(execution):
            raise ConflictError(f"execution {execution_id} has ended already ({execution.state.current})")
        return await self._send(execution, Kill(by, cascade))

    async def pause(self, tenant: str, execution_id: str, by: str | None = None) -> Execution:
        """Hold an execution: nothing new begins."""
        execution = await self._find(tenant, execution_id)
        _require(execution, _RUNNING, "paused")
        return await self._send(execution, Pause(by))

    async def resume(
        self,
        tenant: str,
        execution_id: str,
        inputs: Mapping[str, Any] | None = None,
        by: str | None = None,
        files: Mapping[str, Upload] | None = None,
    ) -> Execution:
        """Let a paused execution go on, with the values its Pause task asks for.

        Raises:
            InvalidInputs: A value is missing or wrong; the execution stays paused.
        """
        execution = await self._find(tenant, execution_id)
        _require(execution, _PAUSED, "resumed")
        values = await self._resuming.read(execution, inputs or {}, files or {})
        return await self._send(execution, Resume(values, by))

    async def restart(
        self, tenant: str, execution_id: str, revision: int | None = None, by: str | None = None
    ) -> Execution:
        """Run the failed task runs of an ended execution again, with another revision when one is given.

        Raises:
            ConflictError: It has not ended, or nothing in it has failed.
        """
        execution = await self._find(tenant, execution_id)
        if not execution.state.is_terminal:
            raise ConflictError(
                f"execution {execution_id} is {execution.state.current} and has not ended",
                hint="only an ended execution can be restarted; kill it first",
            )
        return await self._send(execution, Restart(revision, by))

    async def set_labels(self, tenant: str, execution_id: str, labels: Labels) -> Execution:
        """Set labels on an ended execution: existing keys are overridden, new ones added."""
        execution = await self._find(tenant, execution_id)
        wanted = changed_labels(labels)
        if not execution.state.is_terminal:
            raise ConflictError(
                f"execution {execution_id} is {execution.state.current} and has not ended",
                hint="labels can be set by hand once it has; a Labels task sets them while it runs",
            )
        return await self._send(execution, SetLabels(wanted))

    async def change_task_state(
        self, tenant: str, execution_id: str, task_run_id: str, state: StateType, by: str | None = None
    ) -> Execution:
        """Set a task run's state by hand."""
        execution = await self._find(tenant, execution_id)
        return await self._send(execution, ChangeTaskState(task_run_id, state, by))

    async def force_run(self, tenant: str, execution_id: str, by: str | None = None) -> Execution:
        """Have an execution go on whatever it waits for: a slot, its date, a resume, a breakpoint."""
        execution = await self._find(tenant, execution_id)
        _require(execution, FORCIBLE, "forced to run")
        return await self._send(execution, ForceRun(by))

    async def unqueue(
        self, tenant: str, execution_id: str, state: StateType = StateType.RUNNING, by: str | None = None
    ) -> Execution:
        """Take an execution out of the queue: it runs, or ends without running any task."""
        execution = await self._find(tenant, execution_id)
        _require(execution, _QUEUED, "taken out of the queue")
        return await self._send(execution, Unqueue(leaving_the_queue(state), by))

    async def change_state(self, tenant: str, execution_id: str, state: StateType, by: str | None = None) -> Execution:
        """Give an ended execution another end; nothing runs because of it."""
        execution = await self._find(tenant, execution_id)
        wanted = chosen_end(state)
        if not execution.state.is_terminal:
            raise ConflictError(
                f"execution {execution_id} is {execution.state.current} and has not ended",
                hint="kill it first: only the state of an ended execution can be changed",
            )
        return execution if execution.state.current is wanted else await self._send(execution, ChangeState(wanted, by))

    async def resume_from_breakpoint(
        self, tenant: str, execution_id: str, breakpoints: tuple[str, ...] | None = None, by: str | None = None
    ) -> Execution:
        """Let an execution go on from the breakpoint it has reached, with other breakpoints from now on if given."""
        execution = await self._find(tenant, execution_id)
        _require(execution, _BREAKPOINT, "resumed from a breakpoint")
        return await self._send(execution, ResumeFromBreakpoint(breakpoints, by))

    async def _find(self, tenant: str, execution_id: str) -> Execution:
        execution = await self._queries.head(tenant, execution_id)
        if execution is None:
            raise missing_execution(execution_id)
        return execution

    async def _send(self, execution: Execution, event: AnyEvent) -> Execution:
        after = await self._dispatcher.send(execution.id, event)
        return execution if after is None else after


def _require(execution: Execution, states: frozenset[StateType], what: str) -> None:
    if execution.state.current not in states:
        wanted = " or ".join(sorted(states))
        raise ConflictError(
            f"execution {execution.id} is {execution.state.current}, and only one that is {wanted} can be {what}"
        )


def leaving_the_queue(state: StateType) -> StateType:
    """Return a state in which an execution may leave the queue.

    Raises:
        InvalidRequestError: It is none.
    """
    return _one_of(state, LEAVING_THE_QUEUE, "an execution cannot leave the queue as")


def chosen_end(state: StateType) -> StateType:
    """Return a state that an ended execution may be given.

    Raises:
        InvalidRequestError: It is none.
    """
    return _one_of(state, CHOSEN_ENDS, "an ended execution cannot be set to")


def _one_of(state: StateType, allowed: frozenset[StateType], what: str) -> StateType:
    if state not in allowed:
        raise InvalidRequestError(f"{what} {state}", hint=f"choose one of {', '.join(sorted(allowed))}")
    return state
