"""Plugins: which types there are, their documentation and their schemas (API-046, API-110, UI-110)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer
from penstock.api.routes.table import Routes
from penstock.base.errors import NotFoundError
from penstock.model.input_types import BY_TYPE
from penstock.model.registry import TypeEntry, TypeKind
from penstock.services.plugin_packages import GroupPage, group_of, group_page, plugin_page
from penstock.services.plugins import PluginCatalogue, title_of

_UNIONS = {"TASK": "task", "TRIGGER": "trigger"}


class PluginRoutes:
    """Implements API-046, API-110 (catalogue, documentation, schemas, icons, versions), UI-110.

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
        add("GET", "/plugins/schemas/{type}", self.schema, "schemasFromType", answers=dict[str, Any])
        add("GET", "/plugins/{cls}", self.page, "pluginDocumentation", answers=schemas.Documentation)
        versions = "/plugins/{cls}/versions"
        add("GET", versions, self.versions, "pluginVersions", answers=schemas.PluginVersions)
        one = "pluginDocumentationFromVersion"
        add("GET", f"{versions}/{{version}}", self.page_of_version, one, answers=schemas.Documentation)
        return routes.router

    async def flow_schema(self, tenant: str) -> Response:
        """Return the JSON Schema of flows, for editors."""
        return JsonAnswer(await self._plugins.flow_schema(), headers={"Cache-Control": "private, max-age=60"})

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


def _icons(icons: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {
        name: {"name": name.rpartition(".")[2], "icon": base64.b64encode(icon.encode()).decode()}
        for name, icon in icons.items()
    }


def _element(entry: TypeEntry) -> dict[str, Any]:
    deprecated = bool(getattr(entry.cls, "type_deprecation", ""))
    return {"cls": entry.name, "deprecated": deprecated, "title": title_of(entry)}
