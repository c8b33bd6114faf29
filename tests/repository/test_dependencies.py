"""What the code imports is what the package asks for."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
OURS = {"bench", "examples", "penstock", "scripts", "tests"}
PARTS_OF_OTHERS = {"pydantic_core": "pydantic", "starlette": "fastapi", "urllib3": "docker"}
"""Documented as theirs, and installed with them."""
PEERS = {"dagster", "dbos", "prefect"}
"""Measured beside Penstock, each in an environment of its own."""
READERS = {"ansible"}
"""They read the file that imports them, where they are; Penstock does not."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]


def imports(folder: str) -> dict[str, set[str]]:
    """Return the foreign top-level modules imported under a folder, each with the files that do."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for name in names:
                top = name.split(".")[0]
                if top not in OURS | PEERS | READERS and top not in sys.stdlib_module_names:
                    found.setdefault(top, set()).add(str(path.relative_to(ROOT)))
    return found


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in requirements}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [("src", [extra for extra in EXTRAS if extra != "dev"]), ("tests", list(EXTRAS)), ("bench", list(EXTRAS))],
)
def test_imports_of_a_folder_come_from_declared_packages(folder: str, extras: list[str]) -> None:
    declared = names(PROJECT["dependencies"]).union(*(names(EXTRAS[extra]) for extra in extras))
    homes = packages_distributions()
    undeclared = {
        module: files
        for module, files in imports(folder).items()
        if not declared
        & {canonicalize_name(home) for home in [*homes.get(module, []), PARTS_OF_OTHERS.get(module, "-")]}
    }
    assert undeclared == {}
