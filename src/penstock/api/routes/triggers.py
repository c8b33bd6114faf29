"""Triggers: list, disable, unlock, delete (API-102)."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, paged
from penstock.api.bodies import read_json
from penstock.api.render.triggers import render_trigger, render_trigger_row
from penstock.api.routes.table import FILTERS, PAGE, Routes, parameter
from penstock.api.search import filters_of, page_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.base.errors import NotFoundError
from penstock.ports.queries import Filter
from penstock.ports.triggers import TriggerState
from penstock.services.flows import FlowDefinitions, FlowService
from penstock.services.triggers import TriggerName, TriggerService


class _Trigger(msgspec.Struct, rename="camel"):
    namespace: str
    flow_id: str
    trigger_id: str
    disabled: bool = False

    @property
    def name(self) -> TriggerName:
        return (self.namespace, self.flow_id, self.trigger_id)


class _SetDisabled(msgspec.Struct):
    triggers: list[_Trigger]
    disabled: bool


class TriggerRoutes:
    """Implements API-102 (list, disable, unlock, delete).

    Args:
        triggers: The use cases.
        flows: Reads the flows triggers belong to.
        definitions: Flows as plain data.
        clock: The present.
        settings: Bounds.
    """

    def __init__(
        self, triggers: TriggerService, flows: FlowService, definitions: FlowDefinitions, clock: Clock,
        settings: ApiSettings,
    ) -> None:  # fmt: skip
        self._triggers = triggers
        self._flows = flows
        self._definitions = definitions
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/triggers", "Triggers")
        add = routes.add
        one = "/{namespace}/{flow_id}/{trigger_id}"
        add("PUT", "", self.update, "updateTrigger", answers=schemas.Trigger)
        add("GET", "/search", self.search, "searchTriggers", answers=schemas.PagedTriggerRows,
            parameters=[*PAGE, *FILTERS])  # fmt: skip
        add("POST", "/set-disabled/by-triggers", self.set_disabled, "disabledTriggersByIds", answers=schemas.BulkAnswer)
        add("POST", "/unlock/by-triggers", self.unlock_many, "unlockTriggersByIds", answers=schemas.BulkAnswer)
        add("DELETE", "/delete/by-triggers", self.delete_many, "deleteTriggersByIds", answers=schemas.BulkAnswer)
        add("GET", "/{namespace}/{flow_id}", self.of_flow, "searchTriggersForFlow", answers=schemas.PagedTriggers,
            parameters=[*PAGE, parameter("q")])  # fmt: skip
        add("DELETE", one, self.delete, "deleteTrigger", status=204)
        add("POST", one + "/unlock", self.unlock, "unlockTrigger", answers=schemas.Trigger)
        return routes.router

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of triggers with their definitions."""
        pairs = request.query_params.multi_items()
        page = await self._triggers.search(tenant, filters_of(pairs, self._clock.now()), page_of(pairs))
        return paged([await self._row(state) for state in page.results], page.total)

    async def _row(self, state: TriggerState) -> dict[str, object]:
        try:
            flow = await self._flows.get(state.tenant, state.namespace, state.flow_id)
        except NotFoundError:
            return render_trigger_row(state, None)
        return render_trigger_row(state, self._definitions.trigger(flow, state.trigger_id))

    async def of_flow(self, request: Request, tenant: str, namespace: str, flow_id: str) -> Response:
        """Return a page of the states of one flow's triggers."""
        pairs = request.query_params.multi_items()
        filters = [Filter("namespace", "EQUALS", namespace), Filter("flowId", "EQUALS", flow_id)]
        query = request.query_params.get("q")
        if query:
            filters.append(Filter("q", "EQUALS", query))
        page = await self._triggers.search(tenant, filters, page_of(pairs))
        return paged([render_trigger(state) for state in page.results], page.total)

    async def update(self, request: Request, tenant: str) -> Response:
        """Switch a trigger off or on."""
        wanted = await read_json(request, self._settings, _Trigger)
        return JsonAnswer(render_trigger(await self._triggers.set_disabled(tenant, wanted.name, wanted.disabled)))

    async def set_disabled(self, request: Request, tenant: str) -> Response:
        """Switch several triggers off or on."""
        wanted = await read_json(request, self._settings, _SetDisabled)
        for trigger in wanted.triggers:
            await self._triggers.set_disabled(tenant, trigger.name, wanted.disabled)
        return JsonAnswer({"count": len(wanted.triggers)})

    async def unlock(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> Response:
        """Let a trigger fire again although the execution it started seems to run still."""
        return JsonAnswer(render_trigger(await self._triggers.unlock(tenant, (namespace, flow_id, trigger_id))))

    async def unlock_many(self, request: Request, tenant: str) -> Response:
        """Unlock several triggers."""
        wanted = await read_json(request, self._settings, list[_Trigger])
        for trigger in wanted:
            await self._triggers.unlock(tenant, trigger.name)
        return JsonAnswer({"count": len(wanted)})

    async def delete(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> Response:
        """Forget the state of a trigger."""
        await self._triggers.delete(tenant, (namespace, flow_id, trigger_id))
        return Response(status_code=204)

    async def delete_many(self, request: Request, tenant: str) -> Response:
        """Forget the states of several triggers."""
        wanted = await read_json(request, self._settings, list[_Trigger])
        for trigger in wanted:
            await self._triggers.delete(tenant, trigger.name)
        return JsonAnswer({"count": len(wanted)})
