"""Service levels: how long an execution may run, and what must hold while it does (ENG-246 to ENG-250)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.base.durations import parse_duration
from penstock.base.errors import PenstockError
from penstock.engine.ending import set_labels
from penstock.engine.killing import stop
from penstock.engine.states import StateType
from penstock.engine.turn import Turn, replace
from penstock.expressions import is_truthy

OPEN = (StateType.RUNNING, StateType.PAUSED, StateType.BREAKPOINT, StateType.RETRYING)


def set_deadlines(turn: Turn) -> None:
    """Have the execution woken when it has run as long as it may."""
    for sla in turn.flow.sla:
        if sla["type"] == "MAX_DURATION":
            turn.set_timer(turn.now + parse_duration(sla["duration"]), "sla", sla["id"])


def deadline_passed(turn: Turn, sla_id: str | None) -> None:
    """The execution has run as long as it may."""
    sla = next((one for one in turn.flow.sla if one["id"] == sla_id), None)
    if sla is not None and turn.execution.state.current in OPEN:
        _breach(turn, sla, f"it has run longer than {sla['duration']}")


def check_assertions(turn: Turn) -> None:
    """Look whether what must hold still holds; what cannot be rendered yet is no breach (ENG-248)."""
    for sla in turn.flow.sla:
        if sla["type"] != "EXECUTION_ASSERTION" or turn.execution.state.current not in OPEN:
            continue
        if sla["id"] in turn.execution.cursor.memory.get("breached", ()):
            continue
        try:
            holds = is_truthy(turn.render(sla["assert"]))
        except PenstockError:
            continue
        if not holds:
            _breach(turn, sla, f"`{sla['assert']}` does not hold")


def _breach(turn: Turn, sla: Mapping[str, Any], reason: str) -> None:
    cursor = turn.execution.cursor
    breached = [*cursor.memory.get("breached", ()), sla["id"]]
    turn.set_cursor(None, replace(cursor, memory={**cursor.memory, "breached": breached}))
    turn.log("WARN" if sla["behavior"] == "NONE" else "ERROR", f"SLA `{sla['id']}` is breached: {reason}")
    if sla.get("labels"):
        set_labels(turn, tuple((str(key), str(value)) for key, value in sla["labels"].items()))
    if sla["behavior"] == "CANCEL":
        stop(turn, StateType.CANCELLED)
    elif sla["behavior"] == "FAIL":
        stop(turn, StateType.FAILED)
