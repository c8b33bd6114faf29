"""Labels of an execution: the flow's, those given at its launch, and the system's own."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.base.errors import InvalidRequestError
from penstock.engine.records import Labels

SYSTEM_PREFIX = "system."
CORRELATION_ID = "system.correlationId"
USERNAME = "system.username"
PRIORITY = "system.priority"
"""A whole number; executions of a higher one go first (BEY-011)."""
_MAY_BE_GIVEN = frozenset({CORRELATION_ID, "system.from", PRIORITY})


class ReservedLabelError(InvalidRequestError):
    """A label of the system is to be set by hand."""

    code = "RESERVED_LABEL"
    hint = f"labels that begin with `{SYSTEM_PREFIX}` are set by the server; choose another name"


def launch_labels(inherited: Labels, given: Labels, execution_id: str, username: str | None) -> Labels:
    """Return the labels an execution begins with. Implements ENG-026, ENG-027, ENG-034, ENG-035.

    Raises:
        ReservedLabelError: A given label belongs to the system and may not be given.
    """
    labels = dict(inherited)
    for key, value in given:
        if key.startswith(SYSTEM_PREFIX) and key not in _MAY_BE_GIVEN:
            raise ReservedLabelError(f"label `{key}` is reserved")
        if key == PRIORITY:
            _check_priority(value)
        labels[key] = value
    labels.setdefault(CORRELATION_ID, execution_id)
    if username is not None:
        labels[USERNAME] = username
    return tuple(labels.items())


def _check_priority(value: str) -> None:
    try:
        int(value)
    except ValueError:
        raise InvalidRequestError(
            f"label `{PRIORITY}` is `{value}`", hint="give a whole number; executions of a higher one go first"
        ) from None


def changed_labels(labels: Iterable[tuple[str, str]]) -> Labels:
    """Return labels to set on an execution that exists. Implements ENG-028, ENG-034.

    Raises:
        ReservedLabelError: One belongs to the system.
    """
    result = tuple(labels)
    for key, _ in result:
        if key.startswith(SYSTEM_PREFIX):
            raise ReservedLabelError(f"label `{key}` is reserved")
    return result
