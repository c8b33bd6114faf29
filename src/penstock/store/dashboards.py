"""Dashboards as written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from penstock.base.errors import ConflictError
from penstock.ports.dashboards import StoredDashboard
from penstock.ports.queries import Page, PageRequest
from penstock.store import filters as kinds
from penstock.store.database import Database
from penstock.store.filters import Search, page_txn
from penstock.store.locks import lock_txn
from penstock.store.tables import DASHBOARDS

C = DASHBOARDS.c
_READ: list[ColumnElement[Any]] = [C.tenant, C.id, C.title, C.description, C.source, C.created, C.updated]
_SEARCH = Search(
    "dashboards",
    {"q": kinds.query(C.id, C.title)},
    {"id": C.id, "title": C.title, "created": C.created, "updated": C.updated},
)


class SqlDashboardStore:
    """The `DashboardStore` port on a database. Implements the storage of API-109."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, tenant: str, dashboard_id: str) -> StoredDashboard | None:
        """Return a dashboard."""
        return await self._database.read(lambda connection: get_txn(connection, tenant, dashboard_id))

    async def search(self, tenant: str, query: str, page: PageRequest) -> Page[StoredDashboard]:
        """Return dashboards whose id or title contains a text."""
        conditions = [C.tenant == tenant]
        if query:
            conditions.append(kinds.query(C.id, C.title).operations["EQUALS"](query))
        order = [*(_SEARCH.order(page.sort) or [C.title.asc()]), C.id]
        found, total = await self._database.read(
            lambda connection: page_txn(connection, _READ, conditions, order, page)
        )
        return Page([_dashboard(row) for row in found], total)

    async def save(self, dashboard: StoredDashboard, *, is_new: bool) -> StoredDashboard:
        """Insert a dashboard or replace one, which keeps the date of its creation.

        Raises:
            ConflictError: It is to be new, and is there already.
        """
        return await self._database.write(lambda connection: save_txn(connection, dashboard, is_new=is_new))

    async def delete(self, tenant: str, dashboard_id: str) -> bool:
        """Remove a dashboard."""
        statement = delete(DASHBOARDS).where(_is(tenant, dashboard_id))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)


def get_txn(connection: Connection, tenant: str, dashboard_id: str) -> StoredDashboard | None:
    """Return a dashboard."""
    row = connection.execute(select(*_READ).where(_is(tenant, dashboard_id))).first()
    return None if row is None else _dashboard(row)


def save_txn(connection: Connection, dashboard: StoredDashboard, *, is_new: bool) -> StoredDashboard:
    """Insert a dashboard or replace one."""
    lock_txn(connection, "dashboard", dashboard.tenant, dashboard.id)
    known = get_txn(connection, dashboard.tenant, dashboard.id)
    if known is not None and is_new:
        raise ConflictError(f"dashboard {dashboard.id} exists already", hint="update it instead, or choose another id")
    values = {
        "title": dashboard.title,
        "description": dashboard.description,
        "source": dashboard.source,
        "updated": dashboard.updated,
    }
    if known is None:
        key = {"tenant": dashboard.tenant, "id": dashboard.id, "created": dashboard.created}
        connection.execute(DASHBOARDS.insert().values(**key, **values))
        return dashboard
    connection.execute(update(DASHBOARDS).where(_is(dashboard.tenant, dashboard.id)).values(**values))
    return replace(dashboard, created=known.created)


def _is(tenant: str, dashboard_id: str) -> ColumnElement[bool]:
    return and_(C.tenant == tenant, C.id == dashboard_id)


def _dashboard(row: Sequence[Any]) -> StoredDashboard:
    tenant, dashboard_id, title, description, source, created, updated = row
    return StoredDashboard(tenant, dashboard_id, title, description, source, created, updated)
