"""Whether a trigger of type Flow may ever react to a flow, as far as its definition tells. Pure.

Conditions on names are decided here; those on states, labels and dates may hold one day and not the next, so they say
nothing. Each answer is True, False, or None for `it depends`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.ports.flows import FlowName

Answer = bool | None


def may_react(trigger: Mapping[str, Any], flow: FlowName) -> bool:
    """Return whether a trigger may react to executions of a flow. Implements UI-064 in part."""
    preconditions = _map(trigger.get("preconditions"))
    listed = trigger.get("dependsOn") or preconditions.get("flows")
    if isinstance(listed, list) and not any(_names(_map(one), flow) for one in listed):
        return False
    for where in _list(preconditions.get("where")):
        if any(_holds(_map(one), flow) is False for one in _list(_map(where).get("filters"))):
            return False
    return all(_condition(_map(one), flow) is not False for one in _list(trigger.get("conditions")))


def _names(wanted: Mapping[str, Any], flow: FlowName) -> bool:
    return wanted.get("namespace") == flow[0] and wanted.get("flowId") in (None, flow[1])


def _condition(condition: Mapping[str, Any], flow: FlowName) -> Answer:
    name = str(condition.get("type")).rpartition(".")[2].removesuffix("Condition")
    judge = _CONDITIONS.get(name)
    return None if judge is None else judge(condition, flow)


def _flow(condition: Mapping[str, Any], flow: FlowName) -> Answer:
    return (condition.get("namespace"), condition.get("flowId")) == flow


def _namespace(condition: Mapping[str, Any], flow: FlowName) -> Answer:
    wanted = str(condition.get("namespace"))
    how = condition.get("comparison") or ("PREFIX" if condition.get("prefix") is True else "EQUALS")
    if how == "PREFIX":
        return flow[0].startswith(wanted)
    return flow[0].endswith(wanted) if how == "SUFFIX" else flow[0] == wanted


def _any(condition: Mapping[str, Any], flow: FlowName) -> Answer:
    inner = condition.get("conditions")
    answers = [_condition(_map(one), flow) for one in (inner.values() if isinstance(inner, Mapping) else _list(inner))]
    if any(answers):
        return True
    return None if None in answers else False


def _none(condition: Mapping[str, Any], flow: FlowName) -> Answer:
    found = _any(condition, flow)
    return None if found is None else not found


_CONDITIONS: Mapping[str, Callable[[Mapping[str, Any], FlowName], Answer]] = {
    "ExecutionFlow": _flow,
    "ExecutionNamespace": _namespace,
    "Or": _any,
    "Not": _none,
    # Its parts are met by one execution after the other: each by itself is a reason to react.
    "Multiple": _any,
}
_COMPARED: Mapping[str, Callable[[str, Sequence[str]], bool]] = {
    "EQUAL_TO": lambda actual, wanted: actual == wanted[0],
    "NOT_EQUAL_TO": lambda actual, wanted: actual != wanted[0],
    "IN": lambda actual, wanted: actual in wanted,
    "NOT_IN": lambda actual, wanted: actual not in wanted,
    "STARTS_WITH": lambda actual, wanted: actual.startswith(wanted[0]),
    "ENDS_WITH": lambda actual, wanted: actual.endswith(wanted[0]),
    "CONTAINS": lambda actual, wanted: wanted[0] in actual,
}


def _holds(one: Mapping[str, Any], flow: FlowName) -> Answer:
    actual = {"NAMESPACE": flow[0], "FLOW_ID": flow[1]}.get(str(one.get("field")))
    compared = _COMPARED.get(str(one.get("type")))
    given = one.get("values") if one.get("values") is not None else one.get("value")
    wanted = [str(value) for value in (given if isinstance(given, list) else [given])]
    return None if actual is None or compared is None or not wanted else compared(actual, wanted)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
