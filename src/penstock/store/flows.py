"""Flows: every revision a row with its source as written, the latest one marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select, update

from penstock.base.clock import Instant
from penstock.base.codec import to_json_text
from penstock.base.errors import ConflictError
from penstock.ports.flows import Author, StoredFlow, Way
from penstock.ports.queries import Filter, Page, PageRequest
from penstock.store import filters as kinds
from penstock.store.database import Database
from penstock.store.filters import Condition, Field, Search, page_txn
from penstock.store.locks import lock_txn
from penstock.store.tables import FLOWS

C = FLOWS.c
_READ = [
    C.tenant,
    C.namespace,
    C.id,
    C.revision,
    C.source,
    C.updated,
    C.deleted,
    C.disabled,
    C.description,
    C.labels,
    C.has_triggers,
    C.author,
    C.way,
]
_LABELS = msgspec.json.Decoder(tuple[tuple[str, str], ...])


class SqlFlowStore:
    """The `FlowStore` port on a database. Implements ENG-008, ENG-023 and API-008 to API-010 for flows."""

    def __init__(self, database: Database, system_namespace: str) -> None:
        self._database = database
        self._search = flow_search(system_namespace)

    async def save(self, flow: StoredFlow, expected_revision: int | None) -> StoredFlow:
        """Store a new revision, whose number is assigned here.

        Raises:
            ConflictError: The latest revision is another one than expected.
        """
        return await self._database.write(lambda connection: save_txn(connection, flow, expected_revision))

    async def get(
        self, tenant: str, namespace: str, flow_id: str, revision: int | None = None, *, deleted: bool = False
    ) -> StoredFlow | None:
        """Return a revision, the latest by default; of a deleted flow only when asked for."""
        query = select(*_READ).where(_is(tenant, namespace, flow_id))
        query = query.where(C.latest if revision is None else C.revision == revision)
        if not deleted:
            latest = FLOWS.alias("latest")
            same = and_(latest.c.tenant == tenant, latest.c.namespace == namespace, latest.c.id == flow_id)
            query = query.where(exists().where(same, latest.c.latest, latest.c.deleted.is_(False)))
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _flow(row)

    async def revisions(self, tenant: str, namespace: str, flow_id: str) -> Sequence[StoredFlow]:
        """Return all revisions, oldest first."""
        return await self._flows(select(*_READ).where(_is(tenant, namespace, flow_id)).order_by(C.revision))

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[StoredFlow]:
        """Return latest revisions of flows that are not deleted, by namespace and id unless asked otherwise."""
        conditions = [C.tenant == tenant, C.latest, C.deleted.is_(False), *self._search.conditions(filters)]
        order = [*self._search.order(page.sort), C.namespace, C.id]
        found, total = await self._database.read(
            lambda connection: page_txn(connection, _READ, conditions, order, page)
        )
        return Page([_flow(row) for row in found], total)

    async def all_latest(self, tenant: str | None = None) -> Sequence[StoredFlow]:
        """Return the latest revision of every flow that is not deleted."""
        query = select(*_READ).where(C.latest, C.deleted.is_(False)).order_by(C.tenant, C.namespace, C.id)
        return await self._flows(query if tenant is None else query.where(C.tenant == tenant))

    async def namespaces(self, tenant: str, query: str | None = None) -> Sequence[str]:
        """Return the namespaces that have flows, sorted."""
        names = select(C.namespace).distinct().where(C.tenant == tenant, C.latest, C.deleted.is_(False))
        if query:
            names = names.where(C.namespace.icontains(query, autoescape=True))
        names = names.order_by(C.namespace)
        return await self._database.read(lambda connection: list(connection.execute(names).scalars()))

    async def delete(self, tenant: str, namespace: str, flow_id: str, now: Instant) -> bool:
        """Mark a flow deleted, keeping its revisions; False when there was none."""
        statement = update(FLOWS).where(_is(tenant, namespace, flow_id), C.latest, C.deleted.is_(False))
        statement = statement.values(deleted=True, updated=now)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)

    async def forget(self, tenant: str, namespace: str, flow_id: str, revisions: Sequence[int]) -> int:
        """Remove revisions that are not the latest one; returns how many there were."""
        earlier = and_(_is(tenant, namespace, flow_id), C.latest.is_(False), C.revision.in_(revisions))
        return await self._database.write(lambda connection: connection.execute(delete(FLOWS).where(earlier)).rowcount)

    async def _flows(self, query: Any) -> Sequence[StoredFlow]:
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [_flow(row) for row in found]


def save_txn(connection: Connection, flow: StoredFlow, expected_revision: int | None) -> StoredFlow:
    """Insert a revision behind the latest one and make it the latest."""
    lock_txn(connection, "flow", flow.tenant, flow.namespace, flow.id)
    mine = _is(flow.tenant, flow.namespace, flow.id)
    latest = connection.execute(select(C.revision, C.deleted).where(mine, C.latest)).first()
    last, is_deleted = (latest[0], latest[1]) if latest else (0, False)
    present = 0 if is_deleted else last
    if expected_revision is not None and expected_revision != present:
        raise _conflict(flow, expected_revision, present)
    stored = replace(flow, revision=last + 1, deleted=False)
    connection.execute(update(FLOWS).where(mine, C.latest).values(latest=False))
    connection.execute(
        FLOWS.insert().values(
            tenant=stored.tenant,
            namespace=stored.namespace,
            id=stored.id,
            revision=stored.revision,
            latest=True,
            deleted=False,
            disabled=stored.disabled,
            has_triggers=stored.has_triggers,
            updated=stored.updated,
            description=stored.description,
            labels=to_json_text(stored.labels),
            source=stored.source,
            author=stored.author and stored.author.name,
            way=stored.author and stored.author.way.value,
        )
    )
    return stored


def flow_search(system_namespace: str) -> Search:
    """Return what flows can be filtered and sorted by."""
    labels = dict(kinds.labels(_has_label).operations)
    del labels["CONTAINS"]  # labels of a flow are one text: only whole pairs can be found in it
    return Search(
        "flows",
        {
            "q": kinds.query(C.id, C.namespace, C.description),
            "scope": kinds.scope(C.namespace, system_namespace),
            "namespace": kinds.namespace(C.namespace),
            "flowId": kinds.name(C.id),
            "id": kinds.name(C.id),
            "flowRevision": kinds.number(C.revision),
            "labels": Field(labels),
            "updated": kinds.instant(C.updated),
        },
        {
            "id": C.id,
            "flowId": C.id,
            "namespace": C.namespace,
            "revision": C.revision,
            "updated": C.updated,
            "disabled": C.disabled,
            "description": C.description,
        },
    )


def _has_label(key: str, value: Callable[[ColumnElement[Any]], Condition] | str) -> Condition:
    assert isinstance(value, str)
    # Quotes within a label are escaped in JSON, so a pair's text cannot occur inside another one.
    return kinds.contains(C.labels, to_json_text((key, value)))


def _conflict(flow: StoredFlow, expected: int, present: int) -> ConflictError:
    name = f"{flow.namespace}.{flow.id}"
    if expected == 0:
        return ConflictError(f"flow {name} exists already", hint="update it instead of creating it")
    return ConflictError(
        f"flow {name} is at revision {present}, not {expected}" if present else f"there is no flow {name}",
        hint="read it again and repeat your change",
    )


def _is(tenant: str, namespace: str, flow_id: str) -> Condition:
    return and_(C.tenant == tenant, C.namespace == namespace, C.id == flow_id)


def _flow(row: Sequence[Any]) -> StoredFlow:
    tenant, namespace, flow_id, revision, source, updated, deleted, disabled, description, labels, *others = row
    has_triggers, author, way = others
    return StoredFlow(
        tenant=tenant,
        namespace=namespace,
        id=flow_id,
        revision=revision,
        source=source,
        updated=updated,
        deleted=bool(deleted),
        disabled=bool(disabled),
        description=description,
        labels=_LABELS.decode(labels),
        has_triggers=bool(has_triggers),
        author=None if way is None else Author(author, Way(way)),
    )
