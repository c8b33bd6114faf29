"""How test suites went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, select, tuple_

from penstock.base.codec import from_json
from penstock.ports.queries import Page, PageRequest
from penstock.ports.suite_results import KeptResult, SuiteName
from penstock.store import rows
from penstock.store.database import Database
from penstock.store.filters import Search, page_txn
from penstock.store.tables import SUITE_RESULTS

C = SUITE_RESULTS.c
_READ = (C.id, C.namespace, C.flow_id, C.suite_id, C.state, C.started, C.ended, C.cases)
_SEARCH = Search(
    "results of tests",
    {},
    {
        "id": C.id,
        "namespace": C.namespace,
        "flowId": C.flow_id,
        "testSuiteId": C.suite_id,
        "state": C.state,
        "startDate": C.started,
        "endDate": C.ended,
    },
)


class SqlSuiteResultStore:
    """The `SuiteResultStore` port on a database. Implements the storage of API-122 (results)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, tenant: str, result: KeptResult, *, keep: int) -> None:
        """Keep a result, and of the suite no more than so many."""
        await self._database.write(lambda connection: add_txn(connection, tenant, result, keep))

    async def get(self, tenant: str, result_id: str) -> KeptResult | None:
        """Return a result."""
        query = select(*_READ).where(C.tenant == tenant, C.id == result_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _result(row)

    async def search(
        self, tenant: str, page: PageRequest, *, suite_id: str = "", namespace: str = "", flow_id: str = ""
    ) -> Page[KeptResult]:
        """Return results of one suite, namespace or flow, or all."""
        wanted = ((C.suite_id, suite_id), (C.namespace, namespace), (C.flow_id, flow_id))
        conditions = [C.tenant == tenant, *(column == value for column, value in wanted if value)]
        order = [*(_SEARCH.order(page.sort) or [C.ended.desc()]), C.id]
        found, total = await self._database.read(
            lambda connection: page_txn(connection, list(_READ), conditions, order, page)
        )
        return Page([_result(row) for row in found], total)

    async def latest(self, tenant: str, suites: Sequence[SuiteName]) -> Sequence[KeptResult]:
        """Return the last result of each of these suites that has one, by name."""
        query = (
            select(*_READ)
            .where(C.tenant == tenant, tuple_(C.namespace, C.suite_id).in_(suites))
            .order_by(C.namespace, C.suite_id, C.ended.desc(), C.id.desc())
        )
        found = await self._database.read(lambda connection: connection.execute(query).all()) if suites else ()
        last: dict[SuiteName, KeptResult] = {}
        for row in found:
            last.setdefault((row.namespace, row.suite_id), _result(row))
        return list(last.values())

    async def forget(self, tenant: str, suite: SuiteName) -> None:
        """Remove the results of a suite."""
        statement = delete(SUITE_RESULTS).where(_of(tenant, *suite))
        await self._database.write(lambda connection: connection.execute(statement))


def add_txn(connection: Connection, tenant: str, result: KeptResult, keep: int) -> None:
    """Insert a result and remove the oldest of its suite."""
    values = {name: getattr(result, name) for name in ("id", "namespace", "flow_id", "suite_id", "state")}
    dates = {"started": result.started, "ended": result.ended}
    connection.execute(SUITE_RESULTS.insert().values(tenant=tenant, **values, **dates, cases=rows.body(result.cases)))
    mine = _of(tenant, result.namespace, result.suite_id)
    newest = select(C.id).where(mine).order_by(C.ended.desc(), C.id.desc()).limit(keep)
    kept = [row.id for row in connection.execute(newest)]
    connection.execute(delete(SUITE_RESULTS).where(mine, C.id.not_in(kept)))


def _of(tenant: str, namespace: str, suite_id: str) -> ColumnElement[bool]:
    return and_(C.tenant == tenant, C.namespace == namespace, C.suite_id == suite_id)


def _result(row: Any) -> KeptResult:
    return KeptResult(
        row.id, row.namespace, row.flow_id, row.suite_id, row.state, row.started, row.ended, from_json(row.cases)
    )
