"""The types this instance has, with their documentation and schemas. Made once, when first asked for.

Implements the catalogue part of API-110, API-046, PLG-044, UI-110.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from penstock.base.errors import NotFoundError
from penstock.model.deferred import DeferredClass
from penstock.model.registry import TypeEntry, TypeKind, TypeRegistry
from penstock.model.schema import type_schema
from penstock.model.schema_text import plain_text
from penstock.services.flow_schema import FlowSchema
from penstock.services.plugin_packages import Texts, group_icon, texts_of, type_icon

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PluginPage:
    """The documentation of one type."""

    entry: TypeEntry
    markdown: str
    schema: Schema


class PluginCatalogue:
    """Types by plugin.

    Args:
        registry: The types.
        versions: The installed version of each plugin.
        flow_schema: The schema of flows with these types.
    """

    def __init__(
        self,
        registry: TypeRegistry,
        versions: Mapping[str, str] | None = None,
        flow_schema: FlowSchema | None = None,
    ) -> None:
        self._registry = registry
        self.flow_schema = flow_schema or FlowSchema(registry)
        self._versions = dict(versions or {})
        self._page = lru_cache(maxsize=500)(_page)

    def by_plugin(self) -> dict[str, list[TypeEntry]]:
        """Return all types by the distribution they come from."""
        found: dict[str, list[TypeEntry]] = {}
        for kind in TypeKind:
            for entry in self._registry.of_kind(kind):
                found.setdefault(entry.plugin, []).append(entry)
        return found

    def by_group(self) -> dict[tuple[str, str], list[TypeEntry]]:
        """Return all types by their plugin and by what their names begin with."""
        found: dict[tuple[str, str], list[TypeEntry]] = {}
        for plugin, entries in self.by_plugin().items():
            for entry in entries:
                found.setdefault((plugin, entry.name.rpartition(".")[0]), []).append(entry)
        return dict(sorted(found.items()))

    def version_of(self, plugin: str) -> str | None:
        """Return the installed version of a plugin."""
        return self._versions.get(plugin)

    def versions(self, name: str) -> list[str]:
        """Return the versions of a type that can be used, the newest first.

        Raises:
            NotFoundError: There is no such type.
        """
        entry = self._entry(name)
        if several := self._registry.versions(entry.name):
            return [*several][::-1]
        version = self.version_of(entry.plugin)
        return [] if version is None else [version]

    async def icons(self) -> dict[str, str]:
        """Return the icons (SVG) that plugins bring, by type."""
        return await asyncio.to_thread(self._icons, type_icon)

    async def group_icons(self) -> dict[str, str]:
        """Return the icons (SVG) that plugins bring for themselves, by what the names of their types begin with."""
        found = await asyncio.to_thread(self._icons, lambda texts, name: group_icon(texts, name.rpartition(".")[0]))
        return {name.rpartition(".")[0]: icon for name, icon in found.items()}

    def _icons(self, icon_of: Callable[[Texts, str], str | None]) -> dict[str, str]:
        found = {}
        for entries in self.by_plugin().values():
            texts = texts_of(entries[0].cls)
            for entry in entries:
                if (icon := icon_of(texts, entry.name)) is not None:
                    found[entry.name] = icon
        return found

    async def texts(self) -> dict[str, Texts]:
        """Return what the packages of plugins say of themselves, by plugin."""
        return await asyncio.to_thread(
            lambda: {name: texts_of(entries[0].cls) for name, entries in self.by_plugin().items()}
        )

    async def page(self, name: str, version: str | None = None) -> PluginPage:
        """Return the documentation of a type, by its name or an older one, as it is in a version.

        Raises:
            NotFoundError: There is no such type.
        """
        entry = self._entry(name)
        return await asyncio.to_thread(self._page, self._registry.versions(entry.name).get(version or "", entry))

    def _entry(self, name: str) -> TypeEntry:
        found = self._registry.find(name)
        if found is None:
            near = self._registry.suggest(name)
            hint = f"did you mean `{near}`?" if near else "install the plugin that provides it"
            raise NotFoundError(f"there is no type `{name}`", hint=hint)
        return found.entry


def title_of(entry: TypeEntry) -> str:
    """Return the first line of a type's documentation."""
    if isinstance(entry.source, DeferredClass):
        return entry.source.title
    return plain_text(inspect.getdoc(entry.cls) or "").partition("\n")[0].rstrip(".")


def is_deprecated(entry: TypeEntry) -> bool:
    """Whether a type is there for older flows only."""
    if isinstance(entry.source, DeferredClass):
        return entry.source.is_deprecated
    return bool(getattr(entry.source, "type_deprecation", ""))


def documentation_of(entry: TypeEntry) -> str:
    """Return a type's documentation as Markdown."""
    return plain_text(inspect.getdoc(entry.cls) or "")


def _page(entry: TypeEntry) -> PluginPage:
    return PluginPage(entry, documentation_of(entry), type_schema(entry))
