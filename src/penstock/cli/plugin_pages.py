"""Documentation of types as Markdown, or as JSON Schema. Implements PLG-049."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.base.errors import NotFoundError
from penstock.model.registry import TypeEntry, TypeKind, TypeRegistry
from penstock.model.schema import type_schema
from penstock.services.plugins import documentation_of


def pages(registry: TypeRegistry, plugin: str | None, *, as_json: bool) -> str:
    """Return the documentation of the types of a plugin, of those below a prefix, of one type, or of all.

    Raises:
        NotFoundError: There are none.
    """
    entries = [entry for kind in TypeKind for entry in registry.of_kind(kind) if _is_meant(entry, plugin)]
    if not entries:
        raise NotFoundError(f"there is no plugin or type `{plugin}`", hint="`penstock plugins list` names them all")
    if as_json:
        return json.dumps({entry.name: type_schema(entry) for entry in entries}, indent=2, ensure_ascii=False)
    return "\n\n".join("\n".join(_page(entry)) for entry in entries)


def _is_meant(entry: TypeEntry, plugin: str | None) -> bool:
    return plugin is None or plugin in (entry.plugin, entry.name) or entry.name.startswith(f"{plugin}.")


def _page(entry: TypeEntry) -> Iterator[str]:
    schema = type_schema(entry)
    yield f"# {entry.name}\n\n{documentation_of(entry)}"
    if entry.aliases:
        yield f"\nOlder names: {', '.join(f'`{name}`' for name in entry.aliases)}"
    for title, part in (("Properties", schema["properties"]), ("Outputs", schema["outputs"])):
        rows = list(_rows(part))
        if rows:
            yield "\n".join([f"\n## {title}\n", "| name | required | meaning |", "|---|---|---|", *rows])


def _rows(schema: Mapping[str, Any]) -> Iterator[str]:
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        meaning = " ".join(str(one.get("description", "")).split()).replace("|", "\\|")
        yield f"| `{name}` | {'yes' if name in required else ''} | {meaning} |"
