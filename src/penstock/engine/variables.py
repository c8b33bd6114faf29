"""What tasks change on an execution's variables, as single changes rather than as a whole.

Two tasks that run side by side read the same variables. Each hands in only what it changed itself, so that neither
undoes the other's work (ENG-201). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec


class VariableChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """One variable, at any depth of nested maps, that got another value or was removed."""

    path: tuple[str, ...]
    value: Any = None
    removed: bool = False


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[VariableChange]:
    """Yield what has to be changed to come from one set of variables to another; nested maps are compared inside."""
    for key in before:
        if key not in after:
            yield VariableChange((*path, key), removed=True)
    for key, value in after.items():
        old = before.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            yield from changes(old, value, (*path, key))
        elif key not in before or type(old) is not type(value) or old != value:
            yield VariableChange((*path, key), value)


def changed(variables: Mapping[str, Any], wanted: Iterable[VariableChange]) -> dict[str, Any]:
    """Return variables with changes made; what lies beside a change stays as it is."""
    result = dict(variables)
    for change in wanted:
        *above, last = change.path
        level = result
        for key in above:
            inner = level.get(key)
            level[key] = level = dict(inner) if isinstance(inner, Mapping) else {}
        if change.removed:
            level.pop(last, None)
        else:
            level[last] = change.value
    return result
