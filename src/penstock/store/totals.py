"""How many executions fit a question, without walking past them: from the counts of those that have ended.

Questions about time, namespace, flow, kind and state are answered by the counts; the few executions they leave out are
looked up. What asks for more is counted row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select

from penstock.engine.records import KINDS
from penstock.ports.queries import Filter
from penstock.store import filters as kinds
from penstock.store.filters import Condition, Search
from penstock.store.hours import Hours, hours_of
from penstock.store.tables import EXECUTION_COUNTS, EXECUTIONS

C = EXECUTION_COUNTS.c
E = EXECUTIONS.c
_SINCE = "timeRange"
_DATES = ("startDate", _SINCE)


class Totals:
    """Counts executions that fit filters. Implements the counts of BEY-022.

    Args:
        search: What executions can be filtered by.
        system_namespace: The namespace of the system's own executions.
    """

    def __init__(self, search: Search, system_namespace: str) -> None:
        self._search = search
        self._counts = Search(
            "executions",
            {
                "scope": kinds.scope(C.namespace, system_namespace),
                "namespace": kinds.namespace(C.namespace),
                "flowId": kinds.name(C.flow_id),
                "kind": kinds.choice(C.kind, KINDS),
                "state": kinds.choice(C.state, kinds.STATES),
            },
            {},
        )

    def total_txn(self, connection: Connection, tenant: str, asked: Sequence[Filter]) -> int | None:
        """Return how many executions of a tenant fit; None where they must be counted row by row."""
        hours = _hours(asked)
        others = [one for one in asked if one.field not in _DATES]
        if hours is None or not hours.is_countable or any(one.field not in self._counts.fields for one in others):
            return None
        counted = select(func.coalesce(func.sum(C.number), 0)).where(
            C.tenant == tenant, *hours.counted(), *self._counts.conditions(others)
        )
        conditions = self._search.conditions(others)
        total = int(connection.execute(counted).scalar_one())
        for part in hours.others():
            total += _rows_txn(connection, [E.tenant == tenant, *part, *conditions])
        return total


def counts_txn(connection: Connection, tenant: str) -> Mapping[str, int]:
    """Return how many executions of a tenant there are by state."""
    [is_open] = Hours().others()
    ended = select(C.state, func.sum(C.number)).where(C.tenant == tenant).group_by(C.state)
    still_open = select(E.state, func.count()).where(E.tenant == tenant, *is_open).group_by(E.state)
    found = [tuple(row) for query in (ended, still_open) for row in connection.execute(query)]
    return {state: int(number) for state, number in found if number}


def _rows_txn(connection: Connection, conditions: Sequence[Condition]) -> int:
    return int(connection.execute(select(func.count()).select_from(EXECUTIONS).where(*conditions)).scalar_one())


def _hours(asked: Sequence[Filter]) -> Hours | None:
    """Return the span of time that filters ask for; None where dates are asked for in another way."""
    bounds = []
    for one in asked:
        if one.field in _DATES:
            operation = "GREATER_THAN_OR_EQUAL_TO" if one.field == _SINCE else one.operation
            if not isinstance(one.value, int):
                return None
            bounds.append((operation, one.value))
    return hours_of(bounds)
