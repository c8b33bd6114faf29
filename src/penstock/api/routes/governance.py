"""Apps and assets: this server keeps none of them, and says so to whoever reads them.

Clients list these things on their way to others, so that lists answer and are empty. Whoever names one is told that it
is not there.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, paged
from penstock.api.routes.table import FILTERS, PAGE, Routes, parameter
from penstock.base.errors import NotFoundError

_TAGS = parameter("tags", {"type": "array", "items": {"type": "string"}})
_OF_FLOW = [parameter("namespace"), parameter("flowId")]


class GovernanceRoutes:
    """Implements the read endpoints of API-120 and API-121."""

    def router(self) -> APIRouter:
        """Return the routes; those with fixed words stand before those with names in the same place."""
        routes = Routes("/api/v1/{tenant}", "Apps and assets")
        add, page, query = routes.add, schemas.PagedNothing, parameter("q")
        add("GET", "/apps/search", self.none, "searchApps", answers=page,
            parameters=[*PAGE, query, _TAGS, *_OF_FLOW], summary="Return a page of apps, which is empty")  # fmt: skip
        add("GET", "/apps/catalog", self.none, "searchAppsFromCatalog", answers=page,
            parameters=[*PAGE, query, _TAGS], summary="Return a page of the catalogue, which is empty")  # fmt: skip
        add("GET", "/apps/tags", self.tags, "listTags", answers=schemas.AppTags)
        add("GET", "/apps/{uid}", self.app, "app", answers=schemas.Nothing)
        for place, operation, what in (
            ("/assets/search", "searchAssets", "assets"),
            ("/assets/usages/search", "searchAssetUsages", "uses of assets"),
            ("/assets/lineage-events/search", "searchAssetLineageEvents", "events of the lineage of assets"),
        ):
            add("GET", place, self.none, operation, answers=page, parameters=[*PAGE, *FILTERS],
                summary=f"Return a page of {what}, which is empty")  # fmt: skip
        add("GET", "/assets/{id}", self.asset, "asset", answers=schemas.Nothing)
        add("GET", "/assets/{id}/dependencies", self.asset, "assetDependencies", answers=schemas.Nothing,
            summary="Return what depends on an asset; there are none")  # fmt: skip
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

    async def asset(self, tenant: str, id: str) -> Response:  # noqa: A002
        """Return an asset; there are none."""
        raise NotFoundError(f"there is no asset {id}", hint="this server keeps no assets")
