"""What the instance is used for (API-114)."""

from __future__ import annotations

from datetime import UTC, date, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, attachment
from penstock.api.render.instants import iso
from penstock.api.routes.table import Routes, parameter
from penstock.base.clock import Instant, from_datetime
from penstock.base.errors import InvalidRequestError
from penstock.services.instance import InstanceService
from penstock.services.usage import UsageService


class UsageRoutes:
    """Implements the `usages` and `stats` endpoints of API-114.

    Args:
        usage: The use cases.
        instance: Knows the instance's id.
    """

    def __init__(self, usage: UsageService, instance: InstanceService) -> None:
        self._usage = usage
        self._instance = instance

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}", "Instance")
        routes.add("GET", "/usages/all", self.usage, "allUsages", answers=schemas.Usage)
        routes.add("GET", "/stats/generate-reports", self.report, "generate", kind="application/zip",
                   parameters=[parameter("from", {"type": "string", "format": "date"})])  # fmt: skip
        return routes.router

    async def usage(self, tenant: str) -> Response:
        """Return how many flows there are, of what they are made, and how many executions began in thirty days."""
        flows, days = await self._usage.flows(tenant), await self._usage.executions(tenant)
        return JsonAnswer(
            {
                "uuid": await self._instance.uuid(),
                "flows": {
                    "count": flows.count,
                    "namespacesCount": flows.namespaces,
                    "taskTypeCount": flows.tasks,
                    "triggerTypeCount": flows.triggers,
                },
                "executions": {
                    "dailyExecutionsCount": [
                        {"startDate": iso(day), "groupBy": "day", "executionCounts": counts} for day, counts in days
                    ]
                },
            }
        )

    async def report(self, request: Request, tenant: str) -> Response:
        """Return tables of executions by day, flow and state, and of the types flows are made of, as a ZIP archive."""
        archive = await self._usage.report(tenant, _since(request.query_params.get("from")))
        return Response(archive, media_type="application/zip", headers=attachment("reports.zip"))


def _since(text: str | None) -> Instant | None:
    """Return the beginning of a day."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text[:10])
    except ValueError as error:
        raise InvalidRequestError(f"`from` is no date: `{text}`", hint="write one such as 2026-01-31") from error
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC))
