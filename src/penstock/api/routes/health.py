"""Health and metrics, for probes and scrapers (OPS-136, OPS-137, MIG-067)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from penstock.api.answers import JsonAnswer
from penstock.api.routes.table import Routes
from penstock.services.health import Health, HealthService
from penstock.services.metrics import Published


class HealthRoutes:
    """Implements OPS-136, OPS-137, MIG-067.

    Args:
        health: The checks.
        metrics: What is measured; None leaves `/prometheus` and `/metrics` out.
        details: Whether the answers tell more than up or down.
    """

    def __init__(self, health: HealthService, metrics: Published | None, *, details: bool) -> None:
        self._health = health
        self._metrics = metrics
        self._details = details

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("", "Health")
        routes.add("GET", "/health", self.health, "health", answers=dict[str, Any])
        routes.add("GET", "/health/liveness", self.liveness, "liveness", answers=dict[str, Any])
        routes.add("GET", "/health/readiness", self.readiness, "readiness", answers=dict[str, Any])
        if self._metrics is not None:
            routes.add("GET", "/prometheus", self.prometheus, "prometheus", kind="text/plain")
            routes.add("GET", "/metrics", self.names, "metrics", answers=dict[str, list[str]])
        return routes.router

    async def health(self) -> Response:
        """Say whether the server can do its work."""
        return self._answer(await self._health.readiness())

    async def liveness(self) -> Response:
        """Say whether the process answers."""
        return self._answer(self._health.liveness())

    async def readiness(self) -> Response:
        """Say whether requests can be served now."""
        return self._answer(await self._health.readiness())

    async def prometheus(self) -> Response:
        """Return what is measured, in the text format of Prometheus."""
        assert self._metrics is not None
        return Response(await self._metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def names(self) -> Response:
        """Return the names of what is measured."""
        assert self._metrics is not None
        return JsonAnswer({"names": await self._metrics.names()})

    def _answer(self, health: Health) -> Response:
        body: dict[str, Any] = {"name": "kestra", "status": "UP" if health.is_up else "DOWN"}
        if self._details and health.details:
            body["details"] = health.details
        return JsonAnswer(body, status_code=200 if health.is_up else 503)
