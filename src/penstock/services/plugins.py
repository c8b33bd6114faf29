"""The types this instance has, with their documentation and schemas. Made once, when first asked for.

Implements the catalogue part of API-110, API-046, UI-110.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from penstock.base.errors import NotFoundError
from penstock.model.registry import TypeEntry, TypeKind, TypeRegistry
from penstock.model.schema import flow_schema, type_schema

Schema = Mapping[str, Any]
_TRACE = re.compile(r"Implements [A-Z]{3}-[^\n]*")
"""What a docstring says to those who read the code."""


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
    """

    def __init__(self, registry: TypeRegistry) -> None:
        self._registry = registry
        self._page = lru_cache(maxsize=500)(_page)

    def by_plugin(self) -> dict[str, list[TypeEntry]]:
        """Return all types by the distribution they come from."""
        found: dict[str, list[TypeEntry]] = {}
        for kind in TypeKind:
            for entry in self._registry.of_kind(kind):
                found.setdefault(entry.plugin, []).append(entry)
        return found

    async def page(self, name: str) -> PluginPage:
        """Return the documentation of a type, by its name or an older one.

        Raises:
            NotFoundError: There is no such type.
        """
        found = self._registry.find(name)
        if found is None:
            near = self._registry.suggest(name)
            hint = f"did you mean `{near}`?" if near else "install the plugin that provides it"
            raise NotFoundError(f"there is no type `{name}`", hint=hint)
        return await asyncio.to_thread(self._page, found.entry)

    async def flow_schema(self) -> Schema:
        """Return the JSON Schema of flows with the types there are."""
        return await asyncio.to_thread(lambda: self._flow_schema)

    @cached_property
    def _flow_schema(self) -> Schema:
        return flow_schema(self._registry)


def title_of(entry: TypeEntry) -> str:
    """Return the first line of a type's documentation."""
    return (inspect.getdoc(entry.cls) or "").partition("\n")[0].rstrip(".")


def documentation_of(entry: TypeEntry) -> str:
    """Return a type's documentation as Markdown."""
    paragraphs = (inspect.getdoc(entry.cls) or "").split("\n\n")
    return "\n\n".join(one for one in paragraphs if not _TRACE.fullmatch(one.strip()))


def _page(entry: TypeEntry) -> PluginPage:
    return PluginPage(entry, documentation_of(entry), type_schema(entry))
