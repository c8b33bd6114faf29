"""Classes of types that are known by name before their modules are imported.

Importing a module with pydantic models takes milliseconds, and a server knows hundreds of types of which flows use a
few: the registry holds names, and a class comes when it is first asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class DeferredClass:
    """The place of a type's class, and what lists of types say of it."""

    module: str
    type_name: str
    title: str = ""
    """The first line of its documentation."""
    is_deprecated: bool = False

    def load(self) -> type[BaseModel]:
        """Return the class, having imported its module.

        Raises:
            ImportError: The module is not there, or needs a library that is not.
            KeyError: It declares no type of this name.
        """
        return _declared_in(self.module)[self.type_name]


@cache
def _declared_in(module: str) -> dict[str, type[BaseModel]]:
    return declared_types(import_module(module))


def declared_types(module: ModuleType) -> dict[str, type[BaseModel]]:
    """Return the classes with a type name that a module defines, by that name; those it makes are in its `TYPES`."""
    found = (*vars(module).values(), *getattr(module, "TYPES", ()))
    return {
        one.__dict__["type_name"]: one
        for one in found
        if isinstance(one, type) and one.__module__ == module.__name__ and one.__dict__.get("type_name")
    }
