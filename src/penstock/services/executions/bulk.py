"""The same request for many executions: all that is wrong is said at once, and ten thousand are done in batches.

Implements API-011, BEY-072. Within a batch the requests go to the executor side by side, so that it decides on them
in one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from penstock.base.errors import InvalidRequestError, PenstockError, UnavailableError
from penstock.engine.records import Execution
from penstock.engine.states import StateType
from penstock.ports.queries import ExecutionQueries, Filter, PageRequest

Check = Callable[[Execution], str | None]
"""Says why an execution cannot be dealt with, or None."""
Action = Callable[[str], Awaitable[object]]
"""Deals with the execution of an id."""

_BATCH = 500
_SIDE_BY_SIDE = 100


class BulkError(InvalidRequestError):
    """Some of many ids cannot be dealt with, so none was (API-011).

    Args:
        message: What is wrong.
        invalids: Each id with what is wrong about it.
    """

    code = "INVALID_IDS"
    hint = "nothing was done; leave these ids out"

    def __init__(self, message: str, invalids: Mapping[str, str]) -> None:
        super().__init__(message)
        self.invalids = invalids


@dataclass(slots=True)
class BulkOutcome:
    """How many executions were dealt with, and what was wrong with the others."""

    count: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class Bulk:
    """Deals with many executions.

    Args:
        queries: Finds them.
    """

    def __init__(self, queries: ExecutionQueries) -> None:
        self._queries = queries

    async def by_ids(self, tenant: str, execution_ids: Sequence[str], check: Check, action: Action) -> BulkOutcome:
        """Do something to several executions, or to none when one of them does not allow it.

        Raises:
            BulkError: Some cannot be dealt with.
        """
        wanted = list(dict.fromkeys(execution_ids))
        heads = await self._heads(tenant, wanted)
        invalids: dict[str, str] = {}
        for execution_id in wanted:
            execution = heads.get(execution_id)
            problem = "execution not found" if execution is None else check(execution)
            if problem:
                invalids[execution_id] = problem
        if invalids:
            raise BulkError(f"{len(invalids)} of {len(wanted)} executions do not allow this", invalids)
        return await self._each(wanted, action)

    async def by_filters(self, tenant: str, filters: Sequence[Filter], check: Check, action: Action) -> BulkOutcome:
        """Do something to all executions that meet the filters and allow it."""
        wanted: list[str] = []
        page = 1
        while True:
            # Newest first would shift the pages while executions are created; in the order of their ids does not.
            found = await self._queries.search(tenant, filters, PageRequest(page, _BATCH, (("id", True),)))
            wanted.extend(execution.id for execution in found.results if check(execution) is None)
            if len(found.results) < _BATCH:
                return await self._each(wanted, action)
            page += 1

    async def _heads(self, tenant: str, execution_ids: Sequence[str]) -> Mapping[str, Execution]:
        heads: dict[str, Execution] = {}
        for part in _parts(execution_ids, _BATCH):
            found = await self._queries.search(tenant, [Filter("id", "IN", list(part))], PageRequest(1, _BATCH))
            heads.update((execution.id, execution) for execution in found.results)
        return heads

    async def _each(self, execution_ids: Sequence[str], action: Action) -> BulkOutcome:
        """Do something to each; what one of them refuses does not keep the others from it."""
        outcome = BulkOutcome()
        for part in _parts(execution_ids, _SIDE_BY_SIDE):
            results = await asyncio.gather(*(action(one) for one in part), return_exceptions=True)
            for execution_id, result in zip(part, results, strict=True):
                if not isinstance(result, BaseException):
                    outcome.count += 1
                elif isinstance(result, PenstockError) and not isinstance(result, UnavailableError):
                    outcome.failed[execution_id] = str(result)
                else:
                    raise result
        return outcome


def _parts(items: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def not_ended(execution: Execution) -> str | None:
    """Say that an execution has not ended, if so."""
    return None if execution.state.is_terminal else f"it is {execution.state.current} and has not ended"


def ended(execution: Execution) -> str | None:
    """Say that an execution has ended, if so."""
    return f"it has ended already ({execution.state.current})" if execution.state.is_terminal else None


def not_in(states: Iterable[StateType]) -> Check:
    """Return a check that says when an execution is in none of the states."""
    allowed = frozenset(states)

    def check(execution: Execution) -> str | None:
        return None if execution.state.current in allowed else f"it is {execution.state.current}"

    return check


def nothing_to_restart(execution: Execution) -> str | None:
    """Say that an execution has no failed task that a restart could run again, if that is sure."""
    if execution.state.current is StateType.SUCCESS:
        return "it is SUCCESS: it has no failed task to run again"
    return not_ended(execution)


def anything(execution: Execution) -> str | None:
    """Find nothing wrong with any execution."""
    return None
