"""Log lines and metrics: pages of them, followed from a position, removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, func, literal_column, select

from penstock.engine.records import KINDS, LogLine, Metric
from penstock.ports.queries import Filter, LogCount, LogMarks, LogSelection, Page, PageRequest
from penstock.store import filters as kinds
from penstock.store import rows
from penstock.store.filters import Condition, Field, FilterError, Search, bound_of, page_txn
from penstock.store.tables import LOGS, METRICS

C = LOGS.c
_READ = [LOGS.c[name] for name in rows.LOG_COLUMNS]
_METRIC_READ = [METRICS.c[name] for name in rows.METRIC_COLUMNS]


def logs_txn(
    connection: Connection, search: Search, tenant: str, filters: Sequence[Filter], page: PageRequest
) -> Page[LogLine]:
    """Return a page of log lines; there may be millions, so no more of them are counted than tell where people are."""
    conditions = [C.tenant == tenant, *search.conditions(filters)]
    order = search.order(page.sort) or [C.date.asc()]
    # Lines of one instant stay in the order they were written in, or in its reverse.
    is_descending = bool(page.sort) and not page.sort[0][1]
    whole_order, bound = [*order, C.id.desc() if is_descending else C.id.asc()], bound_of(page)
    found, total = page_txn(connection, _READ, conditions, whole_order, page, bound=bound)
    return Page([rows.to_log(row) for row in found], total, is_exact=total < bound)


def after_txn(
    connection: Connection, conditions: Sequence[Condition], after: int, limit: int
) -> tuple[Sequence[LogLine], int]:
    """Return lines behind a position in the order they were written in, and the position behind them."""
    query = select(C.id, *_READ).where(C.id > after, *conditions).order_by(C.id).limit(limit)
    found = connection.execute(query).all()
    return [rows.to_log(row[1:]) for row in found], found[-1][0] if found else after


def last_txn(connection: Connection, conditions: Sequence[Condition], limit: int) -> Sequence[LogLine]:
    """Return the last lines in the order they were written in."""
    query = select(*_READ).where(*conditions).order_by(C.id.desc()).limit(limit)
    return [rows.to_log(row) for row in reversed(connection.execute(query).all())]


def marks_txn(connection: Connection, conditions: Sequence[Condition], after: int, step: int) -> LogMarks:
    """Return the positions behind every `step` lines, counted by the database in one pass along the index."""
    numbered = (
        select(C.id, func.row_number().over(order_by=C.id).label("number")).where(C.id > after, *conditions).subquery()
    )
    query = select(numbered.c.id).where(numbered.c.number % step == 0).order_by(numbered.c.id)
    found = list(connection.execute(query).scalars())
    last = found[-1] if found else after
    rest, end = connection.execute(select(func.count(), func.max(C.id)).where(C.id > last, *conditions)).one()
    return LogMarks(len(found) * step + rest, found, end or last)


def counts_txn(connection: Connection, conditions: Sequence[Condition]) -> Sequence[LogCount]:
    """Return how many lines there are of each task run."""
    query = select(C.task_run_id, C.task_id, func.count()).where(*conditions)
    grouped = query.group_by(C.task_run_id, C.task_id).order_by(func.min(C.id))
    return [LogCount(*row) for row in connection.execute(grouped)]


def metrics_txn(connection: Connection, execution_id: str) -> Sequence[Metric]:
    """Return the metrics of an execution in the order they were written in."""
    query = select(*_METRIC_READ).where(METRICS.c.execution_id == execution_id).order_by(METRICS.c.id)
    return [rows.to_metric(row) for row in connection.execute(query)]


def delete_logs_txn(connection: Connection, tenant: str, conditions: Sequence[Condition]) -> int:
    """Remove log lines; returns how many."""
    return connection.execute(delete(LOGS).where(C.tenant == tenant, *conditions)).rowcount


def forget_txn(connection: Connection, execution_id: str, *, logs: bool, metrics: bool) -> None:
    """Remove the lines and the numbers of an execution."""
    if logs:
        connection.execute(delete(LOGS).where(C.execution_id == execution_id))
    if metrics:
        connection.execute(delete(METRICS).where(METRICS.c.execution_id == execution_id))


def of_execution(execution_id: str, wanted: LogSelection) -> list[Condition]:
    """Return the conditions that pick lines of an execution."""
    conditions: list[Condition] = [C.execution_id == execution_id]
    if wanted.min_level is not None:
        conditions.append(C.level >= weight(wanted.min_level))
    if wanted.text:
        conditions.append(C.message.icontains(wanted.text, autoescape=True))
    if wanted.of_execution:
        conditions.append(C.task_run_id.is_(None))
    places = ((C.task_id, wanted.task_id), (C.task_run_id, wanted.task_run_id), (C.attempt, wanted.attempt))
    return conditions + [column == value for column, value in places if value is not None]


def of_trigger(namespace: str, flow_id: str, trigger_id: str) -> list[Condition]:
    """Return the conditions that pick lines of a trigger; those of the executions it started are not its own."""
    return [C.namespace == namespace, C.flow_id == flow_id, C.trigger_id == trigger_id, C.execution_id.is_(None)]


_GRAVE: Condition = literal_column("logs.level >= 4")
"""The condition of the index of what is grave, in its own words."""


def of_level(wanted: Condition, lowest: int) -> Condition:
    """Return the condition of some levels, with that of the index that has them where the lowest is grave."""
    return and_(_GRAVE, wanted) if lowest >= rows.LEVELS["WARN"] else wanted


def weight(level: Any) -> int:
    """Return the weight of a level's name.

    Raises:
        FilterError: There is no such level.
    """
    found = rows.LEVELS.get(str(level).upper())
    if found is None:
        raise FilterError(f"`{level}` is no log level", hint=f"use one of {', '.join(rows.LEVELS)}")
    return found


def log_search(system_namespace: str) -> Search:
    """Return what log lines can be filtered and sorted by (API-036)."""

    def at_least(value: Any) -> Condition:
        return of_level(C.level >= weight(value), weight(value))

    level = Field(
        {
            "EQUALS": at_least,  # by definition of the filter
            "GREATER_THAN_OR_EQUAL_TO": at_least,
            "GREATER_THAN": lambda value: of_level(C.level > weight(value), weight(value) + 1),
            "LESS_THAN_OR_EQUAL_TO": lambda value: C.level <= weight(value),
            "LESS_THAN": lambda value: C.level < weight(value),
            "NOT_EQUALS": lambda value: C.level != weight(value),
            "IN": lambda value: C.level.in_([weight(one) for one in kinds.several(value)]),
            "NOT_IN": lambda value: C.level.not_in([weight(one) for one in kinds.several(value)]),
        }
    )
    return Search(
        "logs",
        {
            "q": kinds.query(C.message),
            "scope": kinds.scope(C.namespace, system_namespace),
            "namespace": kinds.namespace(C.namespace),
            "flowId": kinds.name(C.flow_id),
            "executionId": kinds.name(C.execution_id),
            "taskId": kinds.name(C.task_id),
            "taskRunId": kinds.name(C.task_run_id),
            "triggerId": kinds.name(C.trigger_id),
            "kind": kinds.choice(C.kind, KINDS),
            "level": level,
            "minLevel": level,
            "startDate": kinds.instant(C.date),
            "endDate": kinds.instant(C.date),
            "timeRange": kinds.since(C.date),
        },
        {
            "timestamp": C.date,
            "date": C.date,
            "level": C.level,
            "namespace": C.namespace,
            "flowId": C.flow_id,
            "executionId": C.execution_id,
            "taskId": C.task_id,
            "triggerId": C.trigger_id,
        },
    )
