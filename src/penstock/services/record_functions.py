"""What tasks ask of executions, logs and triggers: reading lines, counting, switching triggers off and on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.base.clock import Clock, to_iso
from penstock.base.durations import format_duration
from penstock.engine.exiting import end_state
from penstock.engine.records import Execution
from penstock.engine.states import StateType
from penstock.ports.queries import ExecutionQueries, Filter, LogSelection, PageRequest
from penstock.services.arguments import Function, namespace_argument, reading, text_argument, writing
from penstock.services.executions.following import missing_execution
from penstock.services.file_access import Caller
from penstock.services.functions import log_entry
from penstock.services.triggers import TriggerService

_LINES = 1_000


class RecordFunctions:
    """The worker's door to records of executions (BEY-010).

    Implements the server's side of MIG-020 (log.Fetch, execution.Count, trigger.Toggle).

    Args:
        queries: Reads executions and logs.
        triggers: Switches triggers.
        clock: Tells how long an execution has been running.
    """

    def __init__(self, queries: ExecutionQueries, triggers: TriggerService, clock: Clock) -> None:
        self._queries = queries
        self._triggers = triggers
        self._clock = clock

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {
            "fetchLogs": reading(self._logs),
            "countExecutions": reading(self._count),
            "executionReport": reading(self._report),
            "toggleTrigger": writing(self._toggle),
        }

    async def _report(self, caller: Caller, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return what there is to tell of an execution. One whose end is settled says so before it comes."""
        execution_id = str(arguments.get("executionId") or caller.execution_id)
        found = await self._queries.get(caller.tenant, execution_id)
        if found is None:
            raise missing_execution(execution_id)
        execution, runs = found
        state = execution.state
        ending = None if state.is_terminal else _ending(execution)
        parents = {run.parent_id for run in runs}
        failed = [run.task_id for run in runs if run.state.current is StateType.FAILED and run.id not in parents]
        return {
            "id": execution.id,
            "namespace": execution.namespace,
            "flowId": execution.flow_id,
            "state": str(ending or state.current),
            "startDate": to_iso(state.start),
            "duration": format_duration((state.end or self._clock.now()) - state.start),
            "failedTasks": list(dict.fromkeys(failed)),
            "error": execution.error,
        }

    async def _logs(self, caller: Caller, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return some lines of an execution, and the position to go on from; None after the last."""
        execution_id = str(arguments.get("executionId") or caller.execution_id)
        if await self._queries.head(caller.tenant, execution_id) is None:
            raise missing_execution(execution_id)
        after = int(arguments.get("after") or 0)
        level = arguments.get("level")
        lines, position = await self._queries.logs_of(execution_id, LogSelection(level), after=after, limit=_LINES)
        tasks = set(arguments.get("tasks") or ())
        rows = [log_entry(line) for line in lines if not tasks or line.task_id in tasks]
        return {"rows": rows, "position": position if len(lines) == _LINES else None}

    async def _count(self, caller: Caller, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return how many executions each of several flows or namespaces has."""
        common: list[Filter] = []
        if arguments.get("states"):
            common.append(Filter("state", "IN", list(arguments["states"])))
        if arguments.get("startDate"):
            common.append(Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", arguments["startDate"]))
        if arguments.get("endDate"):
            common.append(Filter("startDate", "LESS_THAN_OR_EQUAL_TO", arguments["endDate"]))
        counts = []
        for place in arguments.get("places") or ():
            fields = ("namespace", "flowId") if place.get("flowId") else ("namespace",)
            filters = [*(Filter(field, "EQUALS", place[field]) for field in fields), *common]
            counts.append({**place, "count": await self._total(caller.tenant, filters)})
        return counts

    async def _total(self, tenant: str, filters: Sequence[Filter]) -> int:
        return (await self._queries.search(tenant, filters, PageRequest(size=0))).total

    async def _toggle(self, caller: Caller, arguments: Mapping[str, Any]) -> bool:
        """Switch a trigger; returns whether it is on."""
        flow_id = str(arguments.get("flowId") or caller.flow_id)
        name = (namespace_argument(caller, arguments), flow_id, text_argument(arguments, "trigger"))
        by = f"execution {caller.execution_id}"
        state = await self._triggers.set_disabled(caller.tenant, name, arguments.get("enabled") is not True, by)
        return not state.disabled


def _ending(execution: Execution) -> StateType | None:
    """Return the state in which an execution is about to end, as far as that is settled."""
    return end_state(execution.cursor) or (StateType.FAILED if execution.cursor.failed else None)
