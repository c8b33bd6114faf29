"""What brings a child execution into being, in the same transaction as the wish for it."""

from __future__ import annotations

from collections.abc import Callable

from penstock.base.errors import ConflictError, PenstockError, UnavailableError
from penstock.engine.decision import ChildFlow
from penstock.engine.events import ChildEnded, ChildStarted, Created
from penstock.engine.records import Execution
from penstock.engine.states import StateType
from penstock.engine.working_set import ExecutionState
from penstock.services.executor.delivery import Delivery, of_repetition
from penstock.services.executor.round import Round
from penstock.services.executor.settings import Children


class ChildStarts:
    """Starts the executions that task runs ask for.

    Args:
        children: Makes them; None where there are no other flows.
        held: Executions in memory, which may be ahead of the store.
    """

    def __init__(self, children: Children | None, held: Callable[[str], ExecutionState | None]) -> None:
        self._children = children
        self._held = held

    async def start(self, current: Round, parent: Execution, wanted: ChildFlow) -> list[Delivery]:
        """Return the beginning of the child a task run asks for, or what tells the task run why there is none."""
        run_id = wanted.task_run_id
        try:
            if self._children is None:
                raise ConflictError("this executor cannot start other flows")
            execution, reject = await self._children.child(parent, wanted)
        except UnavailableError:
            raise
        except PenstockError as error:
            failed = ChildEnded(
                run_id, wanted.execution_id, StateType.FAILED, iteration=wanted.start.iteration, error=str(error)
            )
            return [Delivery(parent.id, failed)]
        if execution.firing_key is not None and execution.id == wanted.execution_id:
            execution = current.keyed.setdefault(execution.firing_key, execution)
        if execution.id != wanted.execution_id:
            return [of_repetition(parent, wanted, self._latest(execution))]
        if execution.firing_key is not None:
            current.batch.firsts.add(execution.id)
        deliveries = [Delivery(execution.id, Created(reject), new=execution)]
        if not wanted.start.wait:
            deliveries.append(Delivery(parent.id, ChildStarted(run_id, execution.id)))
        return deliveries

    def _latest(self, execution: Execution) -> Execution:
        held = self._held(execution.id)
        return execution if held is None else held.execution
