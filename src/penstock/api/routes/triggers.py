"""Triggers: list, disable, unlock, delete, backfills (API-102)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, attachment, paged
from penstock.api.bodies import decode_json, read_body, read_json
from penstock.api.middleware import username_of
from penstock.api.render.switches import is_off, with_hold, with_switch
from penstock.api.render.triggers import render_trigger, render_trigger_row
from penstock.api.routes.table import FILTERS, PAGE, Handler, Routes, json_body, parameter
from penstock.api.search import FiltersBody, body_filters, filters_of, page_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock, from_datetime
from penstock.base.errors import ConflictError, NotFoundError
from penstock.ports.queries import Filter
from penstock.ports.switches import Switch, SwitchName
from penstock.ports.triggers import TriggerState
from penstock.services.executions import ExecutionService, Launch
from penstock.services.flows import FlowDefinitions, FlowService
from penstock.services.scheduler.backfill import Label
from penstock.services.switches import SwitchService
from penstock.services.tables import csv_text
from penstock.services.triggers import BackfillOrder, TriggerName, TriggerService

_COLUMNS = (
    *("namespace", "flowId", "triggerId", "disabled", "date", "nextExecutionDate", "executionId"),
    *("failures", "error", "updatedDate"),
)
Act = Callable[[str, TriggerName], Awaitable[object]]


class _Backfill(msgspec.Struct, rename="camel"):
    start: datetime
    end: datetime | None = None
    inputs: Mapping[str, Any] | None = None
    labels: Sequence[Label] | None = None

    @property
    def order(self) -> BackfillOrder:
        end = None if self.end is None else from_datetime(self.end)
        return BackfillOrder(from_datetime(self.start), end, self.inputs, self.labels or ())


class _Trigger(msgspec.Struct, rename="camel"):
    namespace: str
    flow_id: str
    trigger_id: str
    disabled: bool | None = None
    backfill: _Backfill | None = None

    @property
    def name(self) -> TriggerName:
        return (self.namespace, self.flow_id, self.trigger_id)


class _SetDisabled(msgspec.Struct):
    triggers: list[_Trigger]
    disabled: bool


class TriggerRoutes:
    """Implements API-050, API-102, ENG-285.

    Args:
        triggers: The use cases.
        flows: Reads the flows triggers belong to.
        switches: Knows what people say of triggers, apart from their sources (BEY-041).
        definitions: Flows as plain data.
        executions: Judges the inputs of backfills.
        clock: The present.
        settings: Bounds.
    """

    def __init__(
        self, triggers: TriggerService, flows: FlowService, switches: SwitchService, definitions: FlowDefinitions,
        executions: ExecutionService, clock: Clock, settings: ApiSettings,
    ) -> None:  # fmt: skip
        self._triggers = triggers
        self._flows = flows
        self._switches = switches
        self._definitions = definitions
        self._executions = executions
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/triggers", "Triggers")
        add = routes.add
        one = "/{namespace}/{flow_id}/{trigger_id}"
        add("PUT", "", self.update, "updateTrigger", answers=schemas.Trigger, body=json_body(schemas.TriggerChange))
        add("GET", "/search", self.search, "searchTriggers", answers=schemas.PagedTriggerRows,
            parameters=[*PAGE, *FILTERS])  # fmt: skip
        add("POST", "/set-disabled/by-triggers", self.set_disabled, "disabledTriggersByIds", answers=schemas.BulkAnswer,
            body=json_body(schemas.SetDisabled))  # fmt: skip
        self._add_bulk(routes)
        add("PUT", "/backfill/pause", self._one(self._triggers.pause_backfill), "pauseBackfill",
            answers=schemas.Trigger, body=json_body(schemas.TriggerChange),
            summary="Pause a backfill; the schedule goes on meanwhile")  # fmt: skip
        add("PUT", "/backfill/unpause", self._one(self._triggers.resume_backfill), "unpauseBackfill",
            answers=schemas.Trigger, body=json_body(schemas.TriggerChange),
            summary="Let a paused backfill go on")  # fmt: skip
        add("POST", "/backfill/delete", self._one(self._triggers.delete_backfill), "deleteBackfill",
            answers=schemas.Trigger, body=json_body(schemas.TriggerChange),
            summary="Run no more dates of a backfill")  # fmt: skip
        add("GET", "/{namespace}/{flow_id}", self.of_flow, "searchTriggersForFlow", answers=schemas.PagedTriggers,
            parameters=[*PAGE, parameter("q")])  # fmt: skip
        add("DELETE", one, self.delete, "deleteTrigger", status=204)
        add("POST", one + "/restart", self.restart, "restartTrigger", answers=schemas.Trigger)
        add("GET", "/export/by-query/csv", self.export, "exportTriggers", kind="text/csv", parameters=FILTERS)
        add("POST", one + "/unlock", self.unlock, "unlockTrigger", answers=schemas.Trigger)
        return routes.router

    def _add_bulk(self, routes: Routes) -> None:
        """Declare what can be done to several triggers at once: named in the body, or found by a query."""
        triggers = self._triggers
        for method, path, act, by_names, by_query, summary in (
            (
                "POST",
                "/unlock",
                triggers.unlock,
                "unlockTriggersByIds",
                "unlockTriggersByQuery",
                "Unlock several triggers",
            ),
            (
                "DELETE",
                "/delete",
                triggers.delete,
                "deleteTriggersByIds",
                "deleteTriggersByQuery",
                "Forget the states of several triggers",
            ),
            (
                "POST",
                "/backfill/pause",
                triggers.pause_backfill,
                "pauseBackfillByIds",
                "pauseBackfillByQuery",
                "Pause the backfills of several triggers",
            ),
            (
                "POST",
                "/backfill/unpause",
                triggers.resume_backfill,
                "unpauseBackfillByIds",
                "unpauseBackfillByQuery",
                "Let the backfills of several triggers go on",
            ),
            (
                "POST",
                "/backfill/delete",
                triggers.delete_backfill,
                "deleteBackfillByIds",
                "deleteBackfillByQuery",
                "Delete the backfills of several triggers",
            ),
        ):
            routes.add(method, f"{path}/by-triggers", self._named(act), by_names, answers=schemas.BulkAnswer,
                       body=json_body(schemas.TriggerChange, several=True), summary=summary)  # fmt: skip
            routes.add(method, f"{path}/by-query", self._found(act), by_query, answers=schemas.BulkAnswer,
                       parameters=FILTERS, summary=summary)  # fmt: skip
        routes.add("POST", "/set-disabled/by-query", self.set_disabled_found, "disabledTriggersByQuery",
                   answers=schemas.BulkAnswer,
                   parameters=[*FILTERS, parameter("disabled", {"type": "boolean", "default": True})])  # fmt: skip

    def _one(self, act: Callable[[str, TriggerName], Awaitable[TriggerState]]) -> Handler:
        async def handle(request: Request, tenant: str) -> Response:
            wanted = await read_json(request, self._settings, _Trigger)
            return JsonAnswer(render_trigger(await act(tenant, wanted.name), self._clock.now()))

        return handle

    def _named(self, act: Act) -> Handler:
        async def handle(request: Request, tenant: str) -> Response:
            wanted = await read_json(request, self._settings, list[_Trigger])
            return JsonAnswer({"count": await _each(act, tenant, [one.name for one in wanted])})

        return handle

    def _found(self, act: Act) -> Handler:
        async def handle(request: Request, tenant: str) -> Response:
            return JsonAnswer({"count": await _each(act, tenant, await self._names(request, tenant))})

        return handle

    async def _states(self, request: Request, tenant: str) -> list[TriggerState]:
        filters = filters_of(request.query_params.multi_items(), self._clock.now())
        body = await read_body(request, self._settings)
        if body.strip():  # the official client sends the filters of a deletion here
            filters += body_filters(decode_json(body, FiltersBody).filters or (), self._clock.now())
        return [state async for state in self._triggers.found(tenant, filters)]

    async def _names(self, request: Request, tenant: str) -> list[TriggerName]:
        return [state.key[1:] for state in await self._states(request, tenant)]

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of triggers with their definitions."""
        pairs = request.query_params.multi_items()
        page = await self._triggers.search(tenant, filters_of(pairs, self._clock.now()), page_of(pairs))
        return paged(await self._rows(tenant, page.results), page.total)

    async def _rows(self, tenant: str, states: Sequence[TriggerState]) -> list[dict[str, Any]]:
        said = await self._switches.of_flows(tenant, sorted({state.key[1:3] for state in states}))
        return [await self._row(state, said) for state in states]

    async def _row(self, state: TriggerState, said: Mapping[SwitchName, Switch]) -> dict[str, Any]:
        try:
            flow = await self._flows.get(state.tenant, state.namespace, state.flow_id)
        except NotFoundError:
            return self._with_definition(state, None, said)
        row = self._with_definition(state, self._definitions.trigger(flow, state.trigger_id), said)
        held = with_hold(row["triggerContext"], flow, said.get((flow.namespace, flow.id, "")))
        return row | {"triggerContext": held}

    def _with_definition(
        self, state: TriggerState, definition: Mapping[str, Any] | None, said: Mapping[SwitchName, Switch]
    ) -> dict[str, Any]:
        row = render_trigger_row(state, definition, self._clock.now())
        context = with_switch(row["triggerContext"], said.get(state.key[1:]), is_off=is_off(definition))
        return row | {"triggerContext": context}

    async def of_flow(self, request: Request, tenant: str, namespace: str, flow_id: str) -> Response:
        """Return a page of the states of one flow's triggers."""
        pairs = request.query_params.multi_items()
        filters = [Filter("namespace", "EQUALS", namespace), Filter("flowId", "EQUALS", flow_id)]
        query = request.query_params.get("q")
        if query:
            filters.append(Filter("q", "EQUALS", query))
        page = await self._triggers.search(tenant, filters, page_of(pairs))
        return paged([row["triggerContext"] for row in await self._rows(tenant, page.results)], page.total)

    async def update(self, request: Request, tenant: str) -> Response:
        """Switch a trigger off or on, order a backfill, or both."""
        wanted = await read_json(request, self._settings, _Trigger)
        if wanted.backfill is not None:
            await self._check_inputs(tenant, wanted.name, wanted.backfill.inputs)
            await self._triggers.order_backfill(tenant, wanted.name, wanted.backfill.order)
        if wanted.disabled is not None:
            await self._triggers.set_disabled(tenant, wanted.name, wanted.disabled, username_of(request))
        return JsonAnswer(render_trigger(await self._triggers.get(tenant, wanted.name), self._clock.now()))

    async def _check_inputs(self, tenant: str, name: TriggerName, given: Mapping[str, Any] | None) -> None:
        """Refuse at once what would keep each execution of a backfill from beginning."""
        if given:
            await self._triggers.get(tenant, name)
            await self._executions.check_given(Launch(tenant, name[0], name[1], inputs=given))

    async def set_disabled(self, request: Request, tenant: str) -> Response:
        """Switch several triggers off or on."""
        wanted = await read_json(request, self._settings, _SetDisabled)
        for trigger in wanted.triggers:
            await self._triggers.set_disabled(tenant, trigger.name, wanted.disabled, username_of(request))
        return JsonAnswer({"count": len(wanted.triggers)})

    async def set_disabled_found(self, request: Request, tenant: str) -> Response:
        """Switch all triggers a query finds off or on."""
        disabled = request.query_params.get("disabled", "true").lower() != "false"
        names = await self._names(request, tenant)
        for name in names:
            await self._triggers.set_disabled(tenant, name, disabled, username_of(request))
        return JsonAnswer({"count": len(names)})

    async def restart(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> Response:
        """Let a trigger begin anew, whatever it waits for or has failed at."""
        state = await self._triggers.restart(tenant, (namespace, flow_id, trigger_id))
        return JsonAnswer(render_trigger(state, self._clock.now()))

    async def export(self, request: Request, tenant: str) -> Response:
        """Return all triggers that meet the filters as CSV."""
        rows: list[Sequence[object]] = [_COLUMNS]
        for state in await self._states(request, tenant):
            trigger = render_trigger(state, self._clock.now())
            rows.append([trigger.get(column) for column in _COLUMNS])
        return Response(csv_text(rows), media_type="text/csv", headers=attachment("triggers.csv"))

    async def unlock(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> Response:
        """Let a trigger fire again although the execution it started seems to run still."""
        return JsonAnswer(
            render_trigger(await self._triggers.unlock(tenant, (namespace, flow_id, trigger_id)), self._clock.now())
        )

    async def delete(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> Response:
        """Forget the state of a trigger."""
        await self._triggers.delete(tenant, (namespace, flow_id, trigger_id))
        return Response(status_code=204)


async def _each(act: Act, tenant: str, names: Sequence[TriggerName]) -> int:
    """Do something to each trigger; returns to how many, those left out to which it does not apply."""
    count = 0
    for name in names:
        try:
            await act(tenant, name)
        except ConflictError:
            continue
        count += 1
    return count
