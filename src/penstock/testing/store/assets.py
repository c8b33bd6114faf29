"""The contract every `AssetStore` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from dataclasses import replace

from penstock.ports.assets import Asset, AssetEvent
from penstock.ports.queries import Filter, PageRequest
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW

TABLE = Asset("orders", "TABLE", "shop", "Orders", None, {"system": "postgres", "n": 1}, NOW, NOW)
EVENT = AssetEvent("run1", "shop", "load", 2, "e1", "task", "SUCCESS", ["source"], ["orders"], NOW, NOW - 5, NOW)
SOURCE = Asset("source", "External", created=NOW, updated=NOW)


class AssetStoreContract:
    """What holds for every store of assets. A subclass gives the fixture `store`."""

    async def test_asset_replaced_keeps_the_date_of_its_creation(self, store: StorePorts) -> None:
        assert await store.assets.save("main", TABLE) == TABLE
        later = replace(TABLE, type="VIEW", metadata={}, created=NOW + 5, updated=NOW + 5)
        assert await store.assets.save("main", later) == replace(later, created=NOW)
        assert await store.assets.get("main", "orders") == replace(later, created=NOW)
        assert await store.assets.get("other", "orders") is None

    async def test_asset_deleted_is_there_when_asked_for_until_it_is_purged(self, store: StorePorts) -> None:
        await store.assets.save("main", TABLE)
        await store.assets.save("main", SOURCE)
        mine = [Filter("id", "EQUALS", "orders")]
        assert await store.assets.delete("main", mine) == 1
        assert await store.assets.delete("main", mine) == 0
        assert await store.assets.get("main", "orders") is None
        assert await store.assets.get("main", "orders", deleted=True) == replace(TABLE, deleted=True)
        assert (await store.assets.search("main", [], PageRequest())).total == 1
        assert await store.assets.delete("main", mine, purge=True) == 1
        assert await store.assets.get("main", "orders", deleted=True) is None
        assert not (await store.assets.save("main", TABLE)).deleted

    async def test_task_run_recorded_twice_is_one_event(self, store: StorePorts) -> None:
        known = replace(SOURCE, type="FILE")
        await store.assets.save("main", known)
        for _ in range(2):
            await store.assets.record("main", [SOURCE], [TABLE], EVENT)
        assert await store.assets.get("main", "source") == known
        assert await store.assets.get("main", "orders") == TABLE
        assert (await store.assets.events("main", [], PageRequest())).results == [EVENT]
        uses = await store.assets.uses("main", [Filter("assetId", "EQUALS", "orders")], PageRequest())
        assert [(one.task_run_id, one.is_output, one.flow_revision) for one in uses.results] == [("run1", True, 2)]
        beside = await store.assets.uses_beside("main", ["orders"])
        assert {(one.asset_id, one.is_output) for one in beside} == {("orders", True), ("source", False)}

    async def test_uses_and_events_are_found_and_removed_by_flow(self, store: StorePorts) -> None:
        for index, flow in enumerate(("load", "other")):
            event = replace(EVENT, task_run_id=f"run{index}", flow_id=flow, created=NOW + index)
            await store.assets.record("main", [SOURCE], [TABLE], event)
        mine = [Filter("flowId", "EQUALS", "load")]
        found = await store.assets.events("main", [], PageRequest())
        assert [one.flow_id for one in found.results] == ["other", "load"]
        assert (await store.assets.events("main", mine, PageRequest())).total == 1
        assert (await store.assets.delete_events("main", mine), await store.assets.delete_uses("main", mine)) == (1, 2)
        assert (await store.assets.uses("main", [], PageRequest())).total == 2

    async def test_assets_are_found_by_text_type_and_namespace(self, store: StorePorts) -> None:
        for one in (TABLE, SOURCE, replace(TABLE, id="below", namespace="shop.eu")):
            await store.assets.save("main", one)
        for given, ids in (
            ([], ["below", "orders", "source"]),
            ([Filter("q", "EQUALS", "ORDER")], ["below", "orders"]),
            ([Filter("type", "EQUALS", "External")], ["source"]),
            ([Filter("namespace", "PREFIX", "shop")], ["below", "orders"]),
        ):
            found = await store.assets.search("main", given, PageRequest())
            assert [one.id for one in found.results] == ids
