"""Blueprints that people write themselves (API-111)."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content, paged
from penstock.api.bodies import read_json
from penstock.api.render.instants import iso
from penstock.api.routes.table import PAGE, Routes, json_body, parameter
from penstock.api.search import cut, page_of
from penstock.api.settings import ApiSettings
from penstock.services.blueprints import OwnBlueprint, OwnBlueprints

_TAGS = parameter("tags", {"type": "array", "items": {"type": "string"}})


class _Blueprint(msgspec.Struct):
    title: str
    source: str
    description: str | None = None
    tags: list[str] | None = None


class _Arguments(msgspec.Struct, rename="camel"):
    template_arguments_inputs: dict[str, Any] | None = None


class _Draft(_Arguments, rename="camel"):
    source: str = ""


class OwnBlueprintRoutes:
    """Implements API-111 for one's own blueprints, by their present paths and those of older clients.

    Args:
        blueprints: The use cases.
        settings: Bounds.
    """

    def __init__(self, blueprints: OwnBlueprints, settings: ApiSettings) -> None:
        self._blueprints = blueprints
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes; those with fixed words stand before those with names in the same place."""
        routes = Routes("/api/v1/{tenant}/blueprints", "Blueprints")
        add, one, body = routes.add, schemas.OwnBlueprint, json_body(schemas.BlueprintToKeep)
        add("GET", "/custom", self.search, "searchInternalBlueprints", answers=schemas.PagedOwnBlueprints,
            parameters=[*PAGE, parameter("q"), _TAGS])  # fmt: skip
        add("GET", "/custom/tags", self.tags, "internalBlueprintTags", answers=list[str], parameters=[parameter("q")])
        add("GET", "/custom/{id}/source", self.source, "internalBlueprintFlow", kind="application/yaml")
        add("POST", "/flows/{id}/use-template", self.use, "useBlueprintTemplate", answers=schemas.GeneratedFlow,
            body=json_body(schemas.TemplateArguments))  # fmt: skip
        add("POST", "/flows/preview", self.preview, "previewBlueprintTemplate", answers=schemas.GeneratedFlow,
            body=json_body(schemas.BlueprintDraft))  # fmt: skip
        add("GET", "/flow/{id}", self.get, "flowBlueprint", answers=one)
        for place, create, get, update, delete in (
            ("/flows", "createFlowBlueprint", "flowBlueprintById", "updateFlowBlueprint", "deleteFlowBlueprints"),
            (
                "/custom",
                "createInternalBlueprints",
                "internalBlueprint",
                "updateInternalBlueprints",
                "deleteInternalBlueprints",
            ),
        ):
            add("POST", place, self.create, create, answers=one, body=body)
            add("GET", place + "/{id}", self.get, get, answers=one)
            add("PUT", place + "/{id}", self.update, update, answers=one, body=body)
            add("DELETE", place + "/{id}", self.delete, delete, status=204)
        return routes.router

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of one's own blueprints."""
        query = request.query_params
        page = page_of(query.multi_items())
        wanted = [tag for text in query.getlist("tags") for tag in text.split(",") if tag]
        found = await self._blueprints.search(tenant, query.get("q", ""), wanted)
        if page.sort and not page.sort[0][1]:
            found.reverse()
        return paged([_told(one) for one in cut(found, page)], len(found))

    async def tags(self, request: Request, tenant: str) -> Response:
        """Return the tags of one's own blueprints."""
        return JsonAnswer(await self._blueprints.tags(tenant, request.query_params.get("q", "")))

    async def create(self, request: Request, tenant: str) -> Response:
        """Keep a flow, or a template of flows, as a blueprint."""
        wanted = await read_json(request, self._settings, _Blueprint)
        made = await self._blueprints.create(tenant, wanted.title, wanted.source, wanted.description, wanted.tags or ())
        return JsonAnswer(_whole(made))

    async def get(self, tenant: str, id: str) -> Response:  # noqa: A002
        """Return a blueprint of one's own, with its source and what it asks of who uses it."""
        return JsonAnswer(_whole(await self._blueprints.get(tenant, id)))

    async def source(self, tenant: str, id: str) -> Response:  # noqa: A002
        """Return the source of a blueprint of one's own as YAML."""
        return Response((await self._blueprints.get(tenant, id)).source, media_type="application/yaml")

    async def update(self, request: Request, tenant: str, id: str) -> Response:  # noqa: A002
        """Replace a blueprint of one's own."""
        wanted = await read_json(request, self._settings, _Blueprint)
        changed = await self._blueprints.update(
            tenant, id, wanted.title, wanted.source, wanted.description, wanted.tags or ()
        )
        return JsonAnswer(_whole(changed))

    async def delete(self, tenant: str, id: str) -> Response:  # noqa: A002
        """Delete a blueprint of one's own; flows that were made of it stay."""
        await self._blueprints.delete(tenant, id)
        return no_content()

    async def use(self, request: Request, tenant: str, id: str) -> Response:  # noqa: A002
        """Return the flow that a blueprint makes of arguments; it is not stored."""
        wanted = await read_json(request, self._settings, _Arguments)
        source = await self._blueprints.used(tenant, id, wanted.template_arguments_inputs or {})
        return JsonAnswer({"generatedFlowSource": source})

    async def preview(self, request: Request, tenant: str) -> Response:
        """Return the flow that the text of a blueprint makes of arguments; nothing is stored."""
        draft = await read_json(request, self._settings, _Draft)
        source = self._blueprints.made(tenant, draft.source, draft.template_arguments_inputs or {})
        return JsonAnswer({"generatedFlowSource": source})


def _told(one: OwnBlueprint) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": one.id,
        "title": one.title,
        "tags": list(one.tags),
        "includedTasks": one.included,
        "publishedAt": iso(one.published),
        "deleted": False,
    }
    if one.description is not None:
        body["description"] = one.description
    if one.arguments is not None:
        arguments = {argument.get("id"): argument for argument in one.arguments}
        body["template"] = {"source": one.source, "templateArguments": arguments}
    return body


def _whole(one: OwnBlueprint) -> dict[str, Any]:
    # Older clients read the source as `flow`.
    return {**_told(one), "source": one.source, "flow": one.source, "kind": "FLOW"}
