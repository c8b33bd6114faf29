"""What charts show: rows of executions, flows, logs, metrics and triggers, grouped and counted (UI-049 to UI-052).

Rows are picked and named in an inner query, and aggregated in an outer one: so both databases see one and the same
expression where rows are grouped, whatever parameters are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Double,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from penstock.base.codec import from_json
from penstock.ports.dashboards import ChartColumn, ChartFilter, ChartQuery
from penstock.ports.queries import Page, PageRequest
from penstock.store import filters as kinds
from penstock.store import rows
from penstock.store.counted_charts import FIELDS, Part, counted, hours_asked, others_asked, summed
from penstock.store.database import Database
from penstock.store.filters import Condition
from penstock.store.hours import Hours
from penstock.store.lines import of_level
from penstock.store.queries import state_field
from penstock.store.tables import EXECUTION_COUNTS, EXECUTION_LABELS, EXECUTIONS, FLOWS, LOGS, METRICS, TRIGGER_STATES

_NORMAL = "NORMAL"
_NUMBER = ChartColumn("number", None, "COUNT")
_THURSDAY = 3 * 86_400_000_000
"""1970 began on a Thursday: weeks that are counted from three days earlier begin on Mondays."""
_WEEK = 7 * 86_400_000_000
Columns = Mapping[str, ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class _Source:
    """A table as charts see it."""

    columns: Columns
    conditions: Sequence[Condition]
    tenant: ColumnElement[Any]
    newest: str | None = None
    """The field by which rows that nobody orders come newest first."""
    is_long: bool = False
    """Whether there may be so many rows that nobody waits until all are counted."""


class SqlChartReads:
    """The `ChartReads` port on a database. Implements the data of UI-040 to UI-053.

    Args:
        database: The database.
        system_namespace: The namespace of the system's own executions.
    """

    def __init__(self, database: Database, system_namespace: str) -> None:
        self._database = database
        self._sources = _sources(system_namespace)
        scope = _scope(EXECUTION_COUNTS.c.namespace, system_namespace)
        counts = EXECUTION_COUNTS.c
        self._counts = _Source({**FIELDS, "SCOPE": scope}, (counts.kind == _NORMAL,), counts.tenant)

    async def rows(self, tenant: str, query: ChartQuery, page: PageRequest) -> Page[Mapping[str, Any]]:
        """Return a page of rows by column key; of log lines and metrics not all may be counted."""
        source = self._sources[query.source]
        inner, made = self._inner(tenant, query)
        outer = _aggregated(inner, made.columns)
        offset = (page.page - 1) * page.size
        # One more than wanted: whoever gets the last row knows how many there are, and has nothing to count.
        wanted = outer.order_by(*_order(inner, source, made)).limit(page.size + 1).offset(offset)

        def work(connection: Connection) -> tuple[int, Sequence[Any]]:
            found = connection.execute(wanted).all()
            if len(found) <= page.size and (found or not offset):
                return offset + len(found), found
            return self._total_txn(connection, tenant, query, page), found[: page.size]

        total, found = await self._database.read(work)
        return Page([_row(query.columns, row) for row in found], total)

    def _inner(self, tenant: str, query: ChartQuery) -> tuple[Subquery, ChartQuery]:
        """Return what fits, and the query that is to be made of it."""
        hours = hours_asked(query)
        if hours is None:
            return _picked(self._sources[query.source], tenant, query), query
        return self._counted(tenant, query, hours), replace(query, columns=summed(query.columns))

    def _total_txn(self, connection: Connection, tenant: str, query: ChartQuery, page: PageRequest) -> int:
        """Return how many rows there are in all."""
        if any(column.agg for column in query.columns):
            inner, made = self._inner(tenant, query)
            rows_of = _aggregated(inner, made.columns)
            return int(connection.execute(select(func.count()).select_from(rows_of.subquery())).scalar_one())
        number = replace(query, columns=[_NUMBER], order=())
        if hours_asked(number) is not None:
            inner, made = self._inner(tenant, number)
            return int(connection.execute(_aggregated(inner, made.columns)).scalar() or 0)
        source = self._sources[query.source]
        bound = kinds.bound_of(page) if source.is_long else None
        return kinds.count_txn(connection, source.tenant.table, _narrowed(source, tenant, query), bound)

    def _counted(self, tenant: str, query: ChartQuery, hours: Hours) -> Subquery:
        """Return what fits, from the counts of what has ended and the rows they leave out."""
        asked = replace(query, where=others_asked(query))
        of_counts, of_rows = (
            Part(partial(_value, source), _narrowed(source, tenant, asked))
            for source in (self._counts, self._sources[query.source])
        )
        return counted(query, hours, of_counts, of_rows)


def _picked(source: _Source, tenant: str, query: ChartQuery) -> Subquery:
    """Return the rows that fit, with a column for each of the chart's."""
    columns = _values(source, query)
    if source.newest is not None:
        columns.append(source.columns[source.newest].label("newest"))
    return select(*columns).where(*_narrowed(source, tenant, query)).subquery()


