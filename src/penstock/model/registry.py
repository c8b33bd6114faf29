"""The registry of types: which class stands behind each `type` name a flow may use.

An explicit object, built by `penstock.wiring` from the built-in types and the entry points of installed plugins. The
flow parser, the JSON Schema, the worker and the interface all read this one registry.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from packaging.version import Version
from pydantic import BaseModel

from penstock.base.errors import PenstockError
from penstock.model.deferred import DeferredClass


class TypeKind(StrEnum):
    """What a type can be used as."""

    TASK = "tasks"
    TRIGGER = "triggers"
    CONDITION = "conditions"
    TASK_RUNNER = "taskRunners"


_PREFIX, _PREFIX_OF_2 = "io.kestra.plugin.", "plugin.kestra."


def spelled_out(name: str) -> str:
    """Return a type name, or a prefix of such, in full; the 2.0 prefix `plugin.kestra.` is a short form (BEY-050)."""
    return _PREFIX + name.removeprefix(_PREFIX_OF_2) if name.startswith(_PREFIX_OF_2) else name


KIND_WORDS = {
    TypeKind.TASK: "task",
    TypeKind.TRIGGER: "trigger",
    TypeKind.CONDITION: "condition",
    TypeKind.TASK_RUNNER: "task runner",
}
"""How people call a kind."""


@dataclass(frozen=True, slots=True)
class TypeEntry:
    """One plugin class under its canonical name."""

    name: str
    """The documented name, such as `io.kestra.plugin.core.log.Log`."""
    kind: TypeKind
    source: type[BaseModel] | DeferredClass
    aliases: tuple[str, ...] = ()
    """Older names; accepted, and reported as deprecated."""
    plugin: str = "penstock"
    """The distribution it comes from."""
    version: str | None = None
    """The distribution's version, of which there may be several; None for what is built in."""
    is_isolated: bool = False
    """Whether the plugin has an environment and processes of its own."""

    @property
    def cls(self) -> type[BaseModel]:
        """The class; its module is imported when it is first asked for."""
        return self.source.load() if isinstance(self.source, DeferredClass) else self.source

    @classmethod
    def of(cls, plugin_class: type[Any], plugin: str = "penstock", version: str | None = None) -> TypeEntry:
        """Return the entry of a class that says its kind, name and older names itself, as all SDK classes do.

        Raises:
            InvalidTypeError: It has no name, or takes a property name that is not its own (PLG-018).
        """
        name, kind = plugin_class.type_name, plugin_class.type_kind
        if not name:
            raise InvalidTypeError(f"{plugin_class.__qualname__} has no `type_name`", hint="set the class attribute")
        if "version" in plugin_class.__annotations__:
            raise InvalidTypeError(
                f"{name} declares a property `version`, which names the plugin's version", hint="choose another name"
            )
        return cls(name, kind, plugin_class, tuple(plugin_class.type_aliases), plugin, version)


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a look-up."""

    entry: TypeEntry
    alias: str | None = None
    """The older name it was found by."""


class DuplicateTypeError(PenstockError):
    """Two plugins claim one type name."""

    code = "DUPLICATE_TYPE"


class InvalidTypeError(PenstockError):
    """A plugin class that cannot be a type of the flow language."""

    code = "INVALID_TYPE"


LATEST, OLDEST, CURRENT = "LATEST", "OLDEST", "CURRENT"


class TypeRegistry:
    """Types by name, and where there are several by version. Immutable once built.

    Implements ENG-007, ENG-321, MIG-010, PLG-006, GOV-381.

    Args:
        entries: The types.
        refused: Why types are missing that an installed plugin would bring, by name.
        default_version: The version of a type whose definition names none: `LATEST`, `OLDEST`, `CURRENT` (that of the
            server's own environment), a certain one, or `NONE`, which makes definitions name one.
    """

    def __init__(
        self,
        entries: Iterable[TypeEntry],
        refused: Mapping[str, str] | None = None,
        *,
        default_version: str = LATEST,
    ) -> None:
        self._refused = dict(refused or {})
        self._default = default_version
        self._entries: dict[str, TypeEntry] = {}
        self._aliases: dict[str, TypeEntry] = {}
        self._found: dict[str, Found] = {}
        self._versions: dict[str, dict[str, TypeEntry]] = {}
        """Of types that have a version, the oldest first."""
        for name, versions in _by_name(entries).items():
            entry = versions[-1]
            if entry.version is not None:
                self._versions[name] = {str(one.version): one for one in versions}
                entry = self._of_version(name, default_version) or entry
            self._entries[name] = entry
            self._found[name] = Found(entry)
            for alias in entry.aliases:
                self._aliases[alias] = entry
        for alias, entry in self._aliases.items():
            self._found.setdefault(alias, Found(entry, alias=alias))

    def find(self, name: str, version: str | None = None) -> Found | None:
        """Return the entry behind a name or an older name (ENG-007: case-sensitive).

        Args:
            name: The type.
            version: The version of its plugin, `LATEST` or `OLDEST`; without effect on what is built in.
        """
        found = self._found.get(name) or self._found.get(spelled_out(name))
        if found is None or version is None or found.entry.version is None:
            return found
        entry = self._of_version(found.entry.name, version)
        return None if entry is None else Found(entry, found.alias)

    def find_for(self, name: str, version: str | None) -> Found | None:
        """Return the entry a definition of this type is meant for; None also when it has to name a version."""
        found = self.find(name, version)
        if found is not None and version is None and found.entry.version is not None:
            return found if self._of_version(found.entry.name, self._default) is not None else None
        return found

    def _of_version(self, name: str, version: str) -> TypeEntry | None:
        versions = self._versions[name]
        wanted = version.strip().upper()
        if wanted in (LATEST, OLDEST):
            return list(versions.values())[-1 if wanted == LATEST else 0]
        if wanted == CURRENT:
            return next((one for one in versions.values() if not one.is_isolated), list(versions.values())[-1])
        return versions.get(version.strip())

    def versions(self, name: str) -> Mapping[str, TypeEntry]:
        """Return the versions there are of a type, the oldest first; none of what is built in."""
        return self._versions.get(name, {})

    def why_refused(self, name: str, version: str | None = None) -> str | None:
        """Return why a type cannot be had though its plugin is installed; None for any other name."""
        known = self.find(name)
        if known is None or not (versions := self.versions(known.entry.name)):
            return self._refused.get(spelled_out(name))
        there = f"installed: {', '.join(versions)}"
        return f"`version` is missing ({there})" if version is None else f"there is no version {version} ({there})"

    def has_prefix(self, prefix: str) -> bool:
        """Whether any type's name, or an older one, begins with this and a dot."""
        wanted = spelled_out(prefix) + "."
        return any(name.startswith(wanted) for name in self._found)

    @cached_property
    def _by_last_part(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for name in self._found:
            names.setdefault(name.rsplit(".", 1)[-1].lower(), []).append(name)
        return names

    def suggest(self, name: str) -> str | None:
        """Return the known name nearest to a wrong one: of those whose last part is alike, the most similar.

        Of types of the same package the last part may differ more, as `Lag` from `Log`.
        """
        package, _, last = spelled_out(name).rpartition(".")
        parts = difflib.get_close_matches(last.lower(), self._by_last_part, n=3, cutoff=0.75)
        alike = [known for part in parts for known in self._by_last_part[part]]
        if not alike:
            siblings = [known.removeprefix(f"{package}.") for known in self._found if known.startswith(f"{package}.")]
            alike = [f"{package}.{one}" for one in difflib.get_close_matches(last, siblings, n=1)]
        if not alike:
            return None
        nearest = max(alike, key=lambda known: difflib.SequenceMatcher(None, name, known).ratio())
        return self._found[nearest].entry.name

    def of_kind(self, kind: TypeKind) -> Iterator[TypeEntry]:
        """Return the entries of one kind, sorted by name."""
        return (self._entries[name] for name in sorted(self._entries) if self._entries[name].kind is kind)

    @property
    def aliases(self) -> Mapping[str, TypeEntry]:
        """Older names and what they stand for."""
        return self._aliases


def _by_name(entries: Iterable[TypeEntry]) -> dict[str, list[TypeEntry]]:
    """Return entries by name, of each the oldest version first.

    Raises:
        DuplicateTypeError: Two plugins claim one name, or one plugin twice in one version.
    """
    found: dict[str, list[TypeEntry]] = {}
    for entry in entries:
        others = found.setdefault(entry.name, [])
        for other in others:
            if other.plugin != entry.plugin or other.version == entry.version:
                raise DuplicateTypeError(
                    f"type {entry.name} is declared by {other.plugin} and by {entry.plugin}",
                    hint="uninstall one of the two",
                )
        others.append(entry)
    for versions in found.values():
        if len(versions) > 1:
            versions.sort(key=lambda one: Version(one.version or "0"))
    return found
