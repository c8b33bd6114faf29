"""The schema of flows with the built-in types that is made with the package, by `python -m scripts.flow_schema`.

The file's name tells the sources it was made from. Where those have changed since, or plugins add types, there is no
such file for them, and a server makes the schema itself.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import penstock
from penstock.model.registry import TypeKind, TypeRegistry
from penstock.wiring.plugins import builtin_types

PATTERN = "flow-*.json.gz"
"""The names of such files in the package of the built-in types."""
_SOURCES = ("builtin", "model", "sdk")
"""The packages that the schema follows from."""


def built_schema(registry: TypeRegistry) -> bytes | None:
    """Return the schema of flows with these types as compressed JSON; None where it is still to be made."""
    there = {entry.name: entry for kind in TypeKind for entry in registry.of_kind(kind)}
    if there != {entry.name: entry for entry in builtin_types()}:
        return None
    file = files("penstock.builtin") / file_name()
    return file.read_bytes() if file.is_file() else None


def file_name() -> str:
    """Return the name of the file for the sources as they are."""
    digest = hashlib.sha256()
    root = Path(penstock.__file__).parent
    for package in _SOURCES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return PATTERN.replace("*", digest.hexdigest()[:16])
