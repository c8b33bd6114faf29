"""How parts of a pod's description are put together: what is given more closely wins. Implements SCR-081, SCR-082."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_KEYS = ("mountPath", "devicePath", "containerPort", "name")
"""What tells the entries of a list apart; the first that an entry has."""


def merged(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return two maps as one.

    Maps inside are merged too. Of two lists of maps the defaults come first, without those that the own list has an
    entry for, such as a variable of the same name. Of two values of any other kind the own one stays.
    """
    result = dict(defaults)
    for key, value in own.items():
        result[key] = _merged_value(defaults.get(key), value)
    return result


def _merged_value(default: Any, own: Any) -> Any:
    if isinstance(default, Mapping) and isinstance(own, Mapping):
        return merged(default, own)
    if _is_entries(default) and _is_entries(own):
        return merged_entries(default, own)
    return own


def merged_entries(defaults: Sequence[Mapping[str, Any]], own: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return two lists of named entries as one: the defaults that the own list has no entry for come first."""
    taken = [_identity(entry) for entry in own]
    return [*(entry for entry in defaults if (name := _identity(entry)) is None or name not in taken), *own]


def _is_entries(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, Mapping) for one in value)


def _identity(entry: Mapping[str, Any]) -> tuple[str, Any] | None:
    for key in _KEYS:
        if key in entry:
            return key, entry[key]
    return None
