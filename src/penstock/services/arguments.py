"""Functions that expressions and tasks call on the server: what each may do, and their arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from penstock.base.errors import InvalidRequestError
from penstock.services.file_access import Caller

Answer = Callable[[Caller, Mapping[str, Any]], Awaitable[Any]]


class Effect(Enum):
    """What a function does to something that outlives the attempt that asks."""

    READS = "reads"
    """Nothing."""
    WRITES = "writes"
    """Changes it: only the worker that has the attempt may, which is looked at before (BEY-003)."""
    FENCED = "fenced"
    """Changes it, and looks itself whether the worker has the attempt, in the transaction that writes."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function: how it answers, and what that changes."""

    answer: Answer
    effect: Effect


def reading(answer: Answer) -> Function:
    """Return a function that changes nothing."""
    return Function(answer, Effect.READS)


def writing(answer: Answer) -> Function:
    """Return a function that is refused to a worker without the attempt."""
    return Function(answer, Effect.WRITES)


def fenced(answer: Answer) -> Function:
    """Return a function that hands `Caller.held` to the transaction that writes."""
    return Function(answer, Effect.FENCED)


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
