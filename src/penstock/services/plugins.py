"""The types this instance has, with their documentation and schemas. Made once, when first asked for.

Implements the catalogue part of API-110, API-046, PLG-044, UI-110.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from penstock.base.errors import NotFoundError
from penstock.model.registry import TypeEntry, TypeKind, TypeRegistry
from penstock.model.schema import flow_schema, type_schema

Schema = Mapping[str, Any]
_TRACE = re.compile(r"Implements [A-Z]{3}-[^\n]*")
"""What a docstring says to those who read the code."""
ICON_OF_GROUP = ("{group}.svg", "plugin-icon.svg")
ICON_OF_TYPE = ("{type}.svg", *ICON_OF_GROUP)
"""Names of icon files, the most particular first."""


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
    """

    def __init__(self, registry: TypeRegistry, versions: Mapping[str, str] | None = None) -> None:
        self._registry = registry
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
        """Return the versions of a type that can be used: the one that is installed.

        Raises:
            NotFoundError: There is no such type.
        """
        version = self.version_of(self._entry(name).plugin)
        return [] if version is None else [version]

    async def icons(self) -> dict[str, bytes]:
        """Return the icons (SVG) that plugins bring, by type."""
        return await asyncio.to_thread(self._icons, ICON_OF_TYPE)

    async def group_icons(self) -> dict[str, bytes]:
        """Return the icons (SVG) that plugins bring for themselves, by what the names of their types begin with."""
        found = await asyncio.to_thread(self._icons, ICON_OF_GROUP)
        return {name.rpartition(".")[0]: icon for name, icon in found.items()}

    def _icons(self, names: Sequence[str]) -> dict[str, bytes]:
        found = {}
        for entries in self.by_plugin().values():
            for entry in entries:
                if (icon := icon_of(entry, names)) is not None:
                    found[entry.name] = icon
        return found

    async def page(self, name: str) -> PluginPage:
        """Return the documentation of a type, by its name or an older one.

        Raises:
            NotFoundError: There is no such type.
        """
        return await asyncio.to_thread(self._page, self._entry(name))

    def _entry(self, name: str) -> TypeEntry:
        found = self._registry.find(name)
        if found is None:
            near = self._registry.suggest(name)
            hint = f"did you mean `{near}`?" if near else "install the plugin that provides it"
            raise NotFoundError(f"there is no type `{name}`", hint=hint)
        return found.entry

    async def flow_schema(self) -> Schema:
        """Return the JSON Schema of flows with the types there are."""
        return await asyncio.to_thread(lambda: self._flow_schema)

    @cached_property
    def _flow_schema(self) -> Schema:
        return flow_schema(self._registry)


def icon_of(entry: TypeEntry, names: Sequence[str]) -> bytes | None:
    """Return the first of the files there is in the folder `icons` of the package that a type comes from (PLG-044)."""
    folder = files(entry.cls.__module__.partition(".")[0]) / "icons"
    for name in names:
        icon = folder / name.format(type=entry.name, group=entry.name.rpartition(".")[0])
        if icon.is_file():
            return icon.read_bytes()
    return None


def title_of(entry: TypeEntry) -> str:
    """Return the first line of a type's documentation."""
    return (inspect.getdoc(entry.cls) or "").partition("\n")[0].rstrip(".")


def documentation_of(entry: TypeEntry) -> str:
    """Return a type's documentation as Markdown."""
    paragraphs = (inspect.getdoc(entry.cls) or "").split("\n\n")
    return "\n\n".join(one for one in paragraphs if not _TRACE.fullmatch(one.strip()))


def _page(entry: TypeEntry) -> PluginPage:
    return PluginPage(entry, documentation_of(entry), type_schema(entry))
