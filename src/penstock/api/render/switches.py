"""What people say of flows and triggers, apart from their sources, as JSON.

Implements BEY-041.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.api.render.instants import iso, iso_or_none
from penstock.ports.flows import StoredFlow
from penstock.ports.switches import Switch, SwitchName


def render_switch(switch: Switch, *, is_off: bool) -> dict[str, Any]:
    """Return what is said, with what the source says.

    Args:
        switch: What is said.
        is_off: Whether the source disables the flow or trigger.
    """
    optional = {
        "triggerId": switch.trigger_id or None,
        "until": iso_or_none(switch.until),
        "by": switch.by,
        "reason": switch.reason,
    }
    return {
        "namespace": switch.namespace,
        "flowId": switch.flow_id,
        "state": switch.state,
        "since": iso(switch.since),
        "source": "DISABLED" if is_off else "ENABLED",
        "drift": switch.disables is not is_off,
        **{key: value for key, value in optional.items() if value is not None},
    }


def render_switches(
    flow: StoredFlow, definition: Mapping[str, Any], said: Mapping[SwitchName, Switch]
) -> dict[str, Any]:
    """Return what a flow shows of its own switch and those of its triggers; nothing when there are none."""
    off = {"": flow.disabled} | {str(one.get("id")): is_off(one) for one in triggers_of(definition)}
    found = [
        render_switch(said[flow.namespace, flow.id, name], is_off=disabled)
        for name, disabled in off.items()
        if (flow.namespace, flow.id, name) in said
    ]
    return {"switches": found} if found else {}


def with_switch(context: dict[str, Any], switch: Switch | None, *, is_off: bool) -> dict[str, Any]:
    """Return a trigger's state with what is said of the trigger; `is_off` is what its source says."""
    if switch is None:
        return context
    return context | {"disabled": switch.disables, "switch": render_switch(switch, is_off=is_off)}


def with_hold(context: dict[str, Any], flow: StoredFlow, switch: Switch | None) -> dict[str, Any]:
    """Return a trigger's state with whether its flow starts nothing; `switch` is what is said of that flow."""
    if not (switch.disables if switch else flow.disabled):
        return context
    held: dict[str, Any] = {"heldByFlow": True}
    return context | held | ({"flowSwitch": render_switch(switch, is_off=flow.disabled)} if switch else {})


def triggers_of(definition: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Return the triggers in a flow's plain data."""
    return [one for one in definition.get("triggers") or () if isinstance(one, Mapping)]


def is_off(definition: Mapping[str, Any] | None) -> bool:
    """Return whether the source disables what it defines."""
    return definition is not None and str(definition.get("disabled", False)).lower() == "true"
