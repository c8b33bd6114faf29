"""What triggers wait for."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.render.triggers import render_expectation
from penstock.api.routes.table import Routes
from penstock.services.preconditions import PreconditionService


class PreconditionRoutes:
    """Implements BEY-006.

    Args:
        preconditions: The use case.
    """

    def __init__(self, preconditions: PreconditionService) -> None:
        self._preconditions = preconditions

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/triggers/{namespace}/{flow_id}/{trigger_id}", "Triggers")
        routes.add("GET", "/preconditions", self.get, "triggerPreconditions", answers=schemas.TriggerPreconditions)
        return routes.router

    async def get(self, tenant: str, namespace: str, flow_id: str, trigger_id: str) -> Response:
        """Return what a trigger on other flows waits for: what is met, by which execution, until when."""
        return JsonAnswer(render_expectation(await self._preconditions.get(tenant, (namespace, flow_id, trigger_id))))
