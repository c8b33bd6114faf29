"""Plugin defaults: values for every task, trigger, condition or task runner of a type.

Implements ENG-314 to ENG-320 and ENG-421. What is nearer wins: the definition itself, then the flow, the namespace and
so on outwards; `forced` values win over the definition, the outermost most of all. At one level the longest type wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.model.registry import TypeEntry, spelled_out
from penstock.model.wanted import settle, shape_of

_WHOLE = frozenset({"retry"})
"""Maps that replace one another instead of merging (ENG-241)."""


@dataclass(frozen=True, slots=True)
class PluginDefaults:
    """Default values for a type, or for all types under a prefix such as `io.kestra.plugin.aws`."""

    type: str
    values: Mapping[str, Any] = field(default_factory=dict)
    forced: bool = False

    def is_exact(self, entry: TypeEntry) -> bool:
        """Whether the type is meant by its full name, today's or an older one (MIG-010)."""
        name = spelled_out(self.type)
        return name == entry.name or name in entry.aliases

    def matches(self, entry: TypeEntry) -> bool:
        """Whether the type is meant by its full name or by a prefix (ENG-316)."""
        prefix = spelled_out(self.type) + "."
        return self.is_exact(entry) or any(name.startswith(prefix) for name in (entry.name, *entry.aliases))


Levels = Sequence[Sequence[PluginDefaults]]
"""Plugin defaults from outside a flow: those of its namespace first, the instance's last."""
LevelsOf = Callable[[str], Levels]
"""Gives them for a namespace."""


class DefaultsStack:
    """The defaults of all levels, nearest first, merged per type once.

    Args:
        levels: The flow's defaults, then those of its namespace, of the namespaces above, the tenant, the instance.
    """

    def __init__(self, levels: Sequence[Sequence[PluginDefaults]]) -> None:
        self._levels = [level for level in levels if level]
        self._merged: dict[tuple[str, str | None], tuple[dict[str, Any], dict[str, Any]]] = {}

    def apply(self, definition: Mapping[str, Any], entry: TypeEntry) -> Mapping[str, Any]:
        """Return a definition with the defaults of its type; the definition itself when there are none."""
        if not self._levels:
            return definition
        soft, forced = self.of(entry)
        if soft:
            definition = merge(soft, definition)
        return merge(definition, forced) if forced else definition

    def of(self, entry: TypeEntry) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a type's merged defaults: those that fill gaps, and those that win."""
        found = self._merged.get((entry.name, entry.version))
        if found is None:
            soft: dict[str, Any] = {}
            forced: dict[str, Any] = {}
            for level in reversed(self._levels):
                for one in _matching(level, entry, forced=False):
                    soft = merge(soft, _values(one, entry))
            for level in self._levels:
                for one in _matching(level, entry, forced=True):
                    forced = merge(forced, _values(one, entry))
            found = self._merged[entry.name, entry.version] = (soft, forced)
        return found


def _matching(level: Sequence[PluginDefaults], entry: TypeEntry, *, forced: bool) -> list[PluginDefaults]:
    """Return what applies to a type, the longest type last, so that it wins."""
    matching = [one for one in level if one.forced is forced and one.matches(entry)]
    return sorted(matching, key=lambda one: (one.is_exact(entry), len(one.type)))


def _values(one: PluginDefaults, entry: TypeEntry) -> dict[str, Any]:
    """Return the values as the type wants them; of a prefix only those that the type knows."""
    by_name = shape_of(entry.cls).by_name
    exact = one.is_exact(entry)
    result = {}
    for name, value in one.values.items():
        known = by_name.get(name)
        if known is not None:
            result[known.name] = settle(value, known.wanted)
        elif exact:
            result[name] = value
    return result


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return both maps together, key by key at every depth; where they differ `over` wins.

    Two definitions of different types do not mix: the one in `over` stands alone.
    """
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping) and key not in _WHOLE and _same_type(below, value):
            result[key] = merge(below, value)
        else:
            result[key] = value
    return result


def _same_type(under: Mapping[str, Any], over: Mapping[str, Any]) -> bool:
    return "type" not in under or "type" not in over or under["type"] == over["type"]
