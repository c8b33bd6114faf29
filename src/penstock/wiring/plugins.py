"""The registry of types: what is built in, and what installed plugins add. Implements PLG-001, PLG-006, OPS-075 (part).

A plugin is a distribution with an entry point in the group `penstock.plugins` that names a sequence of classes, or a
module with such a sequence called `TYPES`. One that cannot be loaded is reported and left out, and so is one whose
requirement of `penstock` does not hold (PLG-006).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from penstock.builtin import TYPES
from penstock.model.registry import TypeEntry, TypeRegistry
from penstock.sdk import TaskFunction
from penstock.wiring.version import penstock_version

GROUP = "penstock.plugins"


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
    """The installed version of each distribution."""


def load_plugins(points: Iterable[EntryPoint] | None = None, *, types: Iterable[Any] = ()) -> Plugins:
    """Return the built-in types with those of installed plugins.

    Args:
        points: The entry points to load; those of the installed distributions by default.
        types: Further types, such as a plugin's own under test.
    """
    entries = [TypeEntry.of(cls) for cls in TYPES]
    entries += [TypeEntry.of(cls, "under test") for cls in classes_of(tuple(types))]
    broken = []
    versions = {"penstock": penstock_version()}
    for point in entry_points(group=GROUP) if points is None else points:
        distribution = point.dist.name if point.dist is not None else point.value
        try:
            found = [TypeEntry.of(cls, distribution) for cls in classes_of(point.load())]
            if reason := _unfit(point.dist):
                names = tuple(name for entry in found for name in (entry.name, *entry.aliases))
                broken.append(BrokenPlugin(point.name, distribution, reason, names))
                continue
            TypeRegistry([*entries, *found])  # a name that is taken already is this plugin's mistake
        except Exception as error:  # whatever a foreign module does wrong while it is imported
            reason = _unfit(point.dist) or f"{type(error).__name__}: {error}"
            broken.append(BrokenPlugin(point.name, distribution, reason))
            continue
        entries.extend(found)
        if point.dist is not None:
            versions[distribution] = point.dist.version
    refused = {name: str(one) for one in broken for name in one.types}
    return Plugins(TypeRegistry(entries, refused), tuple(broken), versions)


def _unfit(distribution: Distribution | None) -> str | None:
    """Return why a distribution does not go with this server: it says so by its requirement of `penstock`."""
    wanted = map(Requirement, (distribution.requires or ()) if distribution is not None else ())
    version = penstock_version()
    for one in wanted:
        applies = one.marker is None or one.marker.evaluate({"extra": ""})
        if canonicalize_name(one.name) == "penstock" and applies and not one.specifier.contains(version, True):
            return f"it needs penstock{one.specifier}, and this is {version}"
    return None


def classes_of(loaded: Any) -> Sequence[type[Any]]:
    """Return the classes that an entry point, or a plugin's `TYPES`, stands for; of decorated functions theirs.

    Raises:
        TypeError: It stands for none.
    """
    found = getattr(loaded, "TYPES", loaded)
    if isinstance(found, type | TaskFunction):
        found = [found]
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise TypeError("the entry point names neither classes nor a module with TYPES")
    return [one.task_type if isinstance(one, TaskFunction) else one for one in found]
