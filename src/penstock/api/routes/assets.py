"""Assets: what flows use and make (API-121)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content, paged
from penstock.api.bodies import read_json, read_text
from penstock.api.render.instants import iso
from penstock.api.routes.table import FILTERS, PAGE, YAML, Routes, parameter
from penstock.api.search import filters_of, page_of
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock
from penstock.base.errors import NotFoundError
from penstock.ports.assets import Asset, AssetEvent, AssetUse
from penstock.ports.queries import Filter
from penstock.services.assets import AssetGraph, AssetService

_FLAG = {"type": "boolean", "default": False}
_IDS = {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}


class AssetRoutes:
    """Implements API-121.

    Args:
        assets: The use cases.
        clock: The present, for time ranges.
        settings: Bounds.
    """

    def __init__(self, assets: AssetService, clock: Clock, settings: ApiSettings) -> None:
        self._assets = assets
        self._clock = clock
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes; those with fixed words stand before those with names in the same place."""
        routes = Routes("/api/v1/{tenant}/assets", "Assets")
        add, one, counted = routes.add, schemas.Asset, schemas.BulkAnswer
        add("POST", "", self.put, "createAsset", answers=one, body=YAML)
        add("GET", "/search", self.search, "searchAssets", answers=schemas.PagedAssets, parameters=[*PAGE, *FILTERS])
        add("GET", "/usages/search", self.uses, "searchAssetUsages", answers=schemas.PagedAssetUses,
            parameters=[*PAGE, *FILTERS])  # fmt: skip
        add("GET", "/lineage-events/search", self.events, "searchAssetLineageEvents",
            answers=schemas.PagedAssetEvents, parameters=[*PAGE, *FILTERS])  # fmt: skip
        add("DELETE", "/by-ids", self.delete_by_ids, "deleteAssetsByIds", answers=counted, body=_IDS)
        add("DELETE", "/by-query", self.delete_by_query, "deleteAssetsByQuery", answers=counted,
            parameters=[parameter("purge", _FLAG, text="Remove them for good."), *FILTERS])  # fmt: skip
        add("DELETE", "/usages/by-query", self.delete_uses, "deleteAssetUsagesByQuery", answers=counted,
            parameters=FILTERS)  # fmt: skip
        add("DELETE", "/lineage-events/by-query", self.delete_events, "deleteAssetLineageEventsByQuery",
            answers=counted, parameters=FILTERS)  # fmt: skip
        add("GET", "/{id}/dependencies", self.around, "assetDependencies", answers=schemas.AssetGraph,
            parameters=[parameter("destinationOnly", _FLAG), parameter("expandAll", _FLAG)])  # fmt: skip
        add("GET", "/{id}", self.get, "asset", answers=one, parameters=[parameter("allowDeleted", _FLAG)])
        add("DELETE", "/{id}", self.delete, "deleteAsset", status=204)
        return routes.router

    async def put(self, request: Request, tenant: str) -> Response:
        """Create an asset from YAML, or replace it."""
        return JsonAnswer(_asset(await self._assets.put(tenant, await read_text(request, self._settings))))

    async def get(self, request: Request, tenant: str, id: str) -> Response:  # noqa: A002
        """Return an asset."""
        return JsonAnswer(_asset(await self._assets.get(tenant, id, deleted=_is_set(request, "allowDeleted"))))

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of assets."""
        found = await self._assets.search(tenant, self._filters(request), page_of(request.query_params.multi_items()))
        return paged([_asset(one) for one in found.results], found.total)

    async def uses(self, request: Request, tenant: str) -> Response:
        """Return a page of uses of assets, the latest first."""
        found = await self._assets.uses(tenant, self._filters(request), page_of(request.query_params.multi_items()))
        return paged([_use(one) for one in found.results], found.total)

    async def events(self, request: Request, tenant: str) -> Response:
        """Return a page of the task runs that used or made assets, the latest first."""
        found = await self._assets.events(tenant, self._filters(request), page_of(request.query_params.multi_items()))
        return paged([_event(one) for one in found.results], found.total)

    async def around(self, request: Request, tenant: str, id: str) -> Response:  # noqa: A002
        """Return what an asset is made of, and what is made of it, by which flows."""
        graph = await self._assets.around(
            tenant,
            id,
            destination_only=_is_set(request, "destinationOnly"),
            expand=_is_set(request, "expandAll"),
        )
        return JsonAnswer(_graph(graph))

    async def delete(self, tenant: str, id: str) -> Response:  # noqa: A002
        """Delete an asset; it can be read still by who asks for those that are deleted."""
        if not await self._assets.delete(tenant, [Filter("id", "EQUALS", id)]):
            raise NotFoundError(f"there is no asset {id}")
        return no_content()

    async def delete_by_ids(self, request: Request, tenant: str) -> Response:
        """Delete several assets."""
        ids = await read_json(request, self._settings, list[str])
        return _counted(await self._assets.delete(tenant, [Filter("id", "IN", ids)]) if ids else 0)

    async def delete_by_query(self, request: Request, tenant: str) -> Response:
        """Delete the assets that fit."""
        purge = _is_set(request, "purge")
        return _counted(await self._assets.delete(tenant, self._filters(request), purge=purge))

    async def delete_uses(self, request: Request, tenant: str) -> Response:
        """Forget the uses that fit."""
        return _counted(await self._assets.delete_uses(tenant, self._filters(request)))

    async def delete_events(self, request: Request, tenant: str) -> Response:
        """Forget the task runs that fit."""
        return _counted(await self._assets.delete_events(tenant, self._filters(request)))

    def _filters(self, request: Request) -> list[Filter]:
        return filters_of(request.query_params.multi_items(), self._clock.now())


def _is_set(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() == "true"


def _counted(count: int) -> Response:
    return JsonAnswer({"count": count})


def _asset(one: Asset) -> dict[str, Any]:
    texts = {"namespace": one.namespace or None, "displayName": one.display_name, "description": one.description}
    body = {"id": one.id, "type": one.type, **{key: value for key, value in texts.items() if value is not None}}
    dates = {"created": iso(one.created), "updated": iso(one.updated)}
    return {**body, "metadata": one.metadata, **dates, "deleted": one.deleted}


def _run(one: AssetUse | AssetEvent) -> dict[str, Any]:
    return {
        "namespace": one.namespace,
        "flowId": one.flow_id,
        "flowRevision": one.flow_revision,
        "executionId": one.execution_id,
        "taskId": one.task_id,
        "taskRunId": one.task_run_id,
        "created": iso(one.created),
    }


def _use(one: AssetUse) -> dict[str, Any]:
    return {"assetId": one.asset_id, **_run(one)}


def _event(one: AssetEvent) -> dict[str, Any]:
    ways = {"inputs": [{"id": asset_id} for asset_id in one.inputs]}
    ways["outputs"] = [{"id": asset_id} for asset_id in one.outputs]
    dates = {"startDate": iso(one.started), "endDate": iso(one.ended)}
    return {"uid": one.task_run_id, **_run(one), "state": one.state, **ways, **dates}


def _graph(graph: AssetGraph) -> dict[str, Any]:
    assets = [{"uid": f"asset:{one}", "id": one, "type": "ASSET"} for one in graph.assets]
    flows = [
        {"uid": f"flow:{namespace}.{flow_id}", "namespace": namespace, "id": flow_id, "type": "FLOW"}
        for namespace, flow_id in graph.flows
    ]
    edges = [{"source": source, "target": target} for source, target in graph.edges]
    return {"nodes": [*assets, *flows], "edges": edges}
