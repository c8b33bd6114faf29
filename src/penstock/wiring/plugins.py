"""The registry of types: what is built in, and what installed plugins add. Implements PLG-001, PLG-006, OPS-075 (part).

A plugin is a distribution with an entry point in the group `penstock.plugins` that names a sequence of classes, or a
module with such a sequence called `TYPES`. One that cannot be loaded is reported and left out, and so is one whose
requirement of `penstock` does not hold (PLG-006). Beside those of the server's own environment there are plugins with
environments of their own, of which several versions may be there (PLG-007, ENG-321).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, entry_points
from importlib.resources import files
from typing import Any

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from penstock.base.errors import PenstockError
from penstock.model.deferred import DeferredClass
from penstock.model.registry import TypeEntry, TypeKind, TypeRegistry
from penstock.sdk.discovery import GROUP, classes_of
from penstock.services.isolation.process import Processes
from penstock.wiring.plugin_plan import PluginPlan
from penstock.wiring.plugin_versions import InstalledPlugin, PluginVersions
from penstock.wiring.version import penstock_version


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plugin that was left out, and why."""

    name: str
    distribution: str
    reason: str
    types: tuple[str, ...] = ()
    """The names of its types and their older names, as far as they could be learned."""

    def __str__(self) -> str:
        return f"plugin {self.name} of {self.distribution} is left out: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plugins:
    """All types, and the plugins that could not be loaded."""

    registry: TypeRegistry
    broken: tuple[BrokenPlugin, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    """The installed version of each distribution; of several the newest."""
    processes: tuple[Processes, ...] = ()
    """Of the plugins with environments of their own."""

    def close(self) -> None:
        """End the processes of plugins."""
        for one in self.processes:
            one.close()


class _BuiltinType(msgspec.Struct, frozen=True):
    """A line of the index of what is built in."""

    name: str
    kind: TypeKind
    module: str
    aliases: tuple[str, ...]
    title: str
    deprecated: bool = False

    def entry(self) -> TypeEntry:
        place = DeferredClass(self.module, self.name, self.title, self.deprecated)
        return TypeEntry(self.name, self.kind, place, self.aliases)


def builtin_types() -> list[TypeEntry]:
    """Return the types every server has, none of whose modules is imported yet."""
    index = files("penstock.builtin").joinpath("types.json").read_bytes()
    return [one.entry() for one in msgspec.json.decode(index, type=list[_BuiltinType])]


def load_plugins(
    points: Iterable[EntryPoint] | None = None, *, types: Iterable[Any] = (), plan: PluginPlan | None = None
) -> Plugins:
    """Return the built-in types with those of installed plugins.

    Args:
        points: The entry points to load; those of the installed distributions by default.
        types: Further types, such as a plugin's own under test.
        plan: Where further plugins are, which have environments of their own; none by default.
    """
    plan = plan or PluginPlan()
    loading = _Loading(builtin_types())
    loading.add([TypeEntry.of(cls, "under test") for cls in classes_of(tuple(types))])
    for point in entry_points(group=GROUP) if points is None else points:
        loading.load(point)
    for plugin in PluginVersions(plan.folder).installed() if plan.folder is not None else ():
        loading.take(plugin)
    return loading.plugins(plan.default_version)


class _Loading:
    """Gathers types; a plugin that goes wrong is reported and left out."""

    def __init__(self, entries: list[TypeEntry]) -> None:
        self._entries = entries
        self._broken: list[BrokenPlugin] = []
        self._versions = {"penstock": penstock_version()}
        self._processes: list[Processes] = []

    def load(self, point: EntryPoint) -> None:
        """Import a plugin of the server's own environment."""
        distribution = point.dist.name if point.dist is not None else point.value
        version = None if point.dist is None else point.dist.version
        try:
            found = [TypeEntry.of(cls, canonicalize_name(distribution), version) for cls in classes_of(point.load())]
            if reason := _unfit(point.dist):
                self._leave_out(point.name, distribution, reason, _names(found))
                return
            self.add(found)
        except Exception as error:  # whatever a foreign module does wrong while it is imported
            self._leave_out(point.name, distribution, _unfit(point.dist) or f"{type(error).__name__}: {error}")
            return
        if version is not None:
            self._versions[distribution] = version

    def take(self, plugin: InstalledPlugin) -> None:
        """Take a plugin with an environment of its own."""
        try:
            entries, manifest, processes = plugin.entries()
            if reason := _unfit(plugin.distribution):
                self._leave_out(plugin.name, str(plugin), reason, _names(entries))
                return
            self.add(entries)
        except Exception as error:
            message = str(error) if isinstance(error, PenstockError) else f"{type(error).__name__}: {error}"
            self._leave_out(plugin.name, str(plugin), message)
            return
        self._processes.append(processes)
        self._versions[plugin.name] = plugin.version
        if manifest.left_out:
            reason = "conditions, task runners and control flow cannot run in an environment of their own"
            self._leave_out(", ".join(manifest.left_out), str(plugin), reason, manifest.left_out)

    def add(self, entries: Sequence[TypeEntry]) -> None:
        """Add types; raises DuplicateTypeError when a name is taken, which is the mistake of whoever comes later."""
        TypeRegistry([*self._entries, *entries])
        self._entries.extend(entries)

    def _leave_out(self, name: str, distribution: str, reason: str, types: Sequence[str] = ()) -> None:
        self._broken.append(BrokenPlugin(name, distribution, reason, tuple(types)))

    def plugins(self, default_version: str) -> Plugins:
        """Return all of them."""
        refused = {name: str(one) for one in self._broken for name in one.types}
        registry = TypeRegistry(self._entries, refused, default_version=default_version)
        return Plugins(registry, tuple(self._broken), self._versions, tuple(self._processes))


def _names(entries: Iterable[TypeEntry]) -> list[str]:
    return [name for entry in entries for name in (entry.name, *entry.aliases)]


def _unfit(distribution: Distribution | None) -> str | None:
    """Return why a distribution does not go with this server: it says so by its requirement of `penstock`."""
    wanted = map(Requirement, (distribution.requires or ()) if distribution is not None else ())
    version = penstock_version()
    for one in wanted:
        applies = one.marker is None or one.marker.evaluate({"extra": ""})
        if canonicalize_name(one.name) == "penstock" and applies and not one.specifier.contains(version, True):
            return f"it needs penstock{one.specifier}, and this is {version}"
    return None