def _narrowed(source: _Source, tenant: str, query: ChartQuery) -> list[Condition]:
    return [source.tenant == tenant, *source.conditions, *(_condition(source, one) for one in query.where)]


def _values(source: _Source, query: ChartQuery) -> list[ColumnElement[Any]]:
    return [_value(source, column).label(f"c{index}") for index, column in enumerate(query.columns)]


def _value(source: _Source, column: ChartColumn) -> ColumnElement[Any]:
    if column.field is None:
        return literal(1)
    value = _field(source, column.field, column.label_key)
    if column.span is None:
        return value
    shift = _THURSDAY if column.span == _WEEK else 0
    return value - (value + shift) % column.span


def _field(source: _Source, name: str, label_key: str | None) -> ColumnElement[Any]:
    if name == "LABELS" and label_key is not None:
        labels = EXECUTION_LABELS.c
        mine = and_(labels.execution_id == EXECUTIONS.c.id, labels.key == label_key)
        return select(labels.value).where(mine).correlate(EXECUTIONS).scalar_subquery()
    return source.columns[name]


_AGGREGATES: Mapping[str, Callable[[ColumnElement[Any]], ColumnElement[Any]]] = {
    "AVG": lambda column: func.avg(column),
    "COUNT": lambda column: func.count(column),
    "MAX": lambda column: func.max(column),
    "MIN": lambda column: func.min(column),
    "SUM": lambda column: func.sum(column),
}


def _aggregated(inner: Subquery, columns: Sequence[ChartColumn]) -> Select[Any]:
    """Return the chart's rows: grouped by what is not aggregated, when anything is."""
    selected = [_outer(inner, index, column) for index, column in enumerate(columns)]
    query = select(*(one.label(f"v{index}") for index, one in enumerate(selected)))
    if not any(column.agg for column in columns):
        return query
    return query.group_by(*(one for one, column in zip(selected, columns, strict=True) if column.agg is None))


def _outer(inner: Subquery, index: int, column: ChartColumn) -> ColumnElement[Any]:
    value: ColumnElement[Any] = inner.c[f"c{index}"]
    return value if column.agg is None else _AGGREGATES[column.agg](value)


def _order(inner: Subquery, source: _Source, query: ChartQuery) -> list[ColumnElement[Any]]:
    places = {column.key: index for index, column in enumerate(query.columns)}
    order: list[ColumnElement[Any]] = []
    for key, is_ascending in query.order:
        value = _outer(inner, places[key], query.columns[places[key]])
        ordered = value.asc() if is_ascending else value.desc()
        # Indexes have nothing first or last: to ask for it would make PostgreSQL sort all rows.
        order.append(ordered if _is_always_there(source, query.columns[places[key]]) else ordered.nulls_last())
    is_aggregated = any(column.agg for column in query.columns)
    if not order and not is_aggregated and source.newest is not None:
        order.append(inner.c.newest.desc())
    # Pages need one order of all rows, whatever the chart says about it.
    return order + [
        _outer(inner, index, column).asc().nulls_last()
        for index, column in enumerate(query.columns)
        if column.agg is None
    ]


def _is_always_there(source: _Source, column: ChartColumn) -> bool:
    """Tell whether a column is one of the table's own that is never empty."""
    own = source.columns.get(column.field or "")
    return column.agg is None and column.span is None and isinstance(own, Column) and not own.nullable


def _row(columns: Sequence[ChartColumn], row: Sequence[Any]) -> dict[str, Any]:
    return {column.key: _plain(column, value) for column, value in zip(columns, row, strict=True)}


def _plain(column: ChartColumn, value: Any) -> Any:
    if value is None and column.agg == "COUNT":
        return 0
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if column.field == "LABELS" and column.label_key is None and column.agg is None and value is not None:
        return dict(from_json(value.encode()))
    return value


# -- conditions


def _condition(source: _Source, one: ChartFilter) -> Condition:
    if one.type == "OR":
        return or_(*(_condition(source, alternative) for alternative in one.alternatives))
    assert one.field is not None
    if source.tenant is LOGS.c.tenant and one.field == "LEVEL" and one.type in ("EQUAL_TO", "IN"):
        weights = [rows.LEVELS[value] for value in one.values if value in rows.LEVELS]
        return of_level(LOGS.c.level.in_(weights), min(weights, default=0))
    if source.tenant is EXECUTIONS.c.tenant and one.field == "STATE" and one.type in ("EQUAL_TO", "IN"):
        return state_field().operations["IN"](one.values)  # which knows the index that has them
    return _COMPARED[one.type](_field(source, one.field, one.label_key), one.values)


def _text(values: Sequence[Any]) -> str:
    return str(values[0])


