"""Secrets of namespaces: encrypted values and what is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, delete, select

from penstock.base.codec import from_json
from penstock.ports.queries import Filter
from penstock.ports.secrets import NamespaceSecret
from penstock.store import filters as kinds
from penstock.store import rows
from penstock.store.bulk import insert
from penstock.store.database import Database
from penstock.store.filters import Search
from penstock.store.tables import SECRETS

C = SECRETS.c
_COLUMNS = ("tenant", "namespace", "key", "sealed", "description", "tags", "created", "updated")
_PUT = insert(
    SECRETS,
    _COLUMNS,
    "ON CONFLICT (tenant, namespace, key) DO UPDATE SET sealed = excluded.sealed, "
    "description = excluded.description, tags = excluded.tags, updated = excluded.updated",
)
_READ = tuple(C[name] for name in _COLUMNS[1:])
_SEARCH = Search(
    "secrets",
    {
        "q": kinds.query(C.key, C.namespace, C.description),
        "namespace": kinds.namespace(C.namespace),
        "id": kinds.name(C.key),
        "created": kinds.instant(C.created),
        "updated": kinds.instant(C.updated),
    },
    {},
)


class SqlSecretStore:
    """The `SecretStore` port on a database. Implements the storage of ENG-374."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def nearest(self, tenant: str, namespaces: Sequence[str], key: str) -> NamespaceSecret | None:
        """Return the secret of the first of these namespaces that has one of that name."""
        query = select(*_READ).where(C.tenant == tenant, C.namespace.in_(namespaces), C.key == key)
        rows_found = await self._database.read(lambda connection: connection.execute(query).all())
        found = {row.namespace: row for row in rows_found}
        return next((_secret(found[name]) for name in namespaces if name in found), None)

    async def list(self, tenant: str, filters: Sequence[Filter] = ()) -> Sequence[NamespaceSecret]:
        """Return the secrets that fit, by namespace and key."""
        query = select(*_READ).where(C.tenant == tenant, *_SEARCH.conditions(filters)).order_by(C.namespace, C.key)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [_secret(row) for row in found]

    async def put(self, tenant: str, secret: NamespaceSecret) -> None:
        """Insert or replace a secret; the creation date of what is replaced stays."""
        row = (
            tenant,
            secret.namespace,
            secret.key,
            secret.sealed,
            secret.description,
            rows.body(secret.tags),
            secret.created,
            secret.updated,
        )
        await self._database.write(lambda connection: _PUT.run(connection, [row]))

    async def delete(self, tenant: str, namespace: str, key: str) -> bool:
        """Remove a secret; False when there was none."""
        statement = delete(SECRETS).where(and_(C.tenant == tenant, C.namespace == namespace, C.key == key))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)


def _secret(row: Any) -> NamespaceSecret:
    tags = tuple((name, value) for name, value in from_json(row.tags))
    return NamespaceSecret(row.namespace, row.key, row.sealed, row.description, tags, row.created, row.updated)
