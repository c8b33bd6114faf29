"""Charts of executions that counts by the hour answer, so that no chart walks past all that has run.

A chart that counts executions, or sums the time they took, by state, namespace, flow and whole hours at least, reads
the counts of what has ended, and the rows of the few that counts leave out. All others read rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Double, Select, Subquery, cast, func, literal_column, select, union_all

from penstock.ports.dashboards import ChartColumn, ChartFilter, ChartQuery
from penstock.store.counts import HOUR
from penstock.store.filters import Condition
from penstock.store.hours import Hours, hours_of
from penstock.store.tables import EXECUTION_COUNTS, EXECUTIONS

C = EXECUTION_COUNTS.c
E = EXECUTIONS.c
_DATE = "START_DATE"
_NAMES = frozenset({"NAMESPACE", "FLOW_ID", "STATE"})
_ONES = frozenset({None, "ID"})
"""What every execution has one of: to count it is to count executions."""
FILTERED: Mapping[str, ColumnElement[Any]] = {
    "NAMESPACE": C.namespace,
    "FLOW_ID": C.flow_id,
    "STATE": C.state,
    "END_DATE": literal_column("1"),  # what is counted has one
}
"""What the counts of a chart may be narrowed by."""


def hours_asked(query: ChartQuery) -> Hours | None:
    """Return the span of time of a chart that counts answer; None where they do not know all that it asks for."""
    if query.source != "Executions" or not any(column.agg for column in query.columns):
        return None
    if not all(map(_is_known, query.columns)) or not all(map(_is_known_filter, others_asked(query))):
        return None
    bounds = [(one.type, one.values[0] if one.values else None) for one in query.where if one.field == _DATE]
    hours = hours_of((type_, value) for type_, value in bounds if isinstance(value, int))
    is_known = all(isinstance(value, int) for _, value in bounds)
    return hours if is_known and hours is not None and hours.is_countable else None


def others_asked(query: ChartQuery) -> Sequence[ChartFilter]:
    """Return the filters of a chart that are not about its span of time."""
    return [one for one in query.where if one.field != _DATE]


def _is_known(column: ChartColumn) -> bool:
    if column.agg is not None:
        return (column.agg == "COUNT" and column.field in _ONES) or (column.agg, column.field) == ("SUM", "DURATION")
    return column.field in _NAMES or (column.field == _DATE and column.span is not None and column.span % HOUR == 0)


def _is_known_filter(one: ChartFilter) -> bool:
    if one.type == "OR":
        return all(map(_is_known_filter, one.alternatives))
    return one.field in _NAMES | {"SCOPE"} or (one.field == "END_DATE" and one.type in ("IS_NULL", "IS_NOT_NULL"))


def summed(columns: Sequence[ChartColumn]) -> Sequence[ChartColumn]:
    """Return the columns of a chart as they are made of counts: what was counted is summed."""
    return [replace(column, agg="SUM") if column.agg == "COUNT" else column for column in columns]


def counted(hours: Hours, of_counts: Sequence[Condition], of_rows: Sequence[Condition]) -> Subquery:
    """Return how many executions of each flow, state and time there are, and the seconds they took.

    Args:
        hours: The span of time.
        of_counts: What else must hold of counts.
        of_rows: What else must hold of the rows that counts leave out.
    """
    keys = (C.namespace, C.flow_id, C.state, C.hour.label("start_date"))
    number = func.sum(C.number)
    sums = (number.label("number"), (cast(func.sum(C.duration), Double) / 1_000_000.0).label("duration"))
    of_hours = select(*keys, *sums).where(*of_counts, *hours.counted())
    # Over all shares: only their sum means something, and what has come to nothing is nothing.
    parts: list[Select[Any]] = [of_hours.group_by(C.namespace, C.flow_id, C.state, C.hour).having(number > 0)]
    time = cast(E.end_date - E.start_date, Double) / 1_000_000.0
    for part in hours.others():
        columns: list[ColumnElement[Any]] = [E.namespace, E.flow_id, E.state, E.start_date, literal_column("1"), time]
        parts.append(select(*columns).where(*of_rows, *part))
    return union_all(*parts).subquery()


def columns_of(found: Subquery) -> Mapping[str, ColumnElement[Any]]:
    """Return the fields of a chart as what was counted has them."""
    c = found.c
    return {
        "NAMESPACE": c.namespace,
        "FLOW_ID": c.flow_id,
        "STATE": c.state,
        "START_DATE": c.start_date,
        "ID": c.number,
        "DURATION": c.duration,
    }
