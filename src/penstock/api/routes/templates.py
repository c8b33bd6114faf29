"""Templates of older flows (API-112); answered with 404 unless they are enabled."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, attachment, no_content, paged
from penstock.api.bodies import UPLOAD, read_json, read_text, read_upload
from penstock.api.render.flows import render_verdict
from penstock.api.routes.table import PAGE, YAML, Routes, json_body, parameter
from penstock.api.search import page_of
from penstock.api.settings import ApiSettings
from penstock.ports.flows import StoredFlow
from penstock.services.archives import SourceFile
from penstock.services.flows import FlowDefinitions
from penstock.services.templates import TemplateService

Name = dict[str, str]
Template = dict[str, Any]


class TemplateRoutes:
    """Implements API-112.

    Args:
        templates: The use cases.
        definitions: Templates as plain data.
        settings: Bounds.
    """

    def __init__(self, templates: TemplateService, definitions: FlowDefinitions, settings: ApiSettings) -> None:
        self._templates = templates
        self._definitions = definitions
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes; those with fixed words stand before those with names in the same place."""
        routes = Routes("/api/v1/{tenant}/templates", "Templates")
        add, one = routes.add, Template
        narrowing = [parameter("q"), parameter("namespace")]
        kept = parameter("delete", {"type": "boolean", "default": True}, text="Delete the namespace's other templates.")
        add("POST", "", self.create, "createTemplate", answers=one, body=YAML)
        add("POST", "/validate", self.validate, "validateTemplates", answers=list[schemas.Violation], body=YAML)
        add("POST", "/import", self.load, "importTemplates", answers=list[str], body=UPLOAD)
        add("POST", "/export/by-ids", self.export, "exportTemplatesByIds", kind="application/zip",
            body=json_body(schemas.FlowFilter, several=True))  # fmt: skip
        add("GET", "/export/by-query", self.export_found, "exportTemplatesByQuery", kind="application/zip",
            parameters=narrowing)  # fmt: skip
        add("POST", "/{namespace}", self.replace_all, "updateTemplatesInNamespace", answers=list[Template], body=YAML,
            parameters=[kept])  # fmt: skip
        add("GET", "/search", self.search, "searchTemplates", answers=one, parameters=[*PAGE, *narrowing])
        add("GET", "/distinct-namespaces", self.namespaces, "listTemplateDistinctNamespaces", answers=list[str])
        add("DELETE", "/delete/by-ids", self.delete_by_ids, "deleteTemplatesByIds", answers=schemas.BulkAnswer)
        add("DELETE", "/delete/by-query", self.delete_by_query, "deleteTemplatesByQuery", answers=schemas.BulkAnswer,
            parameters=narrowing)  # fmt: skip
        add("GET", "/{namespace}/{id}", self.get, "template", answers=one)
        add("PUT", "/{namespace}/{id}", self.update, "updateTemplate", answers=one, body=YAML)
        add("DELETE", "/{namespace}/{id}", self.delete, "deleteTemplate", status=204)
        return routes.router

    def _render(self, template: StoredFlow) -> dict[str, Any]:
        known = {**self._definitions.of(template), "tenantId": template.tenant, "revision": template.revision}
        return {**known, "deleted": template.deleted, "source": template.source}

    async def create(self, request: Request, tenant: str) -> Response:
        """Create a template from its YAML source."""
        source = await read_text(request, self._settings)
        return JsonAnswer(self._render(await self._templates.create(tenant, source)))

    async def validate(self, request: Request, tenant: str) -> Response:
        """Say what is wrong with templates, without storing them."""
        source = await read_text(request, self._settings)
        return JsonAnswer([render_verdict(verdict) for verdict in self._templates.check(tenant, source)])

    async def replace_all(
        self,
        request: Request,
        tenant: str,
        namespace: str,
        delete: bool = True,
    ) -> Response:
        """Replace the templates of a namespace by the documents of a YAML text."""
        text = await read_text(request, self._settings)
        stored = await self._templates.replace_all(tenant, namespace, text, delete=delete)
        return JsonAnswer([self._render(one) for one in stored])

    async def load(self, request: Request, tenant: str) -> Response:
        """Create or update the templates of a YAML file or a ZIP archive; the answer names those that are wrong."""
        given = await read_upload(request, self._settings)
        return JsonAnswer(await self._templates.load(tenant, SourceFile(given.name, given.content)))

    async def export(self, request: Request, tenant: str) -> Response:
        """Return the sources of several templates as a ZIP archive."""
        return await self._archive(tenant, await self._named(request))

    async def export_found(self, request: Request, tenant: str) -> Response:
        """Return the sources of the templates that a search finds as a ZIP archive."""
        found = await self._narrowed(request, tenant)
        return await self._archive(tenant, [(one.namespace, one.id) for one in found])

    async def _archive(self, tenant: str, names: list[tuple[str, str]]) -> Response:
        content = await self._templates.export(tenant, names)
        return Response(content, media_type="application/zip", headers=attachment("templates.zip"))

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of templates."""
        page = page_of(request.query_params.multi_items())
        found = await self._narrowed(request, tenant)
        first = (page.page - 1) * page.size
        return paged([self._render(one) for one in found[first : first + page.size]], len(found))

    async def namespaces(self, tenant: str) -> Response:
        """Return the namespaces that have templates."""
        return JsonAnswer(sorted({one.namespace for one in await self._templates.all(tenant)}))

    async def get(self, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Return a template."""
        return JsonAnswer(self._render(await self._templates.get(tenant, namespace, id)))

    async def update(self, request: Request, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Replace a template's source."""
        source = await read_text(request, self._settings)
        return JsonAnswer(self._render(await self._templates.update(tenant, namespace, id, source)))

    async def delete(self, tenant: str, namespace: str, id: str) -> Response:  # noqa: A002
        """Delete a template."""
        await self._templates.delete(tenant, namespace, id)
        return no_content()

    async def delete_by_ids(self, request: Request, tenant: str) -> Response:
        """Delete the templates of a list."""
        return JsonAnswer({"count": await self._templates.delete_all(tenant, await self._named(request))})

    async def delete_by_query(self, request: Request, tenant: str) -> Response:
        """Delete the templates that a search finds."""
        found = await self._narrowed(request, tenant)
        wanted = [(one.namespace, one.id) for one in found]
        return JsonAnswer({"count": await self._templates.delete_all(tenant, wanted)})

    async def _named(self, request: Request) -> list[tuple[str, str]]:
        names = await read_json(request, self._settings, list[Name])
        return [(one.get("namespace", ""), one.get("id", "")) for one in names]

    async def _narrowed(self, request: Request, tenant: str) -> list[StoredFlow]:
        query = request.query_params
        return await self._templates.all(tenant, query.get("q", ""), query.get("namespace", ""))
