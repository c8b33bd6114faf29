"""How plugins are found: entry points of a group, each standing for classes. Implements PLG-003."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock.sdk.function import TaskFunction

GROUP = "penstock.plugins"


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
