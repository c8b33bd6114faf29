"""Plugins: which types there are, their documentation and their schemas (API-046, API-110, UI-110)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.routes.table import Routes
from penstock.base.errors import NotFoundError
from penstock.model.input_types import BY_TYPE
from penstock.model.registry import TypeEntry, TypeKind
from penstock.services.plugins import PluginCatalogue, title_of

_UNIONS = {"TASK": "task", "TRIGGER": "trigger"}


class PluginRoutes:
    """Implements API-046, API-110 (catalogue, documentation, schemas), UI-110.

    Args:
        plugins: The use cases.
        version: The server's version.
    """

    def __init__(self, plugins: PluginCatalogue, version: str) -> None:
        self._plugins = plugins
        self._version = version

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1", "Plugins")
        add = routes.add
        add("GET", "/{tenant}/schemas/flow.json", self.flow_schema, "flowSchema", answers=dict[str, Any])
        add("GET", "/plugins", self.all, "listPlugins", answers=list[schemas.Plugin])
        add("GET", "/plugins/inputs", self.inputs, "allInputTypes", answers=list[dict[str, Any]])
        add("GET", "/plugins/schemas/{type}", self.schema, "schemasFromType", answers=dict[str, Any])
        add("GET", "/plugins/{cls}", self.page, "pluginDocumentation", answers=schemas.Documentation)
        return routes.router

    async def flow_schema(self, tenant: str) -> Response:
        """Return the JSON Schema of flows, for editors."""
        return JsonAnswer(await self._plugins.flow_schema(), headers={"Cache-Control": "private, max-age=60"})

    async def all(self) -> Response:
        """Return the plugins of this instance with their types."""
        plugins = []
        for name, entries in self._plugins.by_plugin().items():
            body: dict[str, Any] = {"name": name, "title": name, "group": name}
            if name == "penstock":
                body["version"] = self._version
            for kind in TypeKind:
                body[kind.value] = [_element(entry) for entry in entries if entry.kind is kind]
            body["aliases"] = [alias for entry in entries for alias in entry.aliases]
            plugins.append(body)
        return JsonAnswer(plugins)

    async def inputs(self) -> Response:
        """Return the types of inputs."""
        return JsonAnswer([{"type": name, "cls": f"input.{name}"} for name in BY_TYPE])

    async def schema(self, type: str, arrayOf: bool = False) -> Response:  # noqa: A002, N803
        """Return the JSON Schema of flows, tasks or triggers."""
        kind = type.upper()
        whole = await self._plugins.flow_schema()
        if kind == "FLOW":
            schema: dict[str, Any] = dict(whole)
        elif kind in _UNIONS:
            schema = {"$schema": whole["$schema"], "$ref": f"#/definitions/{_UNIONS[kind]}"}
            schema["definitions"] = whole["definitions"]
        else:
            raise NotFoundError(f"there is no schema `{type}`", hint="one of FLOW, TASK, TRIGGER")
        if arrayOf:
            definitions = schema.pop("definitions")
            dialect = schema.pop("$schema")
            schema = {"$schema": dialect, "type": "array", "items": schema, "definitions": definitions}
        return JsonAnswer(schema)

    async def page(self, cls: str) -> Response:
        """Return the documentation of a type."""
        page = await self._plugins.page(cls)
        return JsonAnswer({"markdown": page.markdown, "schema": page.schema})


def _element(entry: TypeEntry) -> dict[str, Any]:
    return {"cls": entry.name, "deprecated": False, "title": title_of(entry)}
