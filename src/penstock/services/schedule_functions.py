"""What triggers ask of the server about other triggers: which schedules do not run as they should."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Protocol

from penstock.base.clock import SECOND, Clock, to_iso
from penstock.base.errors import PenstockError, UnavailableError
from penstock.engine.flow import ResolvedFlow
from penstock.ports.queries import ExecutionQueries, Filter
from penstock.ports.triggers import TriggerState
from penstock.sdk import TriggerBase
from penstock.services.arguments import Function, reading
from penstock.services.file_access import Caller
from penstock.services.scheduler.backfill import TIMING
from penstock.services.triggers import TriggerService

_PATIENCE = 60 * SECOND
"""How late a schedule may be before it counts as stuck."""


class FlowSource(Protocol):
    """Where resolved flows come from."""

    async def resolved(self, tenant: str, namespace: str, flow_id: str, revision: int | None = None) -> ResolvedFlow:
        """Return a resolved revision, the latest by default; raises NotFoundError."""
        ...


class ScheduleFunctions:
    """The worker's door to schedules (BEY-010).

    Implements the server's side of ENG-289.

    Args:
        triggers: The use cases.
        queries: Reads executions.
        flows: Resolved flows.
        triggers_of: Returns a flow's triggers.
        clock: The time.
    """

    def __init__(
        self,
        triggers: TriggerService,
        queries: ExecutionQueries,
        flows: FlowSource,
        triggers_of: Callable[[ResolvedFlow], Iterable[TriggerBase]],
        clock: Clock,
    ) -> None:
        self._triggers = triggers
        self._queries = queries
        self._flows = flows
        self._triggers_of = triggers_of
        self._clock = clock

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {"schedulesUnhealthy": reading(self._unhealthy)}

    async def _unhealthy(self, caller: Caller, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        filters = []
        if namespace := arguments.get("namespace"):
            filters.append(Filter("namespace", "PREFIX", str(namespace)))
        if flow_id := arguments.get("flowId"):
            filters.append(Filter("flowId", "EQUALS", str(flow_id)))
        return [
            _shown(state, reason)
            async for state in self._schedules(caller.tenant, filters)
            if (reason := await self._problem(state)) is not None
        ]

    async def _schedules(self, tenant: str, filters: list[Filter]) -> AsyncIterator[TriggerState]:
        async for name in self._triggers.names(tenant, filters):
            state = await self._triggers.get(tenant, name)
            if TIMING in state.memory and not state.disabled:
                yield state

    async def _problem(self, state: TriggerState) -> str | None:
        """Return what is wrong with a schedule; None when all is well."""
        if state.execution_id is not None:
            execution = await self._queries.head(state.tenant, state.execution_id)
            if execution is None or execution.state.is_terminal:
                return f"it is locked by execution {state.execution_id}, which has ended"
            return None
        if state.next_date is None:
            return "it has no next date" if await self._is_enabled(state) else None
        if state.next_date < self._clock.now() - _PATIENCE:
            return "it was due and has not run"
        return None

    async def _is_enabled(self, state: TriggerState) -> bool:
        """Return whether flow and trigger are enabled in the flow's source; a flow that cannot be read counts so."""
        try:
            flow = await self._flows.resolved(state.tenant, state.namespace, state.flow_id)
            found = [one for one in self._triggers_of(flow) if one.id == state.trigger_id]
        except UnavailableError:
            raise
        except PenstockError:
            return True
        return not flow.disabled and any(not one.disabled for one in found)


def _shown(state: TriggerState, reason: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "tenantId": state.tenant,
        "namespace": state.namespace,
        "flowId": state.flow_id,
        "triggerId": state.trigger_id,
        "reason": reason,
    }
    dates = {"date": state.date, "nextExecutionDate": state.next_date}
    body |= {name: to_iso(date) for name, date in dates.items() if date is not None}
    return body if state.execution_id is None else {**body, "executionId": state.execution_id}
