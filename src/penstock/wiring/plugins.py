"""The registry of types: what is built in, and what installed plugins add. Implements PLG-001, OPS-075 in part.

A plugin is a distribution with an entry point in the group `penstock.plugins` that names a sequence of classes, or a
module with such a sequence called `TYPES`. One that cannot be loaded is reported and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from penstock.builtin import TYPES
from penstock.model.registry import TypeEntry, TypeRegistry
from penstock.sdk import TaskFunction

GROUP = "penstock.plugins"


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plugin that was left out, and why."""

    name: str
    distribution: str
    reason: str

    def __str__(self) -> str:
        return f"plugin {self.name} of {self.distribution} is left out: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plugins:
    """All types, and the plugins that could not be loaded."""

    registry: TypeRegistry
    broken: tuple[BrokenPlugin, ...] = ()


def load_plugins(points: Iterable[EntryPoint] | None = None, *, types: Iterable[Any] = ()) -> Plugins:
    """Return the built-in types with those of installed plugins.

    Args:
        points: The entry points to load; those of the installed distributions by default.
        types: Further types, such as a plugin's own under test.
    """
    entries = [TypeEntry.of(cls) for cls in TYPES]
    entries += [TypeEntry.of(cls, "under test") for cls in classes_of(tuple(types))]
    broken = []
    for point in entry_points(group=GROUP) if points is None else points:
        distribution = point.dist.name if point.dist is not None else point.value
        try:
            found = [TypeEntry.of(cls, distribution) for cls in classes_of(point.load())]
            TypeRegistry([*entries, *found])  # a name that is taken already is this plugin's mistake
        except Exception as error:  # whatever a foreign module does wrong while it is imported
            broken.append(BrokenPlugin(point.name, distribution, f"{type(error).__name__}: {error}"))
            continue
        entries.extend(found)
    return Plugins(TypeRegistry(entries), tuple(broken))


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
