"""Keys of the configuration, whichever way they are spelled.

Implements OPS-047 (environment names) and OPS-048 (kebab-case and camelCase are one key). A configuration is handled
flat, as paths and values, so that laying one source over another is a dictionary update.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]
"""A key as its canonical parts, such as `("kestra", "storage", "local", "base-path")`."""

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET = re.compile(
    r"password|secret|token|key|pem|service-account|connection-string|fingerprint|authorization|credential"
)
VERBATIM: frozenset[Path] = frozenset(
    {
        ("logger", "levels"),
        ("kestra", "concurrency", "pools"),
        ("kestra", "concurrency", "namespaces"),
        ("kestra", "concurrency", "labels"),
        ("kestra", "admission", "namespaces"),
    }
)
"""Below these, keys are names with dots and capitals of their own."""
ROOTS = {"penstock": "kestra"}
"""Own spellings of the documented top-level key."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value and the place it was read from."""

    value: Any
    source: str


Values = dict[Path, Value]


def kebab(part: str) -> str:
    """Return one part of a key in its canonical spelling: `basePath` and `base-path` are the same."""
    return _BOUNDARY.sub("-", part).lower()


def path_of(key: str) -> Path:
    """Return the canonical path of a dotted key."""
    parts = [kebab(part) for part in key.strip().split(".")]
    return (ROOTS.get(parts[0], parts[0]), *parts[1:])


def dotted(path: Path) -> str:
    """Return a path as people write it."""
    return ".".join(path)


def environment_name(path: Path) -> str:
    """Return the environment variable that binds a path: upper case, `.` and `-` turned into `_` (OPS-047)."""
    return "_".join(path).replace("-", "_").replace(".", "_").upper()


def is_secret(path: Path) -> bool:
    """Return whether the value under a path must not be shown (OPS-214)."""
    return any(_SECRET.search(part) for part in path[1:])


def flatten(tree: Mapping[Any, Any], source: str) -> Values:
    """Return a nested document as paths and values; lists are values, empty entries are left out."""
    return {path: Value(value, source) for path, value in _leaves((), tree)}


def _leaves(prefix: Path, tree: Mapping[Any, Any]) -> Iterator[tuple[Path, Any]]:
    for key, value in tree.items():
        below = _below(prefix, str(key))
        if isinstance(value, Mapping):
            yield from _leaves(below, value)
        elif value is not None:
            yield below, value


def _below(prefix: Path, key: str) -> Path:
    if prefix in VERBATIM:
        return (*prefix, key)
    return (*prefix, *(kebab(part) for part in key.split("."))) if prefix else path_of(key)


def nest(values: Mapping[Path, Any]) -> dict[str, Any]:
    """Return paths and values as a nested document; a deeper key replaces a value above it."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        level = tree
        for part in path[:-1]:
            inner = level.get(part)
            if not isinstance(inner, dict):
                inner = level[part] = {}
            level = inner
        level[path[-1]] = value
    return tree


def overlay(below: Values, above: Values) -> Values:
    """Return both, the upper one winning; a value there also hides what the lower one has beneath the same key."""
    hidden = {path for path in below if any(path[:length] in above for length in range(1, len(path)))}
    return {**{path: value for path, value in below.items() if path not in hidden}, **above}
