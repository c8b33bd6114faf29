"""What a task asks about the executions that its own execution has started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.ports.queries import ExecutionQueries
from penstock.services.arguments import Function, reading, text_argument
from penstock.services.file_access import Caller


class ChildFunctions:
    """Outputs of child executions, by the task run that started them. Implements ENG-089.

    Args:
        queries: Reads executions.
    """

    def __init__(self, queries: ExecutionQueries) -> None:
        self._queries = queries

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {"childOutputs": reading(self._outputs)}

    async def _outputs(self, caller: Caller, arguments: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the flow outputs of the latest execution at each position, in order."""
        task_run_id = text_argument(arguments, "taskRunId")
        latest: dict[int, Mapping[str, Any]] = {}
        for execution in await self._queries.children(caller.tenant, caller.execution_id):
            parent = execution.parent
            if parent is not None and parent.task_run_id == task_run_id:
                latest[parent.iteration or 0] = execution.outputs or {}
        return [latest[position] for position in sorted(latest)]
