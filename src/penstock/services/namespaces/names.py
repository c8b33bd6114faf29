"""Names of namespaces: whether one can be, and which lie above it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penstock.base.errors import InvalidRequestError
from penstock.model.base import NAMESPACE_PATTERN

_NAMESPACE = re.compile(NAMESPACE_PATTERN)


def check_namespace(name: str) -> None:
    """Raise InvalidRequestError unless flows could have this namespace."""
    if not _NAMESPACE.fullmatch(name):
        raise InvalidRequestError(
            f"`{name}` is no namespace", hint="use words of letters, digits, `-` and `_`, with a dot between them"
        )


def lineage(name: str) -> Sequence[str]:
    """Return a namespace and those above it, nearest first: `a.b.c`, `a.b`, `a`."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
