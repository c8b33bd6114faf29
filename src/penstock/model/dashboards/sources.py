"""Where the data of charts comes from, and which fields there are (UI-049, UI-051)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

DATA = "io.kestra.plugin.core.dashboard.data."


class Kind(StrEnum):
    """What the values of a field are."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    LABELS = "labels"
    PROSE = "prose"
    """Text that is only shown and searched, never aggregated."""


_TEXT, _NUMBER, _DATE, _LABELS, _PROSE = Kind.TEXT, Kind.NUMBER, Kind.DATE, Kind.LABELS, Kind.PROSE


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of thing that charts show.

    Args:
        name: Its name, without the package.
        fields: What a column or a filter may name.
        date: The field that the time window of a dashboard is about; None when it is about none.
    """

    name: str
    fields: Mapping[str, Kind]
    date: str | None


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source(
            "Executions",
            {
                "ID": _TEXT,
                "NAMESPACE": _TEXT,
                "FLOW_ID": _TEXT,
                "FLOW_REVISION": _NUMBER,
                "STATE": _TEXT,
                "DURATION": _NUMBER,
                "LABELS": _LABELS,
                "START_DATE": _DATE,
                "END_DATE": _DATE,
                "TRIGGER_EXECUTION_ID": _TEXT,
                "SCOPE": _TEXT,
            },
            "START_DATE",
        ),
        Source("Flows", {"ID": _TEXT, "NAMESPACE": _TEXT, "REVISION": _NUMBER}, None),
        Source(
            "Logs",
            {
                "NAMESPACE": _TEXT,
                "FLOW_ID": _TEXT,
                "EXECUTION_ID": _TEXT,
                "TASK_ID": _TEXT,
                "DATE": _DATE,
                "TASK_RUN_ID": _TEXT,
                "ATTEMPT_NUMBER": _NUMBER,
                "TRIGGER_ID": _TEXT,
                "LEVEL": _TEXT,
                "MESSAGE": _PROSE,
            },
            "DATE",
        ),
        Source(
            "Metrics",
            {
                "NAMESPACE": _TEXT,
                "FLOW_ID": _TEXT,
                "TASK_ID": _TEXT,
                "EXECUTION_ID": _TEXT,
                "TASK_RUN_ID": _TEXT,
                "TYPE": _TEXT,
                "NAME": _TEXT,
                "VALUE": _NUMBER,
                "DATE": _DATE,
            },
            "DATE",
        ),
        Source(
            "Triggers",
            {
                "ID": _TEXT,
                "NAMESPACE": _TEXT,
                "FLOW_ID": _TEXT,
                "TRIGGER_ID": _TEXT,
                "EXECUTION_ID": _TEXT,
                "NEXT_EXECUTION_DATE": _DATE,
                "WORKER_ID": _TEXT,
            },
            None,
        ),
    )
}
"""The sources by name."""
_KPI = "KPI"
PLAIN_TYPES = tuple(f"{DATA}{name}" for name in SOURCES)
"""Types of data for all charts but one."""
KPI_TYPES = tuple(f"{DATA}{name}{_KPI}" for name in SOURCES if name != "Triggers")
"""Types of data for the chart that shows one number."""


def source_of(type_name: str) -> Source | None:
    """Return the source behind a type of data; None when there is no such type."""
    if type_name not in (*PLAIN_TYPES, *KPI_TYPES):
        return None
    return SOURCES[type_name.removeprefix(DATA).removesuffix(_KPI)]
