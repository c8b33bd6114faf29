"""Writes what follows from the classes of the built-in types: their index, and the table of them in the documentation.

Servers read the index, src/penstock/builtin/types.json, instead of importing all those modules. Run it as
`python -m scripts.builtin_types` after a change of a type's name, older names, module or first line of documentation.
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

import penstock.builtin
from penstock.model.deferred import declared_types
from penstock.model.registry import KIND_WORDS, TypeEntry
from penstock.services.plugins import is_deprecated, title_of

INDEX = Path(penstock.builtin.__file__).with_name("types.json")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "types.md"
_HEAD = """# Types

What a flow can name as a `type` of a task, trigger, condition or task runner on every server. `penstock plugins list`
shows those of a server with its plugins; `penstock plugins doc` writes the properties, outputs and examples of each,
and the older names that still work. The interface shows the same under **Plugins** and beside the editor.
"""


def entries() -> list[TypeEntry]:
    """Return all built-in types by name, as their classes say."""
    found = (TypeEntry.of(cls) for module in _modules() for cls in declared_types(import_module(module)).values())
    return sorted(found, key=lambda entry: entry.name)


def index(types: Iterable[TypeEntry]) -> str:
    """Return the text of the index: a line for each type."""
    return "[\n" + ",\n".join(json.dumps(_line(one)) for one in types) + "\n]\n"


def _line(entry: TypeEntry) -> dict[str, object]:
    line = {"name": entry.name, "kind": entry.kind, "module": entry.cls.__module__, "aliases": list(entry.aliases)}
    return {**line, "title": title_of(entry), **({"deprecated": True} if is_deprecated(entry) else {})}


def page(types: Iterable[TypeEntry]) -> str:
    """Return the page of the documentation: a table for each package of types."""
    return _HEAD + "".join(
        f"\n## {package}\n\n| type | is a | what it does |\n|---|---|---|\n" + "".join(map(_row, group))
        for package, group in groupby(types, lambda one: one.name.rpartition(".")[0])
    )


def _row(entry: TypeEntry) -> str:
    does = title_of(entry).replace("|", "\\|")
    return f"| `{entry.name.rpartition('.')[2]}` | {KIND_WORDS[entry.kind]} | {does} |\n"


def _modules() -> Iterator[str]:
    """Yield the modules that speak of type names; others need not be importable here."""
    for one in pkgutil.walk_packages(penstock.builtin.__path__, "penstock.builtin."):
        spec = find_spec(one.name)
        if spec is not None and spec.origin is not None and "type_name" in Path(spec.origin).read_text("utf-8"):
            yield one.name


if __name__ == "__main__":
    TYPES = entries()
    INDEX.write_text(index(TYPES), encoding="utf-8")
    PAGE.write_text(page(TYPES), encoding="utf-8")
