"""The registry of types: which class stands behind each `type` name a flow may use.

An explicit object, built by `penstock.wiring` from the built-in types and the entry points of installed plugins. The
flow parser, the JSON Schema, the worker and the interface all read this one registry.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

from penstock.base.errors import PenstockError


class TypeKind(StrEnum):
    """What a type can be used as."""

    TASK = "tasks"
    TRIGGER = "triggers"
    CONDITION = "conditions"
    TASK_RUNNER = "taskRunners"


@dataclass(frozen=True, slots=True)
class TypeEntry:
    """One plugin class under its canonical name."""

    name: str
    """The documented name, such as `io.kestra.plugin.core.log.Log`."""
    kind: TypeKind
    cls: type[BaseModel]
    aliases: tuple[str, ...] = ()
    """Older names; accepted, and reported as deprecated."""
    plugin: str = "penstock"
    """The distribution it comes from."""


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a look-up."""

    entry: TypeEntry
    alias: str | None = None
    """The older name it was found by."""


class DuplicateTypeError(PenstockError):
    """Two plugins claim one type name."""

    code = "DUPLICATE_TYPE"


class TypeRegistry:
    """Types by name. Immutable once built."""

    def __init__(self, entries: Iterable[TypeEntry]) -> None:
        self._entries: dict[str, TypeEntry] = {}
        self._aliases: dict[str, TypeEntry] = {}
        for entry in entries:
            if entry.name in self._entries:
                raise DuplicateTypeError(
                    f"type {entry.name} is declared by {self._entries[entry.name].plugin} and by {entry.plugin}",
                    hint="uninstall one of the two",
                )
            self._entries[entry.name] = entry
            for alias in entry.aliases:
                self._aliases[alias] = entry

    def find(self, name: str) -> Found | None:
        """Return the entry behind a name or an older name (ENG-007: case-sensitive)."""
        if entry := self._entries.get(name):
            return Found(entry)
        if entry := self._aliases.get(name):
            return Found(entry, alias=name)
        return None

    def suggest(self, name: str) -> str | None:
        """Return the known name nearest to a wrong one, judged by its last part first."""
        last = {known.rsplit(".", 1)[-1].lower(): known for known in (*self._aliases, *self._entries)}
        if near := difflib.get_close_matches(name, self._entries, n=1, cutoff=0.75):
            return near[0]
        if near := difflib.get_close_matches(name.rsplit(".", 1)[-1].lower(), last, n=1, cutoff=0.75):
            return last[near[0]]
        return None

    def of_kind(self, kind: TypeKind) -> Iterator[TypeEntry]:
        """Return the entries of one kind, sorted by name."""
        return (self._entries[name] for name in sorted(self._entries) if self._entries[name].kind is kind)

    @property
    def aliases(self) -> Mapping[str, TypeEntry]:
        """Older names and what they stand for."""
        return self._aliases
