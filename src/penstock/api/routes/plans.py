"""What saving, importing, switching or deleting flows would do (BEY-040)."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.bodies import UPLOAD, read_flow_names, read_text, read_upload
from penstock.api.render.instants import iso
from penstock.api.routes.table import FILTERS, YAML, Handler, Routes, json_body
from penstock.api.search import filters_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.services.archives import SourceFile
from penstock.services.flow_plans import FlowChange, FlowPlan, FlowPlanner
from penstock.services.flows import FlowService


class PlanRoutes:
    """Implements the part of BEY-040 that is in the API.

    Args:
        planner: The use case.
        flows: Finds flows.
        clock: The present, for time ranges.
        settings: Bounds.
    """

    def __init__(self, planner: FlowPlanner, flows: FlowService, clock: Clock, settings: ApiSettings) -> None:
        self._planner = planner
        self._flows = flows
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/flows", "Flows")
        plans, several = list[schemas.FlowPlan], json_body(schemas.FlowFilter, several=True)
        routes.add("POST", "/validate/plan", self.plan, "planFlows", answers=plans, body=YAML)
        routes.add("POST", "/import/plan", self.plan_import, "planImport", answers=plans, body=UPLOAD)
        for change in FlowChange:
            name, summary = change.value, f"Tell what it would do to {change} several flows"
            routes.add("POST", f"/{name}/plan/by-ids", self._named(change), f"plan{name.capitalize()}ByIds",
                       answers=plans, body=several, summary=summary)  # fmt: skip
            routes.add("POST", f"/{name}/plan/by-query", self._found(change), f"plan{name.capitalize()}ByQuery",
                       answers=plans, parameters=FILTERS, summary=summary)  # fmt: skip
        return routes.router

    async def plan(self, request: Request, tenant: str) -> Response:
        """Tell what saving flows would do, and when their triggers would fire next; nothing is stored."""
        return _answer(await self._planner.plan(tenant, await read_text(request, self._settings)))

    async def plan_import(self, request: Request, tenant: str) -> Response:
        """Tell what importing a YAML file or a ZIP archive of them would do; nothing is stored."""
        given = await read_upload(request, self._settings)
        return _answer(await self._planner.plan_file(tenant, SourceFile(given.name, given.content)))

    def _named(self, change: FlowChange) -> Handler:
        async def handle(request: Request, tenant: str) -> Response:
            names = await read_flow_names(request, self._settings)
            return _answer(await self._planner.plan_change(tenant, names, change))

        return handle

    def _found(self, change: FlowChange) -> Handler:
        async def handle(request: Request, tenant: str) -> Response:
            filters = filters_of(request.query_params.multi_items(), self._clock.now())
            names = await self._flows.matching(tenant, filters)
            return _answer(await self._planner.plan_change(tenant, names, change))

        return handle


def _answer(plans: Sequence[FlowPlan]) -> Response:
    return JsonAnswer([_rendered(one) for one in plans])


def _rendered(plan: FlowPlan) -> dict[str, object]:
    body: dict[str, object] = {
        "namespace": plan.namespace,
        "id": plan.id,
        "action": plan.action,
        "triggers": [
            {"id": each.id, "before": list(map(iso, each.before)), "after": list(map(iso, each.after))}
            for each in plan.triggers
        ],
    }
    return body if plan.problem is None else body | {"problem": plan.problem}
