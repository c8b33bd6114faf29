"""Apps: this server keeps none, and says so to whoever reads them.

Clients list these things on their way to others, so that lists answer and are empty. Whoever names one is told that it
is not there.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, paged
from penstock.api.routes.table import PAGE, Routes, parameter
from penstock.base.errors import NotFoundError

_TAGS = parameter("tags", {"type": "array", "items": {"type": "string"}})
_OF_FLOW = [parameter("namespace"), parameter("flowId")]


class GovernanceRoutes:
    """Implements the read endpoints of API-120."""

    def router(self) -> APIRouter:
        """Return the routes; those with fixed words stand before those with names in the same place."""
        routes = Routes("/api/v1/{tenant}", "Apps")
        add, page, query = routes.add, schemas.PagedNothing, parameter("q")
        add("GET", "/apps/search", self.none, "searchApps", answers=page,
            parameters=[*PAGE, query, _TAGS, *_OF_FLOW], summary="Return a page of apps, which is empty")  # fmt: skip
        add("GET", "/apps/catalog", self.none, "searchAppsFromCatalog", answers=page,
            parameters=[*PAGE, query, _TAGS], summary="Return a page of the catalogue, which is empty")  # fmt: skip
        add("GET", "/apps/tags", self.tags, "listTags", answers=schemas.AppTags)
        add("GET", "/apps/{uid}", self.app, "app", answers=schemas.Nothing)
        return routes.router

    async def none(self, tenant: str) -> Response:
        """Return an empty page."""
        return paged([], 0)

    async def tags(self, tenant: str) -> Response:
        """Return the tags of apps; there are none."""
        return JsonAnswer({"tags": []})

    async def app(self, tenant: str, uid: str) -> Response:
        """Return an app; there are none."""
        raise NotFoundError(f"there is no app {uid}", hint="this server keeps no apps")
