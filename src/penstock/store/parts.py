"""Pages in an order that no one index has: the table in parts, one after another, each read along an index of its own.

Ended executions have an index by their end, and open ones, which are few, have none; executions of each state have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, select

from penstock.ports.queries import PageRequest
from penstock.store import executions
from penstock.store.filters import MANY, Condition
from penstock.store.tables import EXECUTIONS

E = EXECUTIONS.c
_ROW: ColumnElement[Any] = literal_column("executions.rowid")
"""What SQLite's indexes end with: an order by it is theirs, while for one by id it would rather sort all rows."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows, by conditions an index answers, in an order it has."""

    conditions: Sequence[Condition]
    column: ColumnElement[Any] = E.start_date
    is_ascending: bool = False

    def order(self, dialect: str) -> list[ColumnElement[Any]]:
        """Return the order of the rows; those of one instant come in that of their making."""
        columns = (self.column, _ROW if dialect == "sqlite" else E.id)
        return [column.asc() if self.is_ascending else column.desc() for column in columns]


def parts_of(sort: Sequence[tuple[str, bool]]) -> Sequence[Part]:
    """Return the parts that give executions in this order; none where they are read as a whole."""
    if len(sort) != 1:
        return ()
    [(name, is_ascending)] = sort
    if name in ("endDate", "state.endDate"):
        return _by_end(is_ascending)
    if name in ("state", "state.current"):
        return _by_state(is_ascending)
    return ()


def _by_end(is_ascending: bool) -> Sequence[Part]:
    """Return the parts of an order by end; what has not ended counts as the last to end."""
    ended = Part([E.end_date.is_not(None)], E.end_date, is_ascending)
    states = E.state.in_(sorted(executions.OPEN_NAMES))
    still_open = Part([E.end_date.is_(None), states])
    return (ended, still_open) if is_ascending else (still_open, ended)


def _by_state(is_ascending: bool) -> Sequence[Part]:
    """Return the parts of an order by the name of the state, the newest first within each."""
    names = sorted(executions.OPEN_NAMES | executions.TERMINAL_NAMES, reverse=not is_ascending)
    return [Part([E.state == name, _has_ended(name)]) for name in names]


def _has_ended(state: str) -> Condition:
    """Return the condition of the partial index that has the executions of a state."""
    return E.end_date.is_not(None) if state in executions.TERMINAL_NAMES else E.end_date.is_(None)


def parted_page_txn(
    connection: Connection,
    columns: Sequence[ColumnElement[Any]],
    tenant: str,
    parts: Sequence[Part],
    others: Sequence[Condition],
    page: PageRequest,
    total: int | None = None,
) -> tuple[Sequence[Any], int]:
    """Return the rows of one page, and how many there are in all parts together.

    Args:
        connection: The transaction.
        columns: What is read.
        tenant: Whose executions.
        parts: The parts, in order.
        others: What else must hold in every part.
        page: Which page.
        total: How many there are in all parts, where that is known: parts behind the page are not counted then.
    """
    found: list[Any] = []
    passed = 0
    offset = (max(page.page, 1) - 1) * page.size
    dialect = connection.dialect.name
    for part in parts:
        skipped, wanted = max(0, offset - passed), page.size - len(found)
        if wanted <= 0 and total is not None:
            break
        leading = [E.tenant == tenant, *part.conditions]
        query = select(*columns).where(*leading).order_by(*part.order(dialect)).limit(wanted).offset(skipped)
        if total is not None and not skipped and not others:
            read = connection.execute(query).all()
            number = len(read)  # there are more of them only when the page is full
        else:
            counted = select(func.count()).select_from(EXECUTIONS).where(*leading, *others)
            number = int(connection.execute(counted).scalar_one())
            within = list(others)
            if others and number > MANY and dialect == "sqlite":
                within = [func.coalesce(and_(*others), False)]  # within a function no index is looked for
            read = connection.execute(query.where(*within)).all() if wanted > 0 and number > skipped else []
        found += read
        passed += number
    return found, passed if total is None else total
