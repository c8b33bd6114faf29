"""The messages a script writes between its lines: `::{"outputs": {...}}::`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_KEYS = frozenset({"outputs", "metrics", "logs", "encryptedOutputs", "assets"})
_OPEN, _CLOSE = "::{", "::"
_TRIES = 16
"""How many places of a line are tried: each may be read to the line's end."""


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse)


def messages_in(line: str) -> list[Mapping[str, Any]]:
    """Return the messages in a line; none when it is ordinary text. Implements SCR-033.

    What looks like a message but is no JSON object, or has none of the known keys, is ordinary text.
    """
    found: list[Mapping[str, Any]] = []
    start = line.find(_OPEN)
    for _ in range(_TRIES):
        if start < 0:
            break
        message, end = _message_at(line, start + len(_CLOSE))
        if message is not None:
            found.append(message)
        start = line.find(_OPEN, end)
    return found


def _message_at(line: str, start: int) -> tuple[Mapping[str, Any] | None, int]:
    """Return the message that begins there, if one does, and where to look on."""
    try:
        value, end = _decoder.raw_decode(line, start)
    except (ValueError, RecursionError):
        return None, start
    if not isinstance(value, dict) or not _KEYS & value.keys() or not line[end:].lstrip().startswith(_CLOSE):
        return None, start
    return value, end
