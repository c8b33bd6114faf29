"""Namespaces and what is set for all flows of one (API-105)."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, attachment, paged
from penstock.api.bodies import UPLOAD, read_body, read_json, read_upload
from penstock.api.errors import MalformedBodyError
from penstock.api.render.expressions import render_outcome
from penstock.api.render.namespaces import render_namespace
from penstock.api.routes.table import PAGE, TEXT, Routes, parameter
from penstock.api.search import page_of
from penstock.api.settings import ApiSettings
from penstock.base.errors import InvalidRequestError
from penstock.expressions.yaml_text import to_yaml
from penstock.model.scalars import plain
from penstock.model.yaml import read_yaml
from penstock.ports.namespaces import Namespace
from penstock.services.executions import NamespaceExpressions
from penstock.services.namespaces import NamespaceService

_BODY = {"application/json": {"schema": schemas.NamespaceSettings.model_json_schema(by_alias=True)}}
_PART = {"application/json": {"schema": schemas.Autocomplete.model_json_schema(by_alias=True)}}


class _Settings(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    id: str
    deleted: bool = False
    description: str | None = None
    variables: dict[str, Any] | None = None
    plugin_defaults: list[dict[str, Any]] | None = None


class _Part(msgspec.Struct):
    q: str | None = None
    ids: list[str] | None = None


class NamespaceRoutes:
    """Implements API-042, API-105 but for secrets, and UI-077.

    Args:
        namespaces: The use cases.
        expressions: Evaluates expressions over what a namespace gives its flows.
        settings: Bounds.
    """

    def __init__(self, namespaces: NamespaceService, expressions: NamespaceExpressions, settings: ApiSettings) -> None:
        self._namespaces = namespaces
        self._expressions = expressions
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/{tenant}/namespaces", "Namespaces")
        add, one, many = routes.add, schemas.Namespace, schemas.PagedNamespaces
        existing = parameter(
            "existing", {"type": "boolean", "default": False}, text="Without those that only lie above."
        )
        add("GET", "/search", self.search, "searchNamespaces", answers=many,
            parameters=[parameter("q"), existing, *PAGE])  # fmt: skip
        add("POST", "/autocomplete", self.complete, "autocompleteNamespaces", answers=list[str], body=_PART)
        add("POST", "", self.create, "createNamespace", answers=one, body=_BODY)
        add("GET", "/{namespace}/inherited-variables", self.variables, "inheritedVariables", answers=dict[str, Any])
        add("GET", "/{namespace}/inherited-plugindefaults", self.defaults, "inheritedPluginDefaults",
            answers=list[schemas.InheritedPluginDefault])  # fmt: skip
        add("POST", "/{namespace}/plugindefaults/export", self.export_defaults, "exportPluginDefaults",
            kind="application/x-yaml")  # fmt: skip
        add("POST", "/{namespace}/plugindefaults/import", self.import_defaults, "importPluginDefaults",
            answers=list[str], body=UPLOAD)  # fmt: skip
        add("POST", "/{namespace}/eval", self.evaluate, "evalNamespaceExpression", answers=schemas.EvalResult,
            body=TEXT)  # fmt: skip
        add("GET", "/{namespace}", self.get, "namespace", answers=one)
        add("PUT", "/{namespace}", self.update, "updateNamespace", answers=one, body=_BODY)
        add("DELETE", "/{namespace}", self.delete, "deleteNamespace", status=204)
        return routes.router

    async def search(self, request: Request, tenant: str) -> Response:
        """Return a page of namespaces whose name contains a text."""
        query = request.query_params
        page = page_of(query.multi_items())
        existing = query.get("existing", "").lower() == "true"
        found = await self._namespaces.search(tenant, query.get("q", ""), existing=existing)
        if page.sort and not page.sort[0][1]:
            found.reverse()
        first = (page.page - 1) * page.size
        return paged([render_namespace(one) for one in found[first : first + page.size]], len(found))

    async def complete(self, request: Request, tenant: str) -> Response:
        """Return the names that contain a text, or those of a list that exist."""
        wanted = await read_json(request, self._settings, _Part)
        names = await self._namespaces.names(tenant)
        text = (wanted.q or "").lower()
        return JsonAnswer([name for name in names if text in name.lower() and (not wanted.ids or name in wanted.ids)])

    async def create(self, request: Request, tenant: str) -> Response:
        """Set something for a namespace that has no settings yet."""
        return JsonAnswer(render_namespace(await self._namespaces.create(await self._read(request, tenant))))

    async def get(self, tenant: str, namespace: str) -> Response:
        """Return a namespace with its own settings."""
        return JsonAnswer(render_namespace(await self._namespaces.get(tenant, namespace)))

    async def update(self, request: Request, tenant: str, namespace: str) -> Response:
        """Replace the settings of a namespace."""
        wanted = await self._read(request, tenant)
        if wanted.id != namespace:
            raise InvalidRequestError(
                f"the settings are those of namespace {wanted.id}, not of {namespace}",
                hint="write the same name in the path and in `id`",
            )
        return JsonAnswer(render_namespace(await self._namespaces.put(wanted)))

    async def delete(self, tenant: str, namespace: str) -> Response:
        """Forget the settings of a namespace; its flows, pairs and files stay."""
        await self._namespaces.delete(tenant, namespace)
        return Response(status_code=204)

    async def evaluate(self, request: Request, tenant: str, namespace: str) -> Response:
        """Evaluate an expression over variables, pairs and secrets of a namespace; a secret shows as a mask."""
        text = (await read_body(request, self._settings)).decode("utf-8", "replace")
        return JsonAnswer(render_outcome(await self._expressions.evaluate(tenant, namespace, text)))

    async def variables(self, tenant: str, namespace: str) -> Response:
        """Return the variables that a namespace has from those above it; what is nearer wins."""
        above = await self._namespaces.inherited(tenant, namespace)
        return JsonAnswer({key: value for one in reversed(above) for key, value in one.variables.items()})

    async def defaults(self, tenant: str, namespace: str) -> Response:
        """Return the plugin defaults that a namespace has from those above it, nearest first."""
        return JsonAnswer(
            [
                {"namespace": one.id, **entry}
                for one in await self._namespaces.inherited(tenant, namespace)
                for entry in one.plugin_defaults
            ]
        )

    async def export_defaults(self, tenant: str, namespace: str) -> Response:
        """Return the plugin defaults of a namespace as YAML."""
        found = await self._namespaces.get(tenant, namespace)
        text = to_yaml([dict(entry) for entry in found.plugin_defaults])
        return Response(text, media_type="application/x-yaml", headers=attachment(f"{namespace}.yml"))

    async def import_defaults(self, request: Request, tenant: str, namespace: str) -> Response:
        """Replace the plugin defaults of a namespace by those of a YAML file; the answer names their types."""
        data = read_yaml((await read_upload(request, self._settings)).content.decode("utf-8-sig", "replace")).data
        entries = data.get("pluginDefaults") if isinstance(data, dict) else data
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise MalformedBodyError("the file is no list of plugin defaults", hint="each has a `type` and `values`")
        stored = await self._namespaces.set_defaults(tenant, namespace, plain(entries))
        return JsonAnswer([entry["type"] for entry in stored.plugin_defaults])

    async def _read(self, request: Request, tenant: str) -> Namespace:
        wanted = await read_json(request, self._settings, _Settings)
        return Namespace(
            tenant, wanted.id, wanted.description, wanted.variables or {}, tuple(wanted.plugin_defaults or ())
        )
