"""Secrets that an execution has come to hold: known by the calls that give them, never by their values (BEY-061).

Workers ask for them again before a task of the execution runs, so that they can hide them in what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from penstock.base.codec import from_json, to_json_text
from penstock.engine.records import Execution
from penstock.expressions.encrypted import OPENING

CONFIDENTIAL = frozenset({"secret", "credential", "decrypt", OPENING})
"""The functions whose answers must not show up in what people read."""


def call_text(function: str, arguments: dict[str, Any]) -> str:
    """Return a call as it is kept."""
    return to_json_text([function, arguments])


def together(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """Return calls, each once; those known as they are when nothing is new."""
    result = tuple(dict.fromkeys((*known, *more)))
    return known if len(result) == len(known) else result


def handed_on(execution: Execution, more: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the calls of an execution as another one, perhaps of another namespace, can make them."""
    return tuple(_anywhere(together(execution.confidential, more), execution.namespace))


def _anywhere(calls: Iterable[str], namespace: str) -> Iterator[str]:
    for call in calls:
        function, arguments = from_json(call)
        if function == "secret":
            yield call_text(function, {**arguments, "namespace": arguments.get("namespace") or namespace})
        elif not (function == OPENING and "input" in arguments):  # which is opened for its own flow alone
            yield call