def _matches(column: ColumnElement[Any], values: Sequence[Any]) -> Condition:
    return column.regexp_match(kinds.pattern(_text(values)))


_COMPARED: Mapping[str, Callable[[ColumnElement[Any], Sequence[Any]], Condition]] = {
    "CONTAINS": lambda column, values: kinds.contains(column, _text(values)),
    "ENDS_WITH": lambda column, values: kinds.ends_with(column, _text(values)),
    "EQUAL_TO": lambda column, values: column == values[0],
    "GREATER_THAN": lambda column, values: column > values[0],
    "GREATER_THAN_OR_EQUAL_TO": lambda column, values: column >= values[0],
    "IN": lambda column, values: column.in_(values),
    "IS_FALSE": lambda column, _: func.lower(column) == "false",
    "IS_NOT_NULL": lambda column, _: column.is_not(None),
    "IS_NULL": lambda column, _: column.is_(None),
    "IS_TRUE": lambda column, _: func.lower(column) == "true",
    "LESS_THAN": lambda column, values: column < values[0],
    "LESS_THAN_OR_EQUAL_TO": lambda column, values: column <= values[0],
    "NOT_EQUAL_TO": lambda column, values: column.is_distinct_from(values[0]),
    "NOT_IN": lambda column, values: or_(column.is_(None), column.not_in(values)),
    "REGEX": _matches,
    "STARTS_WITH": lambda column, values: kinds.starts_with(column, _text(values)),
}


# -- sources


def _scope(namespace: ColumnElement[Any], system_namespace: str) -> ColumnElement[Any]:
    return case((kinds.below(namespace, system_namespace), "SYSTEM"), else_="USER")


def _sources(system_namespace: str) -> Mapping[str, _Source]:
    """Return what charts are drawn from, by the name dashboards use."""
    return {
        "Executions": _executions(system_namespace),
        "Flows": _flows(),
        "Logs": _logs(),
        "Metrics": _metrics(),
        "Triggers": _triggers(),
    }


def _executions(system_namespace: str) -> _Source:
    columns = EXECUTIONS.c
    return _Source(
        {
            "ID": columns.id,
            "NAMESPACE": columns.namespace,
            "FLOW_ID": columns.flow_id,
            "FLOW_REVISION": columns.flow_revision,
            "STATE": columns.state,
            "DURATION": cast(columns.end_date - columns.start_date, Double) / 1_000_000.0,
            "LABELS": columns.labels,
            "START_DATE": columns.start_date,
            "END_DATE": columns.end_date,
            "TRIGGER_EXECUTION_ID": columns.trigger_execution_id,
            "SCOPE": _scope(columns.namespace, system_namespace),
        },
        (columns.kind == _NORMAL,),
        columns.tenant,
        "START_DATE",
    )


def _flows() -> _Source:
    columns = FLOWS.c
    return _Source(
        {"ID": columns.id, "NAMESPACE": columns.namespace, "REVISION": columns.revision},
        (columns.latest, columns.deleted.is_(False)),
        columns.tenant,
    )


def _logs() -> _Source:
    columns = LOGS.c
    level = case(*((columns.level == weight, name) for name, weight in rows.LEVELS.items()), else_=null())
    return _Source(
        {
            "NAMESPACE": columns.namespace,
            "FLOW_ID": columns.flow_id,
            "EXECUTION_ID": columns.execution_id,
            "TASK_ID": columns.task_id,
            "DATE": columns.date,
            "TASK_RUN_ID": columns.task_run_id,
            "ATTEMPT_NUMBER": columns.attempt,
            "TRIGGER_ID": columns.trigger_id,
            "LEVEL": level,
            "MESSAGE": columns.message,
        },
        (columns.kind == _NORMAL,),
        columns.tenant,
        "DATE",
        is_long=True,
    )


def _metrics() -> _Source:
    columns = METRICS.c
    return _Source(
        {
            "NAMESPACE": columns.namespace,
            "FLOW_ID": columns.flow_id,
            "TASK_ID": columns.task_id,
            "EXECUTION_ID": columns.execution_id,
            "TASK_RUN_ID": columns.task_run_id,
            "TYPE": columns.type,
            "NAME": columns.name,
            "VALUE": columns.value,
            "DATE": columns.date,
        },
        (columns.kind == _NORMAL,),
        columns.tenant,
        "DATE",
        is_long=True,
    )


def _triggers() -> _Source:
    columns = TRIGGER_STATES.c
    return _Source(
        {
            "ID": columns.trigger_id,
            "NAMESPACE": columns.namespace,
            "FLOW_ID": columns.flow_id,
            "TRIGGER_ID": columns.trigger_id,
            "EXECUTION_ID": columns.execution_id,
            "NEXT_EXECUTION_DATE": columns.next_date,
            "WORKER_ID": null(),
        },
        (),
        columns.tenant,
    )
