"""What a server knows of plugins in environments of their own, whose classes it never imports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from penstock.model.registry import TypeEntry
from penstock.model.schema import type_schema
from penstock.sdk import PollingTrigger, RealtimeTrigger, Task
from penstock.services.plugin_packages import texts_of
from penstock.services.plugins import documentation_of

Flavour = Literal["task", "polling", "realtime"]
_FLAVOURS: tuple[tuple[type[Any], Flavour], ...] = (
    (Task, "task"),
    (PollingTrigger, "polling"),
    (RealtimeTrigger, "realtime"),
)


class TypeDescription(msgspec.Struct, frozen=True, rename="camel"):
    """One type: its names, its documentation, its schema."""

    name: str
    flavour: Flavour
    aliases: tuple[str, ...]
    documentation: str
    schema: dict[str, Any]
    """`properties`, `outputs` and the `definitions` they share."""


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """The types of one version of a plugin."""

    made_by: str
    """The version of the server that made it."""
    types: tuple[TypeDescription, ...]
    texts: dict[str, str] = {}
    """Icons, metadata and guides of its package."""
    left_out: tuple[str, ...] = ()
    """Types that only work inside the server: conditions, task runners, control flow."""


def manifest_of(entries: Iterable[TypeEntry], made_by: str) -> Manifest:
    """Return the manifest of these types."""
    types, left_out = [], []
    texts: dict[str, str] = {}
    for entry in entries:
        texts = texts or dict(texts_of(entry.cls))
        flavour = next((name for base, name in _FLAVOURS if issubclass(entry.cls, base)), None)
        if flavour is None:
            left_out.append(entry.name)
            continue
        schema = type_schema(entry)
        types.append(TypeDescription(entry.name, flavour, entry.aliases, documentation_of(entry), schema))
    return Manifest(made_by, tuple(types), texts, tuple(left_out))
