"""What saving flows would do (BEY-040)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.bodies import read_text
from penstock.api.render.instants import iso
from penstock.api.routes.table import YAML, Routes
from penstock.api.settings import ApiSettings
from penstock.services.flow_plans import FlowPlanner


class PlanRoutes:
    """Implements the part of BEY-040 that is in the API.

    Args:
        planner: The use case.
        settings: Bounds.
    """

    def __init__(self, planner: FlowPlanner, settings: ApiSettings) -> None:
        self._planner = planner
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the route."""
        routes = Routes("/api/v1/{tenant}/flows", "Flows")
        routes.add("POST", "/validate/plan", self.plan, "planFlows", answers=list[schemas.FlowPlan], body=YAML)
        return routes.router

    async def plan(self, request: Request, tenant: str) -> Response:
        """Tell what saving flows would do, and when their triggers would fire next; nothing is stored."""
        plans = await self._planner.plan(tenant, await read_text(request, self._settings))
        return JsonAnswer(
            [
                {
                    "namespace": one.namespace,
                    "id": one.id,
                    "action": one.action,
                    "triggers": [
                        {"id": each.id, "before": list(map(iso, each.before)), "after": list(map(iso, each.after))}
                        for each in one.triggers
                    ],
                }
                for one in plans
            ]
        )
