"""What tasks ask of executions that exist: letting a paused one go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.ports.queries import ExecutionQueries
from penstock.services.arguments import Function, writing
from penstock.services.executions.following import missing_execution
from penstock.services.executions.steering import Steering
from penstock.services.file_access import Caller


class SteeringFunctions:
    """The worker's door to other executions (BEY-010).

    Implements the server's side of ENG-095 for `Resume`.

    Args:
        steering: Carries the requests out.
        queries: Tells which flow an execution is of.
    """

    def __init__(self, steering: Steering, queries: ExecutionQueries) -> None:
        self._steering = steering
        self._queries = queries

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {"resumeExecution": writing(self._resume)}

    async def _resume(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        """Let a paused execution go on, of the given flow where one is given; returns the state it is in then."""
        execution_id = str(arguments.get("executionId") or caller.execution_id)
        execution = await self._queries.head(caller.tenant, execution_id)
        wanted = (arguments.get("namespace"), arguments.get("flowId"))
        if execution is None or any(
            name not in (None, own) for name, own in zip(wanted, (execution.namespace, execution.flow_id), strict=True)
        ):
            raise missing_execution(execution_id)
        by = f"execution {caller.execution_id}"
        after = await self._steering.resume(caller.tenant, execution_id, arguments.get("inputs"), by)
        return str(after.state.current)
