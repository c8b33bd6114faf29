"""Concurrency limits of flows and how full they are (a part of API-100)."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, paged
from penstock.api.bodies import read_json
from penstock.api.routes.table import PAGE, Routes
from penstock.api.search import page_of
from penstock.api.settings import ApiSettings
from penstock.base.errors import ConflictError
from penstock.services.concurrency import ConcurrencyLimit, ConcurrencyLimits


class _Limit(msgspec.Struct):
    running: int


class ConcurrencyRoutes:
    """Implements the `concurrency-limit` endpoints of API-100, ENG-255.

    Args:
        limits: Reads limits.
        settings: Bounds.
    """

    def __init__(self, limits: ConcurrencyLimits, settings: ApiSettings) -> None:
        self._limits = limits
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/concurrency-limit", "Flows")
        routes.add("GET", "/search", self.search, "searchConcurrencyLimits", answers=schemas.PagedConcurrencyLimits,
                   parameters=PAGE)  # fmt: skip
        routes.add("PUT", "/{namespace}/{flow_id}", self.update, "updateConcurrencyLimit",
                   answers=schemas.ConcurrencyLimit)  # fmt: skip
        return routes.router

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of the flows with a concurrency limit, and how many executions run and wait."""
        page = page_of(request.query_params.multi_items())
        found = await self._limits.all(tenant)
        first = (page.page - 1) * page.size
        return paged([_render(one) for one in found[first : first + page.size]], len(found))

    async def update(self, request: Request, tenant: str, namespace: str, flow_id: str) -> Response:
        """Confirm how many executions of a flow run; another number is refused, since it is counted, not kept."""
        wanted = await read_json(request, self._settings, _Limit)
        found = await self._limits.of(tenant, namespace, flow_id)
        if wanted.running != found.running:
            raise ConflictError(
                f"{found.running} executions of flow {namespace}.{flow_id} run, not {wanted.running}",
                hint="the number is counted from the executions themselves; kill or force-run executions to change it",
            )
        return JsonAnswer(_render(found))


def _render(limit: ConcurrencyLimit) -> dict[str, Any]:
    body: dict[str, Any] = {
        "tenantId": limit.tenant,
        "namespace": limit.namespace,
        "flowId": limit.flow_id,
        "running": limit.running,
        "queued": limit.queued,
        "behavior": limit.behavior,
    }
    if limit.limit is not None:
        body["limit"] = limit.limit
    if limit.pool is not None:
        body["pool"] = limit.pool
    return body
