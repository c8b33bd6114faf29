"""What `penstock plugin new` does: write a package with two types and the tests they pass. Implements PLG-005."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from packaging.version import Version

from penstock.base.errors import ConflictError, InvalidRequestError

_SUFFIX = ".tmpl"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PREFIX = re.compile(r"[a-z][a-zA-Z0-9_]*(\.[a-z][a-zA-Z0-9_]*)+")


def create_plugin(name: str, prefix: str | None, folder: Path, version: str) -> Path:
    """Write the package and return its folder.

    Args:
        name: What it is about, such as `weather`; `penstock-weather` says the same.
        prefix: What the names of its types begin with; `org.example.<name>` by default.
        folder: Where the package's own folder is made.
        version: The version of Penstock it is written for.

    Raises:
        InvalidRequestError: The name or the prefix cannot be used.
        ConflictError: The package's folder is there already.
    """
    name = name.removeprefix("penstock-")
    if not _NAME.fullmatch(name):
        raise InvalidRequestError(
            f"`{name}` cannot be the name of a plugin", hint="use small letters and digits, with hyphens in between"
        )
    module = name.replace("-", "_")
    prefix = prefix or f"org.example.{module}"
    if not _PREFIX.fullmatch(prefix) or any(keyword.iskeyword(part) for part in prefix.split(".")):
        raise InvalidRequestError(
            f"`{prefix}` cannot begin names of types", hint="write one such as org.example.weather"
        )
    target = folder / f"penstock-{name}"
    if target.exists():
        raise ConflictError(f"{target} is there already", hint="choose another name, or another folder with --into")
    words = {
        "name": name,
        "distribution": f"penstock-{name}",
        "package": f"penstock_{module}",
        "prefix": prefix,
        "title": name.replace("-", " ").capitalize(),
        "version": Version(version).base_version,
    }
    _write(files("penstock.cli") / "plugin_template", target, words)
    return target


def _write(source: Traversable, target: Path, words: dict[str, str]) -> None:
    target.mkdir(parents=True)
    for entry in sorted(source.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            _write(entry, target / (words["package"] if entry.name == "package" else entry.name), words)
        elif entry.name.endswith(_SUFFIX):
            name = entry.name.removesuffix(_SUFFIX)
            text = Template(entry.read_text(encoding="utf-8")).substitute(words)
            (target / (".gitignore" if name == "gitignore" else name)).write_text(text, encoding="utf-8")
