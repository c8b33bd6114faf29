"""What a viewer of a dashboard narrows all its charts to, in the words of each chart's source.

A dashboard shows different things side by side: a filter reaches the charts whose source has such a field, and leaves
the others as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.base.clock import Instant
from penstock.base.errors import InvalidRequestError
from penstock.model.dashboards import Source
from penstock.ports.dashboards import ChartFilter
from penstock.ports.queries import Filter
from penstock.services.log_files import LEVELS


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is asked for beside the chart itself (API-049)."""

    start: Instant | None = None
    end: Instant | None = None
    filters: Sequence[Filter] = ()
    page: int = 1
    size: int | None = None
    """None: the chart's usual size."""
    labels: Mapping[str, str] = field(default_factory=dict)


_FIELDS = {
    "namespace": ("NAMESPACE",),
    "flowId": ("FLOW_ID",),
    "flowRevision": ("FLOW_REVISION",),
    "state": ("STATE",),
    "scope": ("SCOPE",),
    "triggerExecutionId": ("TRIGGER_EXECUTION_ID",),
    "triggerId": ("TRIGGER_ID",),
    "executionId": ("EXECUTION_ID",),
    "taskId": ("TASK_ID",),
    "taskRunId": ("TASK_RUN_ID",),
    "name": ("NAME",),
    "type": ("TYPE",),
}
"""The fields of a source that a filter may be about, by the filter's own name."""
_SEARCHED = ("MESSAGE", "FLOW_ID", "ID", "NAME")
_TYPES = {
    "EQUALS": "EQUAL_TO",
    "NOT_EQUALS": "NOT_EQUAL_TO",
    "IN": "IN",
    "NOT_IN": "NOT_IN",
    "STARTS_WITH": "STARTS_WITH",
    "ENDS_WITH": "ENDS_WITH",
    "CONTAINS": "CONTAINS",
    "REGEX": "REGEX",
    "GREATER_THAN": "GREATER_THAN",
    "GREATER_THAN_OR_EQUAL_TO": "GREATER_THAN_OR_EQUAL_TO",
    "LESS_THAN": "LESS_THAN",
    "LESS_THAN_OR_EQUAL_TO": "LESS_THAN_OR_EQUAL_TO",
}


def conditions(overrides: Overrides, source: Source) -> list[ChartFilter]:
    """Return the filters that reach a source; the span of time is not among them.

    Raises:
        InvalidRequestError: A filter is not known.
    """
    found: list[ChartFilter] = []
    for one in overrides.filters:
        special = _SPECIAL.get(one.field)
        if special is not None:
            found += special(one, source)
        elif one.field in _FIELDS:
            found += [_plain(one, name) for name in _FIELDS[one.field] if name in source.fields]
        else:
            known = ", ".join(sorted((*_FIELDS, *_SPECIAL, "startDate", "endDate", "timeRange")))
            raise InvalidRequestError(
                f"dashboards cannot be filtered by `{one.field}`", hint=f"filter by one of {known}"
            )
    return found + _labels(overrides.labels.items(), source)


def _plain(one: Filter, name: str) -> ChartFilter:
    kind = _TYPES.get(one.operation)
    if kind is None:
        hint = f"use one of {', '.join(_TYPES)}"
        raise InvalidRequestError(f"the filter `{one.field}` has no operation `{one.operation}`", hint=hint)
    values = _several(one.value)
    if kind in ("EQUAL_TO", "NOT_EQUAL_TO") and len(values) > 1:
        kind = "IN" if kind == "EQUAL_TO" else "NOT_IN"
    return ChartFilter(kind, name, values)


def _namespace(one: Filter, source: Source) -> list[ChartFilter]:
    """A namespace means what lies below it too, as everywhere where people look at one."""
    if one.operation not in ("EQUALS", "PREFIX", "IN"):
        return [_plain(one, "NAMESPACE")]
    names = _several(one.value)
    exact = [ChartFilter("EQUAL_TO", "NAMESPACE", (name,)) for name in names]
    below = [ChartFilter("STARTS_WITH", "NAMESPACE", (f"{name}.",)) for name in names]
    return [ChartFilter("OR", alternatives=(*exact, *below))]


def _text(one: Filter, source: Source) -> list[ChartFilter]:
    fields = [name for name in _SEARCHED if name in source.fields]
    return [ChartFilter("OR", alternatives=[ChartFilter("CONTAINS", name, (str(one.value),)) for name in fields])]


def _level(one: Filter, source: Source) -> list[ChartFilter]:
    if "LEVEL" not in source.fields:
        return []
    least = str(one.value).upper()
    if least not in LEVELS:
        raise InvalidRequestError(f"`{one.value}` is no log level", hint=f"one of {', '.join(LEVELS)}")
    return [ChartFilter("IN", "LEVEL", LEVELS[: LEVELS.index(least) + 1])]


def _label_filter(one: Filter, source: Source) -> list[ChartFilter]:
    if not isinstance(one.value, Mapping):
        raise InvalidRequestError("the filter `labels` needs a map of labels")
    return _labels(one.value.items(), source, _TYPES.get(one.operation, "EQUAL_TO"))


def _labels(pairs: Any, source: Source, kind: str = "EQUAL_TO") -> list[ChartFilter]:
    if "LABELS" not in source.fields:
        return []
    return [ChartFilter(kind, "LABELS", (str(value),), label_key=str(key)) for key, value in pairs]


def _several(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return list(value) if isinstance(value, list | tuple | set) else [value]


_SPECIAL: Mapping[str, Callable[[Filter, Source], list[ChartFilter]]] = {
    "namespace": _namespace,
    "q": _text,
    "level": _level,
    "labels": _label_filter,
}
