"""Charts of executions that counts by the hour answer, so that no chart walks past all that has run.

A chart that counts executions, or sums the time they took, by state, namespace, flow and whole hours at least, reads
the counts of what has ended, and the rows of the few that counts leave out. All others read rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Double, Subquery, cast, func, literal_column, select, union_all

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


@dataclass(frozen=True, slots=True)
class Part:
    """How a part of what a chart shows is read: what it is grouped by, and what must hold beside the time."""

    value: Callable[[ChartColumn], ColumnElement[Any]]
    conditions: Sequence[Condition]


FIELDS: Mapping[str, ColumnElement[Any]] = {
    "NAMESPACE": C.namespace,
    "FLOW_ID": C.flow_id,
    "STATE": C.state,
    "START_DATE": C.hour,
    "END_DATE": literal_column("1"),  # what is counted has one
}
"""The fields of a chart as counts have them."""


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


def counted(query: ChartQuery, hours: Hours, of_counts: Part, of_rows: Part) -> Subquery:
    """Return what fits, with a column for each of the chart's: sums of counts, and the rows that counts leave out.

    Args:
        query: The chart.
        hours: The span of time.
        of_counts: How counts are read.
        of_rows: How the others are.
    """
    number = func.sum(C.number)
    sums = {"COUNT": number, "SUM": cast(func.sum(C.duration), Double) / 1_000_000.0}
    ones = {"COUNT": literal_column("1"), "SUM": cast(E.end_date - E.start_date, Double) / 1_000_000.0}
    of_hours = select(*_columns(query, replace(of_counts, value=partial(_unordered, of_counts)), sums))
    of_hours = of_hours.where(*of_counts.conditions, *hours.counted())
    # By place: PostgreSQL takes an expression with a parameter for another one each time.
    places: list[ColumnElement[Any]] = [
        literal_column(str(place)) for place, one in enumerate(query.columns, start=1) if one.agg is None
    ]
    if places:  # over all shares: only their sum means something, and what has come to nothing is nothing
        of_hours = of_hours.group_by(*places).having(number > 0)
    row = select(*_columns(query, of_rows, ones)).where(*of_rows.conditions)
    return union_all(of_hours, *(row.where(*part) for part in hours.others())).subquery()


def _unordered(part: Part, column: ChartColumn) -> ColumnElement[Any]:
    """Return what counts are grouped by as a function of it.

    Within one SQLite looks for no index that has its order, which would lead it past the hours of all times.
    """
    return func.coalesce(part.value(column), literal_column("NULL"))


def _columns(query: ChartQuery, part: Part, sums: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    values = (part.value(column) if column.agg is None else sums[column.agg] for column in query.columns)
    return [value.label(f"c{place}") for place, value in enumerate(values)]
