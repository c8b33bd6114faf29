"""Texts that people write beside flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from penstock.base.codec import from_json
from penstock.base.errors import ConflictError
from penstock.ports.documents import Document, DocumentKind
from penstock.store import rows
from penstock.store.database import Database
from penstock.store.locks import lock_txn
from penstock.store.tables import DOCUMENTS

C = DOCUMENTS.c


class SqlDocumentStore:
    """The `DocumentStore` port on a database. Implements the storage of API-111 (one's own) and API-122 (suites)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, tenant: str, kind: DocumentKind, namespace: str, document_id: str) -> Document | None:
        """Return a document."""
        key = (tenant, kind, namespace, document_id)
        return await self._database.read(lambda connection: get_txn(connection, *key))

    async def all(self, tenant: str, kind: DocumentKind) -> Sequence[Document]:
        """Return all documents of a kind, by namespace and id."""
        query = select(DOCUMENTS).where(C.tenant == tenant, C.kind == kind).order_by(C.namespace, C.id)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [_document(row) for row in found]

    async def save(self, document: Document, *, is_new: bool) -> Document:
        """Insert a document or replace one, which keeps the date of its creation.

        Raises:
            ConflictError: It is to be new, and is there already.
        """
        return await self._database.write(lambda connection: save_txn(connection, document, is_new=is_new))

    async def delete(self, tenant: str, kind: DocumentKind, namespace: str, document_id: str) -> bool:
        """Remove a document."""
        statement = delete(DOCUMENTS).where(_is(tenant, kind, namespace, document_id))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)


def get_txn(
    connection: Connection, tenant: str, kind: DocumentKind, namespace: str, document_id: str
) -> Document | None:
    """Return a document."""
    row = connection.execute(select(DOCUMENTS).where(_is(tenant, kind, namespace, document_id))).first()
    return None if row is None else _document(row)


def save_txn(connection: Connection, document: Document, *, is_new: bool) -> Document:
    """Insert a document or replace one."""
    key = (document.tenant, document.kind, document.namespace, document.id)
    lock_txn(connection, "document", *key)
    known = get_txn(connection, *key)
    if known is not None and is_new:
        raise ConflictError(f"{document.name} exists already", hint="update it instead, or choose another id")
    values = {"source": document.source, "about": rows.body(document.about), "updated": document.updated}
    if known is not None:
        connection.execute(update(DOCUMENTS).where(_is(*key)).values(**values))
        return replace(document, created=known.created)
    names = dict(zip(("tenant", "kind", "namespace", "id"), key, strict=True))
    connection.execute(DOCUMENTS.insert().values(**names, created=document.created, **values))
    return document


def _is(tenant: str, kind: DocumentKind, namespace: str, document_id: str) -> ColumnElement[bool]:
    return and_(C.tenant == tenant, C.kind == kind, C.namespace == namespace, C.id == document_id)


def _document(row: Any) -> Document:
    return Document(
        row.tenant,
        DocumentKind(row.kind),
        row.namespace,
        row.id,
        row.source,
        row.created,
        row.updated,
        from_json(row.about),
    )
