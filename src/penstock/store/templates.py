"""Templates: every revision a row with its source as written; the last one is the latest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from penstock.base.clock import Instant
from penstock.base.errors import ConflictError
from penstock.ports.flows import StoredFlow
from penstock.store.database import Database
from penstock.store.locks import lock_txn
from penstock.store.tables import TEMPLATES

C = TEMPLATES.c
_READ = (C.tenant, C.namespace, C.id, C.revision, C.source, C.updated, C.deleted)


class SqlTemplateStore:
    """The `TemplateStore` port on a database. Implements the storage of API-112."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, template: StoredFlow, *, is_new: bool) -> StoredFlow:
        """Store a new revision, whose number is assigned here.

        Raises:
            ConflictError: It is to be new, and is there already.
        """
        return await self._database.write(lambda connection: save_txn(connection, template, is_new=is_new))

    async def get(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, *, deleted: bool = False
    ) -> StoredFlow | None:
        """Return a revision, the latest by default; of a deleted template only when asked for."""
        key = (tenant, namespace, flow_id)
        latest = await self._database.read(lambda connection: latest_txn(connection, key))
        if latest is None or (latest.deleted and not deleted):
            return None
        if revision in (None, latest.revision):
            return latest
        query = select(*_READ).where(_is(*key), C.revision == revision)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _template(row)

    async def all_latest(self, tenant: str) -> Sequence[StoredFlow]:
        """Return the latest revision of every template that is not deleted, by namespace and id."""
        newest = (
            select(C.namespace, C.id, func.max(C.revision).label("revision"))
            .where(C.tenant == tenant)
            .group_by(C.namespace, C.id)
            .subquery()
        )
        same = and_(C.namespace == newest.c.namespace, C.id == newest.c.id, C.revision == newest.c.revision)
        query = select(*_READ).join(newest, same).where(C.tenant == tenant, C.deleted.is_(False))
        query = query.order_by(C.namespace, C.id)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [_template(row) for row in found]

    async def delete(self, tenant: str, namespace: str, template_id: str, now: Instant) -> bool:
        """Mark a template deleted, keeping its revisions; False when there was none."""
        key = (tenant, namespace, template_id)
        return await self._database.write(lambda connection: delete_txn(connection, key, now))


def save_txn(connection: Connection, template: StoredFlow, *, is_new: bool) -> StoredFlow:
    """Insert a revision behind the latest one."""
    key = (template.tenant, template.namespace, template.id)
    lock_txn(connection, "template", *key)
    latest = latest_txn(connection, key)
    if is_new and latest is not None and not latest.deleted:
        name = f"{template.namespace}.{template.id}"
        raise ConflictError(f"template {name} exists already", hint="update it instead of creating it")
    stored = replace(template, revision=latest.revision + 1 if latest else 1, deleted=False)
    connection.execute(
        TEMPLATES.insert().values(
            tenant=stored.tenant,
            namespace=stored.namespace,
            id=stored.id,
            revision=stored.revision,
            deleted=False,
            updated=stored.updated,
            source=stored.source,
        )
    )
    return stored


def delete_txn(connection: Connection, key: tuple[str, str, str], now: Instant) -> bool:
    """Mark the latest revision deleted; False when there is none, or it is deleted already."""
    lock_txn(connection, "template", *key)
    latest = latest_txn(connection, key)
    if latest is None or latest.deleted:
        return False
    mine = and_(_is(*key), C.revision == latest.revision)
    connection.execute(update(TEMPLATES).where(mine).values(deleted=True, updated=now))
    return True


def latest_txn(connection: Connection, key: tuple[str, str, str]) -> StoredFlow | None:
    """Return the latest revision, deleted or not."""
    query = select(*_READ).where(_is(*key)).order_by(C.revision.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _template(row)


def _is(tenant: str, namespace: str, template_id: str) -> ColumnElement[bool]:
    return and_(C.tenant == tenant, C.namespace == namespace, C.id == template_id)


def _template(row: Sequence[Any]) -> StoredFlow:
    tenant, namespace, template_id, revision, source, updated, deleted = row
    return StoredFlow(tenant, namespace, template_id, revision, source, updated, bool(deleted))
