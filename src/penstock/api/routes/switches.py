"""Flows and triggers enabled, disabled or paused until a time, without a change of their sources (BEY-041)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content
from penstock.api.bodies import read_json
from penstock.api.middleware import username_of
from penstock.api.render.switches import is_off, render_switch, triggers_of
from penstock.api.routes.table import FILTERS, Routes, json_body
from penstock.api.search import filters_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock, from_datetime
from penstock.base.errors import InvalidRequestError
from penstock.ports.switches import Switch, SwitchName, SwitchState
from penstock.services.flows import FlowDefinitions, FlowService
from penstock.services.switches import SwitchOrder, SwitchService
from penstock.services.triggers import TriggerService


class _Order(msgspec.Struct):
    state: SwitchState | None
    """None: what the source says."""
    until: datetime | None = None
    reason: str | None = None

    @property
    def order(self) -> SwitchOrder | None:
        """What is wanted; None: what the source says."""
        if self.state is None:
            return None
        return SwitchOrder(self.state, None if self.until is None else from_datetime(self.until), self.reason)


class _Name(msgspec.Struct, rename="camel"):
    namespace: str
    flow_id: str
    trigger_id: str | None = None


class _Named(_Order, kw_only=True):
    names: list[_Name]


class SwitchRoutes:
    """Implements BEY-041 over HTTP.

    Args:
        switches: The use cases.
        flows: Finds flows.
        triggers: Finds triggers.
        definitions: Flows as plain data.
        clock: The present, for time ranges.
        settings: Bounds.
    """

    def __init__(
        self,
        switches: SwitchService,
        flows: FlowService,
        triggers: TriggerService,
        definitions: FlowDefinitions,
        clock: Clock,
        settings: ApiSettings,
    ) -> None:
        self._switches = switches
        self._flows = flows
        self._triggers = triggers
        self._definitions = definitions
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}", "Switches")
        add, order, one, count = routes.add, json_body(schemas.SwitchOrder), schemas.Switch, schemas.BulkAnswer
        flow = "/flows/{namespace}/{flow_id}/switch"
        trigger = "/triggers/{namespace}/{flow_id}/{trigger_id}/switch"
        add("PUT", flow, self.set_flow, "switchFlow", answers=one, body=order)
        add("DELETE", flow, self.release_flow, "releaseFlow", status=204)
        add("PUT", trigger, self.set_trigger, "switchTrigger", answers=one, body=order)
        add("DELETE", trigger, self.release_trigger, "releaseTrigger", status=204)
        add("POST", "/switches/by-names", self.set_named, "switchByNames", answers=count,
            body=json_body(schemas.SwitchNames))  # fmt: skip
        add("POST", "/flows/switch/by-query", self.set_flows, "switchFlowsByQuery", answers=count, body=order,
            parameters=FILTERS)  # fmt: skip
        add("POST", "/triggers/switch/by-query", self.set_triggers, "switchTriggersByQuery", answers=count, body=order,
            parameters=FILTERS)  # fmt: skip
        return routes.router

    async def set_flow(self, request: Request, tenant: str, namespace: str, flow_id: str) -> Response:
        """Enable, disable or pause a flow on this instance, whatever its source says."""
        return await self._set(request, tenant, (namespace, flow_id, ""))

    async def set_trigger(
        self, request: Request, tenant: str, namespace: str, flow_id: str, trigger_id: str
    ) -> Response:
        """Enable, disable or pause a trigger on this instance, whatever its flow's source says."""
        return await self._set(request, tenant, (namespace, flow_id, trigger_id))

    async def release_flow(self, tenant: str, namespace: str, flow_id: str) -> Response:
        """Let a flow be what its source says again."""
        await self._switches.release(tenant, [(namespace, flow_id, "")])
        return no_content()

    async def release_trigger(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> Response:
        """Let a trigger be what its flow's source says again."""
        await self._switches.release(tenant, [(namespace, flow_id, trigger_id)])
        return no_content()

    async def set_named(self, request: Request, tenant: str) -> Response:
        """Enable, disable or pause several flows and triggers, or let them be what their sources say (`state` null)."""
        wanted = await read_json(request, self._settings, _Named)
        names = [(one.namespace, one.flow_id, one.trigger_id or "") for one in wanted.names]
        return await self._set_all(request, tenant, names, wanted)

    async def set_flows(self, request: Request, tenant: str) -> Response:
        """Enable, disable or pause all flows a query finds, or let them be what their sources say (`state` null)."""
        wanted = await read_json(request, self._settings, _Order)
        found = await self._flows.matching(tenant, filters_of(request.query_params.multi_items(), self._clock.now()))
        return await self._set_all(request, tenant, [(*name, "") for name in found], wanted)

    async def set_triggers(self, request: Request, tenant: str) -> Response:
        """Enable, disable or pause all triggers a query finds, or let them be what their sources say (`state` null)."""
        wanted = await read_json(request, self._settings, _Order)
        filters = filters_of(request.query_params.multi_items(), self._clock.now())
        names = [name async for name in self._triggers.names(tenant, filters)]
        return await self._set_all(request, tenant, names, wanted)

    async def _set(self, request: Request, tenant: str, name: SwitchName) -> Response:
        order = (await read_json(request, self._settings, _Order)).order
        if order is None:
            raise InvalidRequestError("`state` is missing", hint="to let the source count again, use DELETE")
        (switch,) = await self._switches.set(tenant, [name], order, username_of(request))
        return JsonAnswer(await self._rendered(switch))

    async def _set_all(self, request: Request, tenant: str, names: Sequence[SwitchName], wanted: _Order) -> Response:
        order = wanted.order
        if order is None:
            await self._switches.release(tenant, names)
        else:
            await self._switches.set(tenant, names, order, username_of(request))
        return JsonAnswer({"count": len(names)})

    async def _rendered(self, switch: Switch) -> dict[str, object]:
        flow = await self._flows.get(switch.tenant, switch.namespace, switch.flow_id)
        if not switch.trigger_id:
            return render_switch(switch, is_off=flow.disabled)
        triggers = triggers_of(self._definitions.of(flow))
        definition = next((one for one in triggers if one.get("id") == switch.trigger_id), None)
        return render_switch(switch, is_off=is_off(definition))
