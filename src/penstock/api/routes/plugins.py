"""Plugins: which types there are, their documentation and their schemas (API-046, API-110, UI-110)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, packed_json
from penstock.api.routes.table import Routes
from penstock.base.errors import NotFoundError
from penstock.model.dashboards import chart_schema, dashboard_schema
from penstock.model.input_types import BY_TYPE
from penstock.model.registry import TypeEntry, TypeKind
from penstock.services.plugin_packages import GroupPage, group_of, group_page, plugin_page
from penstock.services.plugins import PluginCatalogue, is_deprecated, title_of

_DASHBOARDS = {"DASHBOARD": dashboard_schema, "CHART": chart_schema}
_UNIONS = {"TASK": "task", "TRIGGER": "trigger"}


class PluginRoutes:
    """Implements API-046, API-110 (catalogue, documentation, schemas, icons, versions, input types), UI-110.

    Args:
        plugins: The use cases.
    """

    def __init__(self, plugins: PluginCatalogue) -> None:
        self._plugins = plugins

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1", "Plugins")
        add = routes.add
        add("GET", "/{tenant}/schemas/flow.json", self.flow_schema, "flowSchema", answers=dict[str, Any])
        add("GET", "/plugins", self.all, "listPlugins", answers=list[schemas.Plugin])
        add("GET", "/plugins/groups/subgroups", self.groups, "pluginBySubgroups", answers=list[schemas.Plugin])
        add("GET", "/plugins/icons", self.icons, "pluginIcons", answers=dict[str, schemas.PluginIcon])
        add("GET", "/plugins/icons/groups", self.group_icons, "pluginGroupIcons", answers=dict[str, schemas.PluginIcon])
        add("GET", "/plugins/inputs", self.inputs, "allInputTypes", answers=list[dict[str, Any]])
        add("GET", "/plugins/inputs/{type}", self.input, "schemaFromInputType", answers=schemas.Documentation)
        add("GET", "/plugins/properties/{type}", self.properties, "propertiesFromType", answers=dict[str, Any])
        add("GET", "/plugins/schemas/{type}", self.schema, "schemasFromType", answers=dict[str, Any])
        add("GET", "/plugins/{cls}", self.page, "pluginDocumentation", answers=schemas.Documentation)
        versions = "/plugins/{cls}/versions"
        add("GET", versions, self.versions, "pluginVersions", answers=schemas.PluginVersions)
        one = "pluginDocumentationFromVersion"
        add("GET", f"{versions}/{{version}}", self.page_of_version, one, answers=schemas.Documentation)
        return routes.router

    async def flow_schema(self, request: Request, tenant: str) -> Response:
        """Return the JSON Schema of flows, for editors."""
        return packed_json(request, await self._plugins.flow_schema.packed(), "private, max-age=60")

    async def all(self) -> Response:
        """Return the plugins of this instance with their types."""
        texts = await self._plugins.texts()
        plugins = []
        for name, entries in self._plugins.by_plugin().items():
            page = plugin_page(texts[name], name)
            plugins.append(self._body(name, group_of(texts[name], name), page, entries))
        return JsonAnswer(plugins)

    async def groups(self) -> Response:
        """Return the types by what their names begin with."""
        texts = await self._plugins.texts()
        groups = []
        for (plugin, prefix), entries in self._plugins.by_group().items():
            page = group_page(texts[plugin], prefix)
            body = self._body(plugin, group_of(texts[plugin], plugin), page, entries)
            groups.append({**body, "subGroup": prefix})
        return JsonAnswer(groups)

    def _body(self, plugin: str, group: str, page: GroupPage, entries: Sequence[TypeEntry]) -> dict[str, Any]:
        body: dict[str, Any] = {"name": plugin, "title": page.title, "group": group}
        said = {"description": page.description, "longDescription": page.long_description}
        body |= {key: value for key, value in said.items() if value is not None}
        body |= {"categories": list(page.categories), "guides": list(page.guides)}
        if (version := self._plugins.version_of(plugin)) is not None:
            body["version"] = version
        for kind in TypeKind:
            body[kind.value] = [_element(entry) for entry in entries if entry.kind is kind]
        body["aliases"] = [alias for entry in entries for alias in entry.aliases]
        return body

    async def icons(self) -> Response:
        """Return the icons of types that bring one."""
        return JsonAnswer(_icons(await self._plugins.icons()))

    async def group_icons(self) -> Response:
        """Return the icons of plugins that bring one."""
        return JsonAnswer(_icons(await self._plugins.group_icons()))

    async def versions(self, cls: str) -> Response:
        """Return the versions of a type that are installed."""
        return JsonAnswer({"type": cls, "versions": self._plugins.versions(cls)})

    async def page_of_version(self, cls: str, version: str) -> Response:
        """Return the documentation of a type in one of its versions."""
        if version not in (known := self._plugins.versions(cls)):
            raise NotFoundError(f"there is no version {version} of `{cls}`", hint=f"installed: {', '.join(known)}")
        page = await self._plugins.page(cls, version)
        return JsonAnswer({"markdown": page.markdown, "schema": page.schema})

    async def inputs(self) -> Response:
        """Return the types of inputs."""
        return JsonAnswer([{"type": name, "cls": f"input.{name}"} for name in BY_TYPE])

    async def input(self, type: str) -> Response:  # noqa: A002
        """Return the documentation of a type of inputs."""
        model = BY_TYPE.get(type.upper())
        if model is None:
            raise NotFoundError(f"there is no type of inputs `{type}`", hint=f"one of {', '.join(BY_TYPE)}")
        told = (model.__doc__ or "").partition("\n")[0]
        return JsonAnswer({"markdown": told, "schema": {"properties": model.model_json_schema(by_alias=True)}})

    async def properties(self, type: str) -> Response:  # noqa: A002
        """Return the properties that flows or dashboards may have."""
        kind = type.upper()
        if kind not in ("FLOW", "DASHBOARD"):
            raise NotFoundError(f"there are no properties `{type}`", hint="one of FLOW, DASHBOARD")
        schema = dashboard_schema() if kind == "DASHBOARD" else await self._plugins.flow_schema.read()
        return JsonAnswer(_properties(schema))

    async def schema(self, type: str, arrayOf: bool = False) -> Response:  # noqa: A002, N803
        """Return the JSON Schema of flows, tasks, triggers, dashboards or charts."""
        kind = type.upper()
        whole = await self._plugins.flow_schema.read()
        if kind in _DASHBOARDS:
            schema: dict[str, Any] = _DASHBOARDS[kind]()
        elif kind == "FLOW":
            schema = dict(whole)
        elif kind in _UNIONS:
            schema = {"$schema": whole["$schema"], "$ref": f"#/definitions/{_UNIONS[kind]}"}
            schema["definitions"] = whole["definitions"]
        else:
            raise NotFoundError(f"there is no schema `{type}`", hint="one of FLOW, TASK, TRIGGER, DASHBOARD, CHART")
        if arrayOf:
            definitions = schema.pop("definitions")
            dialect = schema.pop("$schema")
            schema = {"$schema": dialect, "type": "array", "items": schema, "definitions": definitions}
        return JsonAnswer(schema)

    async def page(self, cls: str) -> Response:
        """Return the documentation of a type."""
        page = await self._plugins.page(cls)
        return JsonAnswer({"markdown": page.markdown, "schema": page.schema})


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of a schema that may stand behind a reference."""
    place = str(schema.get("$ref", "")).rpartition("/")[2]
    inner: Mapping[str, Any] = schema["definitions"][place] if place else schema
    found: Mapping[str, Any] = inner.get("properties", {})
    return found


def _icons(icons: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {
        name: {"name": name.rpartition(".")[2], "icon": base64.b64encode(icon.encode()).decode()}
        for name, icon in icons.items()
    }


def _element(entry: TypeEntry) -> dict[str, Any]:
    return {"cls": entry.name, "deprecated": is_deprecated(entry), "title": title_of(entry)}
