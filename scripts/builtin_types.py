"""Writes src/penstock/builtin/types.json anew: the types every server has, and the modules their classes are in.

Servers read it instead of importing all those modules. Run it as `python -m scripts.builtin_types` after a change of a
type's name, older names or module.
"""

from __future__ import annotations

import json
import pkgutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import penstock.builtin
from penstock.model.deferred import declared_types
from penstock.model.registry import TypeEntry

TARGET = Path(penstock.builtin.__file__).with_name("types.json")


def index() -> str:
    """Return the text of the file: a line for each type, by name."""
    rows = []
    for module in _modules():
        for name, cls in declared_types(import_module(module)).items():
            entry = TypeEntry.of(cls)
            rows.append({"name": name, "kind": entry.kind, "module": module, "aliases": list(entry.aliases)})
    lines = [json.dumps(row) for row in sorted(rows, key=lambda row: str(row["name"]))]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _modules() -> list[str]:
    """Return the modules that speak of type names; others need not be importable here."""
    found = (one.name for one in pkgutil.walk_packages(penstock.builtin.__path__, "penstock.builtin."))
    return [name for name in found if "type_name" in _source(name)]


def _source(module: str) -> str:
    spec = find_spec(module)
    return Path(spec.origin).read_text(encoding="utf-8") if spec is not None and spec.origin is not None else ""


if __name__ == "__main__":
    TARGET.write_text(index(), encoding="utf-8")
