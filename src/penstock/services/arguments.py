"""Arguments of functions that expressions and tasks call on the server: reading them, with errors that name them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from penstock.base.errors import InvalidRequestError
from penstock.services.file_access import Caller

Function = Callable[[Caller, Mapping[str, Any]], Awaitable[Any]]


def text_argument(arguments: Mapping[str, Any], name: str) -> str:
    """Return a text that is not empty."""
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(f"argument `{name}` must be a text that is not empty")
    return value


def path_argument(arguments: Mapping[str, Any], name: str) -> str:
    """Return a path; a list with one element counts as its element (ENG-419)."""
    value = arguments.get(name)
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(f"argument `{name}` must be one path or URI")
    return value


def namespace_argument(caller: Caller, arguments: Mapping[str, Any]) -> str:
    """Return the namespace asked for: the caller's own by default."""
    return str(arguments.get("namespace") or caller.namespace)
