"""How many executions have ended, by flow, state and hour: kept by the transactions that end or remove them.

A count always equals the rows it stands for. Executors write to rows of their own (their `share`), so that none waits
for another; what is removed is subtracted in the share of everybody else, so that only the sum over all shares means
something. Retention folds hours that are over into that one share, and drops what has come to nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    cast,
    delete,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)

from penstock.base.clock import SECOND, Instant
from penstock.engine.records import Execution, Labels
from penstock.ports.counts import WrongCount
from penstock.store.bulk import insert
from penstock.store.database import Database
from penstock.store.tables import EXECUTION_COUNTS, EXECUTIONS

HOUR = 3600 * SECOND
OTHERS = -1
"""The share of all that are no executors, and of hours that are over."""
C = EXECUTION_COUNTS.c
E = EXECUTIONS.c
_KEY = [column.name for column in EXECUTION_COUNTS.primary_key.columns]
_GROUP = [column for column in EXECUTION_COUNTS.primary_key.columns if column.name != "share"]
_ADD = insert(
    EXECUTION_COUNTS,
    (*_KEY, "number", "duration"),
    f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET number = execution_counts.number + excluded.number, "
    "duration = execution_counts.duration + excluded.duration",
)
_TIME = cast(func.sum(E.end_date - E.start_date), BigInteger).label("duration")


@dataclass(frozen=True, slots=True)
class Before:
    """What matters here of an execution as it is stored, before it changes; without an end while it has not ended."""

    labels: Labels
    start: Instant
    state: str = ""
    end: Instant | None = None


Key = tuple[str, Instant, str, str, str, str]
"""Tenant, hour, namespace, flow, kind, state."""


class SqlCounts:
    """The `CountKeeping` port on a database. Implements the proof of BEY-022's counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def wrong(self) -> Sequence[WrongCount]:
        """Return the counts that are not what the rows say."""
        return await self._database.read(wrong_txn)

    async def recount(self) -> int:
        """Count all anew."""
        return await self._database.write(recount_txn)


class Tally:
    """What a transaction changes of the counts, one change for each of them."""

    def __init__(self) -> None:
        self._changes: dict[Key, tuple[int, int]] = {}

    def ended(self, execution: Execution, start: Instant, end: Instant, state: str, number: int = 1) -> None:
        """Count an execution that ended, or with -1 one that has not ended like this any more."""
        hour = start - start % HOUR
        key = (execution.tenant, hour, execution.namespace, execution.flow_id, execution.kind, state)
        before = self._changes.get(key, (0, 0))
        self._changes[key] = (before[0] + number, before[1] + number * (end - start))

    def write_txn(self, connection: Connection, share: int) -> None:
        """Add the changes, in one order in all transactions, so that none waits for one that waits for it."""
        changes = [(*key, share, *change) for key, change in sorted(self._changes.items()) if change != (0, 0)]
        _ADD.run(connection, changes)


def begun_with_txn(connection: Connection, executions: Collection[Execution], share: int) -> None:
    """Count those of new executions that have ended already."""
    tally = Tally()
    for execution in executions:
        state = execution.state
        if state.histories and state.end is not None:
            tally.ended(execution, state.histories[0].date, state.end, state.current.value)
    tally.write_txn(connection, share)


def changed_txn(
    connection: Connection, executions: Collection[Execution], before: Mapping[str, Before], share: int
) -> None:
    """Count executions as they become, instead of as they were."""
    tally = Tally()
    for execution in executions:
        was, becomes = before[execution.id], execution.state
        if was.end is not None:
            tally.ended(execution, was.start, was.end, was.state, -1)
        if becomes.histories and becomes.end is not None:
            tally.ended(execution, was.start, becomes.end, becomes.current.value)
    tally.write_txn(connection, share)


def removed_txn(connection: Connection, execution_ids: Sequence[str]) -> None:
    """Subtract executions that are about to be removed; their rows are locked."""
    found = connection.execute(_of_rows().where(E.id.in_(execution_ids)))
    _ADD.run(connection, sorted((*row[:6], OTHERS, -int(row[6]), -int(row[7])) for row in found))


def _of_rows() -> Select[Any]:
    """Return the query of the counts as the rows of executions give them."""
    hour = E.start_date - E.start_date % HOUR
    columns: list[ColumnElement[Any]] = [E.tenant, hour.label("hour"), E.namespace, E.flow_id, E.kind, E.state]
    query = select(*columns, func.count().label("number"), _TIME).where(E.end_date.is_not(None))
    # By place: PostgreSQL takes an expression with a parameter for another one each time.
    return query.group_by(*(literal_column(str(place)) for place in range(1, len(columns) + 1)))


def fold_txn(connection: Connection, before: Instant, limit: int) -> int:
    """Bring counts of hours that are over to one row each, so many rows at a time; returns how many rows went."""
    over = C.hour < before
    chosen = select(*EXECUTION_COUNTS.primary_key.columns).where(over, C.share != OTHERS).limit(limit)
    keys = [tuple(row) for row in connection.execute(chosen.with_for_update())]
    if not keys:
        return connection.execute(delete(EXECUTION_COUNTS).where(over, C.number == 0, C.duration == 0)).rowcount
    within = tuple_(*EXECUTION_COUNTS.primary_key.columns).in_(keys)
    sums = select(*_GROUP, func.sum(C.number), func.sum(C.duration)).where(within).group_by(*_GROUP)
    folded = [(*row[:6], OTHERS, int(row[6]), int(row[7])) for row in connection.execute(sums)]
    connection.execute(delete(EXECUTION_COUNTS).where(within))
    _ADD.run(connection, sorted(folded))
    return len(keys)


def wrong_txn(connection: Connection) -> Sequence[WrongCount]:
    """Return the counts that are not what the rows say: the database compares, for there may be millions."""
    none: ColumnElement[int] = literal_column("0")
    kept = select(*_GROUP, C.number, C.duration, none.label("found"), none.label("found_duration"))
    rows = _of_rows().subquery()
    found = select(*(rows.c[column.name] for column in _GROUP), none, none, rows.c.number, rows.c.duration)
    both = union_all(kept, found).subquery()
    number, duration = func.sum(both.c.number), func.sum(both.c.duration)
    differing = or_(number != func.sum(both.c.found), duration != func.sum(both.c.found_duration))
    names = [both.c[column.name] for column in _GROUP]
    query = select(*names, number, func.sum(both.c.found)).group_by(*names).having(differing).order_by(*names)
    return [WrongCount(*row[:6], int(row[6]), int(row[7])) for row in connection.execute(query)]


def recount_txn(connection: Connection) -> int:
    """Count all anew; returns how many counts were wrong. Nobody may end an execution meanwhile."""
    wrong = len(wrong_txn(connection))
    if wrong:
        connection.execute(delete(EXECUTION_COUNTS))
        rows = _of_rows().subquery()
        share: ColumnElement[int] = literal_column(str(OTHERS)).label("share")
        counted = select(*(rows.c[column.name] for column in _GROUP), share, rows.c.number, rows.c.duration)
        connection.execute(EXECUTION_COUNTS.insert().from_select([*_KEY, "number", "duration"], counted))
    return wrong
