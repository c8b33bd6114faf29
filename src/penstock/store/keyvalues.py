"""The key-value store of a namespace. Values are kept inline; an expired pair is absent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select, tuple_

from penstock.base.clock import Instant
from penstock.base.codec import from_json
from penstock.base.errors import ConflictError
from penstock.ports.jobs import Held
from penstock.ports.keyvalue import TYPES, KeyValue
from penstock.ports.queries import Filter, Page, PageRequest
from penstock.store import filters as kinds
from penstock.store import rows
from penstock.store.bulk import insert
from penstock.store.database import Database
from penstock.store.filters import Condition, Search, page_txn
from penstock.store.jobs import held_txn
from penstock.store.locks import lock_txn
from penstock.store.tables import KEY_VALUES

C = KEY_VALUES.c
_COLUMNS = (
    "tenant",
    "namespace",
    "key",
    "type",
    "value",
    "version",
    "created",
    "updated",
    "expires",
    "description",
)
_PUT = insert(
    KEY_VALUES,
    _COLUMNS,
    "ON CONFLICT (tenant, namespace, key) DO UPDATE SET type = excluded.type, value = excluded.value, "
    "version = excluded.version, created = excluded.created, updated = excluded.updated, "
    "expires = excluded.expires, description = excluded.description",
)
_READ = (C.namespace, C.key, C.type, C.version, C.created, C.updated, C.expires, C.description)
_SEARCH = Search(
    "key-value pairs",
    {
        "q": kinds.query(C.key, C.namespace, C.description),
        "namespace": kinds.namespace(C.namespace),
        "id": kinds.name(C.key),
        "type": kinds.choice(C.type, TYPES),
        "created": kinds.instant(C.created),
        "updated": kinds.instant(C.updated),
        "expirationDate": kinds.instant(C.expires),
        "version": kinds.number(C.version),
    },
    {
        "namespace": C.namespace,
        "key": C.key,
        "id": C.key,
        "type": C.type,
        "version": C.version,
        "created": C.created,
        "creationDate": C.created,
        "updated": C.updated,
        "updateDate": C.updated,
        "expirationDate": C.expires,
    },
)


class SqlKeyValueStore:
    """The `KeyValueStore` port on a database. Implements ENG-360 and the store's side of ENG-361 to ENG-368."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, tenant: str, namespace: str, key: str, now: Instant) -> KeyValue | None:
        """Return a pair with its value."""
        query = select(*_READ, C.value).where(_is(tenant, namespace, key), _is_valid(now))
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _pair(row, from_json(row[-1]))

    async def put(self, tenant: str, pair: KeyValue, *, overwrite: bool = True, held: Held | None = None) -> KeyValue:
        """Store a pair; the version is assigned here. `pair.updated` is the present."""

        def put(connection: Connection) -> KeyValue:
            if held is not None:
                held_txn(connection, held)
            return put_txn(connection, tenant, pair, overwrite=overwrite)

        return await self._database.write(put)

    async def list(self, tenant: str, namespace: str | None, now: Instant, prefix: str = "") -> Sequence[KeyValue]:
        """Return pairs without their values, sorted by namespace and key."""
        query = select(*_READ).where(C.tenant == tenant, _is_valid(now))
        if namespace is not None:
            query = query.where(C.namespace == namespace)
        if prefix:
            query = query.where(C.key >= prefix, C.key < prefix + "\U0010ffff")
        query = query.order_by(C.namespace, C.key)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [_pair(row, None) for row in found]

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest, now: Instant) -> Page[KeyValue]:
        """Return a page of pairs without their values."""
        conditions = [C.tenant == tenant, _is_valid(now), *_SEARCH.conditions(filters)]
        order = [*_SEARCH.order(page.sort), C.namespace, C.key]
        found, total = await self._database.read(
            lambda connection: page_txn(connection, _READ, conditions, order, page)
        )
        return Page([_pair(row, None) for row in found], total)

    async def delete(self, tenant: str, namespace: str, key: str, now: Instant, *, held: Held | None = None) -> bool:
        """Remove a pair; False when there was none, or only one that has expired."""

        def remove(connection: Connection) -> bool:
            if held is not None:
                held_txn(connection, held)
            return delete_txn(connection, tenant, namespace, key, now)

        return await self._database.write(remove)

    async def purge(
        self,
        tenant: str,
        namespaces: Sequence[str],
        now: Instant,
        *,
        children: bool = True,
        expired_only: bool = True,
        limit: int = 1_000,
    ) -> int:
        """Remove some pairs for good and return how many."""
        conditions: list[Condition] = [C.tenant == tenant]
        if namespaces:
            places = (kinds.below(C.namespace, one) if children else C.namespace == one for one in namespaces)
            conditions.append(or_(*places))
        if expired_only:
            conditions.append(and_(C.expires.is_not(None), C.expires <= now))
        chosen = select(C.tenant, C.namespace, C.key).where(*conditions).limit(limit)
        statement = delete(KEY_VALUES).where(tuple_(C.tenant, C.namespace, C.key).in_(chosen))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)


def put_txn(connection: Connection, tenant: str, pair: KeyValue, *, overwrite: bool) -> KeyValue:
    """Insert a pair or replace it; one that has expired counts as absent, but its versions go on."""
    lock_txn(connection, "key-value", tenant, pair.namespace, pair.key)
    old = select(C.version, C.created, C.expires).where(_is(tenant, pair.namespace, pair.key))
    before = connection.execute(old).first()
    version, created = (before[0] + 1, before[1]) if before else (1, pair.created)
    if before is not None:
        has_expired = before[2] is not None and before[2] <= pair.updated
        if not overwrite and not has_expired:
            raise ConflictError(
                f"the key `{pair.key}` exists already in namespace {pair.namespace}",
                hint="allow overwriting, or choose another key",
            )
        created = pair.created if has_expired else created
    row = (
        tenant,
        pair.namespace,
        pair.key,
        pair.type,
        rows.body(pair.value),
        version,
        created,
        pair.updated,
        pair.expires,
        pair.description,
    )
    _PUT.run(connection, [row])
    return KeyValue(
        pair.namespace, pair.key, pair.type, pair.value, version, created, pair.updated, pair.expires, pair.description
    )


def delete_txn(connection: Connection, tenant: str, namespace: str, key: str, now: Instant) -> bool:
    """Remove a pair; one that has expired is removed too, but was absent already."""
    expires = connection.execute(select(C.expires).where(_is(tenant, namespace, key))).first()
    if expires is None:
        return False
    removed = connection.execute(delete(KEY_VALUES).where(_is(tenant, namespace, key))).rowcount == 1
    return removed and (expires[0] is None or expires[0] > now)


def _is(tenant: str, namespace: str, key: str) -> Any:
    return (C.tenant == tenant) & (C.namespace == namespace) & (C.key == key)


def _is_valid(now: Instant) -> Any:
    return or_(C.expires.is_(None), C.expires > now)


def _pair(row: Sequence[Any], value: Any) -> KeyValue:
    namespace, key, kind, version, created, updated, expires, description = row[:8]
    return KeyValue(namespace, key, kind, value, version, created, updated, expires, description)
