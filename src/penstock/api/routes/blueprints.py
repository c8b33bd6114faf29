"""Blueprints that come with the server (API-111)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, paged
from penstock.api.render.graphs import render_graph
from penstock.api.routes.table import PAGE, Routes, parameter
from penstock.api.search import cut, page_of
from penstock.base.errors import NotFoundError
from penstock.services.blueprints import Blueprint, BlueprintCatalogue, Kind
from penstock.services.graphs import GraphService

_TAGS = parameter("tags", {"type": "array", "items": {"type": "string"}})


class BlueprintRoutes:
    """Implements API-111 for the blueprints that come with the server.

    Args:
        blueprints: The catalogue.
        graphs: Draws those of flows.
    """

    def __init__(self, blueprints: BlueprintCatalogue, graphs: GraphService) -> None:
        self._blueprints = blueprints
        self._graphs = graphs

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/blueprints", "Blueprints")
        add, kind = routes.add, "/community/{kind}"
        add("GET", kind, self.search, "searchBlueprints", answers=schemas.PagedBlueprints,
            parameters=[*PAGE, parameter("q"), _TAGS])  # fmt: skip
        add("GET", f"{kind}/tags", self.tags, "listBlueprintTags", answers=list[schemas.BlueprintTag],
            parameters=[parameter("q")])  # fmt: skip
        add("GET", f"{kind}/{{id}}", self.get, "blueprint", answers=schemas.Blueprint)
        add("GET", f"{kind}/{{id}}/source", self.source, "blueprintSource", kind="application/yaml")
        add("GET", f"{kind}/{{id}}/graph", self.graph, "blueprintGraph", answers=schemas.FlowGraph)
        return routes.router

    async def search(self, request: Request, tenant: str, kind: str) -> Response:
        """Return a page of blueprints."""
        query = request.query_params
        page = page_of(query.multi_items())
        wanted = [tag for text in query.getlist("tags") for tag in text.split(",") if tag]
        found = self._blueprints.search(_kind(kind), query.get("q", ""), wanted)
        if page.sort and not page.sort[0][1]:
            found.reverse()
        return paged([_told(one) for one in cut(found, page)], len(found))

    async def tags(self, request: Request, tenant: str, kind: str) -> Response:
        """Return the tags of blueprints."""
        tags = self._blueprints.tags(_kind(kind), request.query_params.get("q", ""))
        return JsonAnswer([{"id": tag, "name": tag} for tag in tags])

    async def get(self, tenant: str, kind: str, id: str) -> Response:  # noqa: A002
        """Return a blueprint with its source."""
        found = self._blueprints.get(_kind(kind), id)
        return JsonAnswer({**_told(found), "source": found.source, "kind": found.kind.value})

    async def source(self, tenant: str, kind: str, id: str) -> Response:  # noqa: A002
        """Return the source of a blueprint as YAML."""
        return Response(self._blueprints.get(_kind(kind), id).source, media_type="application/yaml")

    async def graph(self, tenant: str, kind: str, id: str) -> Response:  # noqa: A002
        """Return the graph of a flow's blueprint."""
        found = self._blueprints.get(_kind(kind), id)
        if found.kind is not Kind.FLOW:
            raise NotFoundError(f"a {found.kind.value.lower()} has no graph")
        return JsonAnswer(render_graph(await self._graphs.of_source(tenant, found.source)))


def _kind(text: str) -> Kind:
    try:
        return Kind(text.upper())
    except ValueError as error:
        raise NotFoundError(f"there is no kind `{text}` of blueprints", hint=f"one of {', '.join(Kind)}") from error


def _told(one: Blueprint) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "description": one.description,
        "tags": list(one.tags),
        "includedTasks": list(one.included),
    }
