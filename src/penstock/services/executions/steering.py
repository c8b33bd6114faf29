"""Steering executions that exist: kill, pause, resume, restart, labels, a task run's state; one or many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from penstock.base.errors import ConflictError, InvalidRequestError, PenstockError
from penstock.engine.events import AnyEvent, ChangeTaskState, Kill, Pause, Restart, Resume, SetLabels
from penstock.engine.records import Execution, Labels
from penstock.engine.states import StateType
from penstock.ports.dispatch import Dispatcher
from penstock.ports.queries import ExecutionQueries
from penstock.services.executions.following import missing_execution
from penstock.services.executions.labels import changed_labels
from penstock.services.executions.resuming import ResumeReader

_PAUSED = frozenset({StateType.PAUSED})
_RUNNING = frozenset({StateType.RUNNING})


class BulkError(InvalidRequestError):
    """Some of many ids cannot be dealt with, so none was (API-011).

    Args:
        message: What is wrong.
        invalids: Each id with what is wrong about it.
    """

    code = "INVALID_IDS"
    hint = "nothing was done; leave these ids out"

    def __init__(self, message: str, invalids: Mapping[str, str]) -> None:
        super().__init__(message)
        self.invalids = invalids


class Steering:
    """Requests that change an execution. Each checks the state first, so that the answer is the same wherever it runs.

    Implements ENG-028, ENG-096, ENG-153, ENG-157, API-011, API-026.

    Args:
        queries: Reads the state.
        dispatcher: Takes the request to the executor.
        resuming: Reads what is given on a resume.
    """

    def __init__(self, queries: ExecutionQueries, dispatcher: Dispatcher, resuming: ResumeReader) -> None:
        self._queries = queries
        self._dispatcher = dispatcher
        self._resuming = resuming

    async def kill(self, tenant: str, execution_id: str, by: str | None = None) -> Execution:
        """Stop an execution that has not ended."""
        execution = await self._find(tenant, execution_id)
        if execution.state.is_terminal:
            raise ConflictError(f"execution {execution_id} has ended already ({execution.state.current})")
        return await self._send(execution, Kill(by))

    async def pause(self, tenant: str, execution_id: str, by: str | None = None) -> Execution:
        """Hold an execution: nothing new begins."""
        execution = await self._find(tenant, execution_id)
        _require(execution, _RUNNING, "paused")
        return await self._send(execution, Pause(by))

    async def resume(
        self, tenant: str, execution_id: str, inputs: Mapping[str, Any] | None = None, by: str | None = None
    ) -> Execution:
        """Let a paused execution go on, with the values its Pause task asks for.

        Raises:
            InvalidInputs: A value is missing or wrong; the execution stays paused.
        """
        execution = await self._find(tenant, execution_id)
        _require(execution, _PAUSED, "resumed")
        values = await self._resuming.read(execution, inputs or {})
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

    async def all_of(
        self,
        tenant: str,
        execution_ids: Sequence[str],
        check: Callable[[Execution], str | None],
        action: Callable[[str], Awaitable[object]],
    ) -> int:
        """Do something to several executions, or to none when one of them does not allow it.

        Args:
            tenant: Whose executions they are.
            execution_ids: The executions.
            check: Says why one cannot be dealt with, or None.
            action: What to do with each.

        Returns:
            How many were dealt with.

        Raises:
            BulkError: Some cannot be dealt with.
        """
        invalids: dict[str, str] = {}
        for execution_id in execution_ids:
            execution = await self._queries.head(tenant, execution_id)
            problem = "execution not found" if execution is None else check(execution)
            if problem:
                invalids[execution_id] = problem
        if invalids:
            raise BulkError(f"{len(invalids)} of {len(execution_ids)} executions do not allow this", invalids)
        return await self.each(execution_ids, action)

    async def each(self, execution_ids: Sequence[str], action: Callable[[str], Awaitable[object]]) -> int:
        """Do something to each execution that still allows it; returns to how many."""
        count = 0
        for execution_id in execution_ids:
            try:
                await action(execution_id)
            except PenstockError as error:
                if error.code not in ("CONFLICT", "NOT_FOUND", "ILLEGAL_TRANSITION", "INVALID_INPUTS"):
                    raise
                continue  # it went on meanwhile, or asks for values of its own
            count += 1
        return count

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


def not_ended(execution: Execution) -> str | None:
    """Say that an execution has not ended, if so."""
    return None if execution.state.is_terminal else f"it is {execution.state.current} and has not ended"


def ended(execution: Execution) -> str | None:
    """Say that an execution has ended, if so."""
    return f"it has ended already ({execution.state.current})" if execution.state.is_terminal else None


def not_in(*states: StateType) -> Callable[[Execution], str | None]:
    """Return a check that says when an execution is in none of the states."""

    def check(execution: Execution) -> str | None:
        return None if execution.state.current in states else f"it is {execution.state.current}"

    return check
