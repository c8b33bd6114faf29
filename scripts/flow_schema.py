"""Makes the JSON Schema of flows with the built-in types, so that no server need, and only when the sources changed.

Run it as `python -m scripts.flow_schema` before a wheel is built; `make run` and `make test` do. Git ignores the file.
"""

from __future__ import annotations

from pathlib import Path

import penstock.builtin
from penstock.services.flow_schema import packed_flow_schema
from penstock.wiring.built_schema import PATTERN, file_name
from penstock.wiring.plugins import load_plugins

FOLDER = Path(penstock.builtin.__file__).parent


def build(folder: Path) -> bool:
    """Make the schema unless it is there; return whether anything was done."""
    file = folder / file_name()
    if file.is_file():
        return False
    packed = packed_flow_schema(load_plugins([]).registry)
    for older in folder.glob(PATTERN):
        older.unlink()
    file.write_bytes(packed)
    return True


if __name__ == "__main__" and build(FOLDER):
    print("The schema of flows is made.", flush=True)
