"""Pausing and resuming flows and triggers on a server. Implements BEY-041 in part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.base.clock import SystemClock, from_iso, to_iso
from penstock.base.durations import DurationError, parse_duration
from penstock.base.errors import InvalidRequestError
from penstock.cli.ctl.options import Pause
from penstock.cli.remote import Remote, path_of
from penstock.cli.terminal import say


def pause(remote: Remote, name: str, place: Sequence[str], wanted: Pause) -> None:
    """Pause a flow or trigger until a time; without one, until it is resumed."""
    order = {"state": "DISABLED"}
    if wanted.until is not None:
        order = {"state": "PAUSED", "until": _instant(wanted.until)}
    if wanted.reason is not None:
        order["reason"] = wanted.reason
    switch = remote.ask("PUT", path_of(*place, "switch"), json=order).json()
    say(f"{name} is {told(switch)}")


def resume(remote: Remote, name: str, place: Sequence[str]) -> None:
    """Let a flow or trigger be what its source says again."""
    remote.ask("DELETE", path_of(*place, "switch"))
    say(f"{name} is what its source says")


def told(switch: Mapping[str, Any]) -> str:
    """Return what a switch says in words; nothing where there is none."""
    if not switch:
        return ""
    parts = [
        switch["state"].lower(),
        f"until {switch['until'][:19]}Z" if switch.get("until") else "",
        f"by {switch['by']}" if switch.get("by") else "",
    ]
    return " ".join(filter(None, parts)) + (f": {switch['reason']}" if switch.get("reason") else "")


def _instant(text: str) -> str:
    """Return a date, or the end of a duration from now, as the server wants it."""
    try:
        if text.upper().startswith("P"):
            return to_iso(SystemClock().now() + parse_duration(text))
        return to_iso(from_iso(text))
    except (DurationError, ValueError) as error:
        raise InvalidRequestError(
            f"`{text}` is neither a date nor a duration", hint="write 2026-03-01T08:00:00Z or PT2H"
        ) from error
