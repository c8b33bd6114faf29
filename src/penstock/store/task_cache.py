"""Outputs of earlier task runs. An entry that has expired is absent, and removed when the next one is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select

from penstock.base.clock import Instant
from penstock.base.codec import from_json, to_json_text
from penstock.ports.task_cache import CacheKey
from penstock.store.bulk import insert
from penstock.store.database import Database
from penstock.store.tables import TASK_CACHE

C = TASK_CACHE.c
_COLUMNS = ("tenant", "namespace", "flow_id", "task_id", "digest", "created", "expires", "outputs")
_PUT = insert(
    TASK_CACHE,
    _COLUMNS,
    "ON CONFLICT (tenant, namespace, flow_id, task_id, digest) DO UPDATE SET "
    "created = excluded.created, expires = excluded.expires, outputs = excluded.outputs",
)


class SqlTaskCache:
    """The `TaskCache` port on a database. Implements the store's side of ENG-326, ENG-327, ENG-410."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: CacheKey, since: Instant, now: Instant) -> Mapping[str, Any] | None:
        """Return the outputs stored under a key at `since` or later."""
        is_valid = and_(C.created >= since, or_(C.expires.is_(None), C.expires > now))
        query = select(C.outputs).where(_is(key), is_valid)
        found = await self._database.read(lambda connection: connection.execute(query).scalar())
        if found is None:
            return None
        outputs: Mapping[str, Any] = from_json(found)
        return outputs

    async def put(self, key: CacheKey, outputs: Mapping[str, Any], now: Instant, expires: Instant | None) -> None:
        """Store outputs."""
        await self._database.write(lambda connection: put_txn(connection, key, outputs, now, expires))


def put_txn(
    connection: Connection, key: CacheKey, outputs: Mapping[str, Any], now: Instant, expires: Instant | None
) -> None:
    """Store outputs, and remove what has expired."""
    connection.execute(delete(TASK_CACHE).where(C.expires <= now))
    text = to_json_text(outputs)
    row = (key.tenant, key.namespace, key.flow_id, key.task_id, key.digest, now, expires, text)
    _PUT.run(connection, [row])


def _is(key: CacheKey) -> ColumnElement[bool]:
    return and_(
        C.tenant == key.tenant,
        C.namespace == key.namespace,
        C.flow_id == key.flow_id,
        C.task_id == key.task_id,
        C.digest == key.digest,
    )
