"""Settings of namespaces."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, and_, delete, select, true

from penstock.base.codec import from_json
from penstock.ports.namespaces import Namespace
from penstock.store import rows
from penstock.store.bulk import insert
from penstock.store.database import Database
from penstock.store.tables import NAMESPACES

C = NAMESPACES.c
_COLUMNS = ("tenant", "id", "created", "updated", "body")
_PUT = insert(
    NAMESPACES, _COLUMNS, "ON CONFLICT (tenant, id) DO UPDATE SET updated = excluded.updated, body = excluded.body"
)


class _Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a namespace nobody searches for."""

    description: str | None = None
    variables: dict[str, object] = {}
    plugin_defaults: list[dict[str, object]] = []


class SqlNamespaceStore:
    """The `NamespaceStore` port on a database. Implements the storage of API-105."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, tenant: str, ids: Sequence[str]) -> Sequence[Namespace]:
        """Return the settings there are of these namespaces, in the order of their names."""
        return await self._namespaces(and_(C.tenant == tenant, C.id.in_(ids)))

    async def all(self, tenant: str | None = None) -> Sequence[Namespace]:
        """Return the settings of all namespaces, of one tenant or all, in the order of their names."""
        return await self._namespaces(true() if tenant is None else C.tenant == tenant)

    async def save(self, namespace: Namespace) -> None:
        """Insert or replace settings; the creation date of what is replaced stays."""
        body = {
            "description": namespace.description,
            "variables": namespace.variables,
            "plugin_defaults": namespace.plugin_defaults,
        }
        row = (namespace.tenant, namespace.id, namespace.created, namespace.updated, rows.body(body))
        await self._database.write(lambda connection: _PUT.run(connection, [row]))

    async def delete(self, tenant: str, namespace_id: str) -> bool:
        """Forget the settings of a namespace; False when there were none."""
        statement = delete(NAMESPACES).where(C.tenant == tenant, C.id == namespace_id)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)

    async def _namespaces(self, condition: ColumnElement[bool]) -> Sequence[Namespace]:
        query = select(NAMESPACES).where(condition).order_by(C.id)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [
            Namespace(
                tenant=row.tenant,
                id=row.id,
                created=row.created,
                updated=row.updated,
                **msgspec.structs.asdict(msgspec.convert(from_json(row.body), _Body)),
            )
            for row in found
        ]
