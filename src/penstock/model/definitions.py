"""Definitions of tasks, triggers, conditions and task runners: completing them, and finding what is wrong with them.

A definition is a map with a `type`; the class of that type in the registry says what else it may hold. Definitions
stand in definitions (a task in a `Sequential`, a runner in a script): `map_definitions` finds them by the marks on the
class's annotations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from penstock.base.errors import PenstockError
from penstock.model.complaints import Complaint, complaints
from penstock.model.defaults import DefaultsStack
from penstock.model.problems import Path
from penstock.model.registry import Found, TypeEntry, TypeKind, TypeRegistry
from penstock.model.scalars import written
from penstock.model.wanted import Amount, Shape, Wanted, shape_of

Visit = Callable[[dict[str, Any], TypeKind | None, Path], Any]
"""Called with each definition found, its kind (None for an input) and its path; returns what takes its place."""


def map_definitions(value: Any, wanted: Wanted, path: Path, visit: Visit) -> Any:
    """Return a property's value with every definition directly in it replaced by what `visit` makes of it."""
    if wanted.kind is not None or wanted.inputs:
        return _map_marked(value, wanted, path, visit)
    if wanted.model is not None and isinstance(value, dict):
        return map_nested(value, shape_of(wanted.model), path, visit)
    if wanted.items is not None and isinstance(value, list):
        inner = wanted.items
        return [map_definitions(item, inner, (*path, index), visit) for index, item in enumerate(value)]
    if wanted.values is not None and isinstance(value, dict):
        inner = wanted.values
        return {key: map_definitions(item, inner, (*path, key), visit) for key, item in value.items()}
    return value


def _map_marked(value: Any, wanted: Wanted, path: Path, visit: Visit) -> Any:
    if isinstance(value, list):
        return [
            visit(item, wanted.kind, (*path, index)) if isinstance(item, dict) else item
            for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    if wanted.amount is Amount.LISTS:
        return {key: _map_marked(item, wanted, (*path, key), visit) for key, item in value.items()}
    return visit(value, wanted.kind, path) if wanted.amount is Amount.ONE else value


def map_nested(definition: dict[str, Any], shape: Shape, path: Path, visit: Visit) -> dict[str, Any]:
    """Return a model's map with every definition directly in its properties replaced by what `visit` makes of it."""
    result = definition
    for field in shape.nesting:
        for name in (field.name, *field.older_names):
            if name in definition:
                if result is definition:
                    result = dict(definition)
                result[name] = map_definitions(definition[name], field.wanted, (*path, name), visit)
    return result


class Completer:
    """Brings definitions into the form their classes are made from: today's names, defaults applied.

    Args:
        registry: The types there are.
        defaults: Plugin defaults, nearest level first.
    """

    def __init__(self, registry: TypeRegistry, defaults: DefaultsStack) -> None:
        self.registry = registry
        self.defaults = defaults

    def find(self, definition: Mapping[str, Any]) -> Found | None:
        """Return the type of a definition, in the version that it, or a default, wants (GOV-381)."""
        name = definition.get("type")
        if not isinstance(name, str) or (found := self.registry.find(name)) is None or found.entry.version is None:
            return found if isinstance(name, str) else None
        return self.registry.find_for(name, self.version(definition, found.entry))

    def version(self, definition: Mapping[str, Any], entry: TypeEntry) -> str | None:
        """Return the version that a definition, or a default, wants."""
        soft, forced = self.defaults.of(entry)
        wanted = forced.get("version", definition.get("version", soft.get("version")))
        return None if wanted is None else str(written(wanted))

    def why_refused(self, definition: Mapping[str, Any], name: str) -> str | None:
        """Return why the type of a definition cannot be had though its plugin is installed."""
        known = self.registry.find(name)
        return self.registry.why_refused(name, None if known is None else self.version(definition, known.entry))

    def complete(self, definition: Mapping[str, Any], entry: TypeEntry) -> dict[str, Any]:
        """Return one definition of a known type completed; those inside it are left as they are."""
        by_name = shape_of(entry.cls).by_name
        result: dict[str, Any] = {}
        for key, value in definition.items():
            field = by_name.get(key)
            if field is None or field.name == key:
                result[key] = value
            elif field.name not in definition:
                result[field.name] = value
        result["type"] = entry.name
        return dict(self.defaults.apply(result, entry))

    def complete_all(self, definition: dict[str, Any], *, tasks: bool = True) -> dict[str, Any]:
        """Return a definition completed with all those inside it; of an unknown type, as it is.

        Args:
            definition: As written.
            tasks: Whether tasks inside it are completed too.
        """
        found = self.find(definition)
        if found is None:
            return definition

        def visit(inner: dict[str, Any], kind: TypeKind | None, path: Path) -> Any:
            return inner if kind is None or (kind is TypeKind.TASK and not tasks) else self.complete_all(inner)

        return map_nested(self.complete(definition, found.entry), shape_of(found.entry.cls), (), visit)


def make(entry: TypeEntry, definition: Mapping[str, Any]) -> tuple[BaseModel | None, Sequence[Complaint]]:
    """Return the instance that a completed definition describes, or what keeps it from being made."""
    return make_model(entry.cls, definition)


def make_model(model: type[BaseModel], data: Any) -> tuple[Any, Sequence[Complaint]]:
    """Return the instance of a model for this data, or what is wrong with the data; never raises."""
    try:
        return model.model_validate(data), ()
    except ValidationError as error:
        return None, complaints(error, data, model)
    except PenstockError as error:
        return None, [Complaint((), error.message, error.hint)]
    except Exception as error:  # a plugin's own validator that fails must not take the parser down
        return None, [Complaint((), f"cannot be read: {type(error).__name__}: {error}")]
