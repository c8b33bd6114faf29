"""How many executions fit a question, without walking past all of them.

SQLite counts the rows of a whole table page by page, but those under a condition one by one. What is asked for most
fits nearly everything (no filter at all, or those that succeeded), so the few that do not fit are counted instead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, func, select

from penstock.ports.queries import Filter
from penstock.store import executions, filters
from penstock.store.tables import EXECUTIONS

E = EXECUTIONS.c
_COMMON = "SUCCESS"
"""The state in which nearly all executions are."""
_NAMES = executions.OPEN_NAMES | executions.TERMINAL_NAMES


def total_txn(connection: Connection, tenant: str, asked: Sequence[Filter]) -> int | None:
    """Return how many executions of a tenant fit the filters; None where they must be counted. Implements BEY-022."""
    if connection.dialect.name != "sqlite":
        return None
    if not asked:
        return _all_txn(connection, tenant)
    if len(asked) > 1 or asked[0].field != "state" or asked[0].operation not in ("EQUALS", "IN"):
        return None
    wanted = set(filters.several(asked[0].value))
    if _COMMON not in wanted:
        return None
    return _all_txn(connection, tenant) - sum(_counts_txn(connection, tenant, _NAMES - wanted).values())


def counts_txn(connection: Connection, tenant: str) -> Mapping[str, int]:
    """Return how many executions of a tenant there are by state."""
    if connection.dialect.name != "sqlite":
        return _counts_txn(connection, tenant, _NAMES)
    others = _counts_txn(connection, tenant, _NAMES - {_COMMON})
    common = _all_txn(connection, tenant) - sum(others.values())
    return {**others, _COMMON: common} if common else others


def _all_txn(connection: Connection, tenant: str) -> int:
    """Return the number of the tenant's executions: all there are, but for those of others."""
    everything = select(func.count()).select_from(EXECUTIONS)
    parts = (everything, everything.where(E.tenant < tenant), everything.where(E.tenant > tenant))
    total, before, behind = (int(connection.execute(part).scalar_one()) for part in parts)
    return total - before - behind


def _counts_txn(connection: Connection, tenant: str, states: Collection[str]) -> dict[str, int]:
    """Return how many there are in these states, from the two indexes that part the open from the ended."""
    counts: dict[str, int] = {}
    is_open = E.state.in_(sorted(executions.OPEN_NAMES & set(states))) & E.end_date.is_(None)
    has_ended = E.state.in_(sorted(executions.TERMINAL_NAMES & set(states))) & E.end_date.is_not(None)
    for part in (is_open, has_ended):
        query = select(E.state, func.count()).where(E.tenant == tenant, part).group_by(E.state)
        counts.update((row[0], row[1]) for row in connection.execute(query))
    return counts
