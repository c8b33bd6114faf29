"""Assets: what flows use and make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, select, tuple_, update

from penstock.base.codec import from_json
from penstock.ports.assets import Asset, AssetEvent, AssetUse
from penstock.ports.queries import Filter, Page, PageRequest
from penstock.store import filters as kinds
from penstock.store import rows
from penstock.store.bulk import insert
from penstock.store.database import Database
from penstock.store.filters import Search, page_txn
from penstock.store.locks import lock_txn
from penstock.store.tables import ASSET_EVENTS, ASSET_USES, ASSETS

A, U, E = ASSETS.c, ASSET_USES.c, ASSET_EVENTS.c
_ASSET = ("tenant", "id", "type", "namespace", "display_name", "description", "metadata", "created", "updated",
          "deleted")  # fmt: skip
_USE = ("tenant", "asset_id", "namespace", "flow_id", "flow_revision", "execution_id", "task_id", "task_run_id",
        "is_output", "created")  # fmt: skip
_EVENT = ("tenant", "task_run_id", "namespace", "flow_id", "flow_revision", "execution_id", "task_id", "state",
          "inputs", "outputs", "created", "started", "ended")  # fmt: skip
_KEEP = insert(ASSETS, _ASSET, "ON CONFLICT (tenant, id) DO NOTHING")
_ADD_USE = insert(ASSET_USES, _USE, "ON CONFLICT (tenant, asset_id, task_run_id, is_output) DO NOTHING")
_ADD_EVENT = insert(ASSET_EVENTS, _EVENT, "ON CONFLICT (tenant, task_run_id) DO NOTHING")

_ASSETS = Search(
    "assets",
    {
        "q": kinds.query(A.id, A.display_name, A.description),
        "id": kinds.name(A.id),
        "assetId": kinds.name(A.id),
        "namespace": kinds.namespace(A.namespace),
        "type": kinds.name(A.type),
        "created": kinds.instant(A.created),
        "updated": kinds.instant(A.updated),
    },
    {"id": A.id, "namespace": A.namespace, "type": A.type, "created": A.created, "updated": A.updated},
)


def _of_runs(what: str, table: Any, more: dict[str, kinds.Field]) -> Search:
    """Return the search of a table of task runs."""
    c = table.c
    names = {"flowId": c.flow_id, "executionId": c.execution_id, "taskId": c.task_id, "taskRunId": c.task_run_id}
    fields = {name: kinds.name(column) for name, column in names.items()}
    dates = {"created": kinds.instant(c.created), "startDate": kinds.since(c.created)}
    fields |= {"namespace": kinds.namespace(c.namespace), **dates, **more}
    return Search(what, fields, {**names, "namespace": c.namespace, "created": c.created})


_USES = _of_runs("uses of assets", ASSET_USES, {"assetId": kinds.name(U.asset_id)})
_EVENTS = _of_runs("events of assets", ASSET_EVENTS, {"state": kinds.choice(E.state, kinds.STATES)})


class SqlAssetStore:
    """The `AssetStore` port on a database. Implements the storage of API-121."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, tenant: str, asset_id: str, *, deleted: bool = False) -> Asset | None:
        """Return an asset; one that is deleted only when asked for."""
        found = await self._database.read(lambda connection: get_txn(connection, tenant, asset_id))
        return None if found is None or (found.deleted and not deleted) else found

    async def save(self, tenant: str, asset: Asset) -> Asset:
        """Insert an asset or replace one."""
        return await self._database.write(lambda connection: save_txn(connection, tenant, asset))

    async def record(self, tenant: str, used: Sequence[Asset], made: Sequence[Asset], event: AssetEvent) -> None:
        """Take note of a task run."""
        await self._database.write(lambda connection: record_txn(connection, tenant, used, made, event))

    async def search(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[Asset]:
        """Return a page of assets."""
        conditions = [A.tenant == tenant, A.deleted.is_(False), *_ASSETS.conditions(filters)]
        order = [*_ASSETS.order(page.sort), A.id]
        found, total = await self._page(ASSETS, _ASSET, conditions, order, page)
        return Page([_asset(row) for row in found], total)

    async def uses(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[AssetUse]:
        """Return a page of uses."""
        conditions = [U.tenant == tenant, *_USES.conditions(filters)]
        order = [*(_USES.order(page.sort) or [U.created.desc()]), U.task_run_id, U.asset_id]
        found, total = await self._page(ASSET_USES, _USE, conditions, order, page)
        return Page([AssetUse(*row[1:]) for row in found], total)

    async def events(self, tenant: str, filters: Sequence[Filter], page: PageRequest) -> Page[AssetEvent]:
        """Return a page of events."""
        conditions = [E.tenant == tenant, *_EVENTS.conditions(filters)]
        order = [*(_EVENTS.order(page.sort) or [E.created.desc()]), E.task_run_id]
        found, total = await self._page(ASSET_EVENTS, _EVENT, conditions, order, page)
        return Page([_event(row) for row in found], total)

    async def uses_beside(self, tenant: str, asset_ids: Sequence[str]) -> Sequence[AssetUse]:
        """Return the uses of all task runs that used or made one of these assets."""
        runs = select(U.task_run_id).where(U.tenant == tenant, U.asset_id.in_(asset_ids))
        query = select(*(U[name] for name in _USE)).where(U.tenant == tenant, U.task_run_id.in_(runs))
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [AssetUse(*row[1:]) for row in found]

    async def delete(self, tenant: str, filters: Sequence[Filter], *, purge: bool = False) -> int:
        """Mark assets deleted, or remove them for good."""
        conditions = [A.tenant == tenant, *_ASSETS.conditions(filters)]
        if purge:
            return await self._changed(delete(ASSETS).where(*conditions))
        return await self._changed(update(ASSETS).where(*conditions, A.deleted.is_(False)).values(deleted=True))

    async def delete_uses(self, tenant: str, filters: Sequence[Filter]) -> int:
        """Remove uses."""
        return await self._changed(delete(ASSET_USES).where(U.tenant == tenant, *_USES.conditions(filters)))

    async def delete_events(self, tenant: str, filters: Sequence[Filter]) -> int:
        """Remove events."""
        return await self._changed(delete(ASSET_EVENTS).where(E.tenant == tenant, *_EVENTS.conditions(filters)))

    async def _page(self, table: Any, names: Sequence[str], conditions: Any, order: Any, page: PageRequest) -> Any:
        columns = [table.c[name] for name in names]
        return await self._database.read(lambda connection: page_txn(connection, columns, conditions, order, page))

    async def _changed(self, statement: Any) -> int:
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)


def get_txn(connection: Connection, tenant: str, asset_id: str) -> Asset | None:
    """Return an asset, deleted or not."""
    query = select(*(A[name] for name in _ASSET)).where(A.tenant == tenant, A.id == asset_id)
    row = connection.execute(query).first()
    return None if row is None else _asset(row)


def save_txn(connection: Connection, tenant: str, asset: Asset) -> Asset:
    """Insert an asset or replace one."""
    lock_txn(connection, "asset", tenant, asset.id)
    known = get_txn(connection, tenant, asset.id)
    saved = replace(asset, created=known.created if known else asset.created, deleted=False)
    if known is None:
        _KEEP.run(connection, [_row(tenant, saved)])
    else:
        values = dict(zip(_ASSET, _row(tenant, saved), strict=True))
        mine = tuple_(A.tenant, A.id) == (tenant, asset.id)
        connection.execute(update(ASSETS).where(mine).values(**values))
    return saved


def record_txn(
    connection: Connection, tenant: str, used: Sequence[Asset], made: Sequence[Asset], event: AssetEvent
) -> None:
    """Write the event of a task run, and what it says of assets; nothing when it is there already."""
    ends = (event.state, rows.body(event.inputs), rows.body(event.outputs), event.created, event.started, event.ended)
    run = (event.namespace, event.flow_id, event.flow_revision, event.execution_id, event.task_id)
    if not _ADD_EVENT.run(connection, [(tenant, event.task_run_id, *run, *ends)]):
        return
    for asset in sorted(made, key=lambda one: one.id):
        save_txn(connection, tenant, asset)
    _KEEP.run(connection, [_row(tenant, asset) for asset in used])
    ways = [(asset_id, False) for asset_id in event.inputs] + [(asset_id, True) for asset_id in event.outputs]
    _ADD_USE.run(
        connection,
        [(tenant, asset_id, *run, event.task_run_id, is_output, event.created) for asset_id, is_output in ways],
    )


def _row(tenant: str, asset: Asset) -> tuple[Any, ...]:
    about = (asset.namespace, asset.display_name, asset.description, rows.body(asset.metadata))
    return (tenant, asset.id, asset.type, *about, asset.created, asset.updated, asset.deleted)


def _asset(row: Any) -> Asset:
    return Asset(
        row.id,
        row.type,
        row.namespace,
        row.display_name,
        row.description,
        from_json(row.metadata),
        row.created,
        row.updated,
        bool(row.deleted),
    )


def _event(row: Any) -> AssetEvent:
    return AssetEvent(
        row.task_run_id,
        row.namespace,
        row.flow_id,
        row.flow_revision,
        row.execution_id,
        row.task_id,
        row.state,
        from_json(row.inputs),
        from_json(row.outputs),
        row.created,
        row.started,
        row.ended,
    )
