"""The contract every `NamespaceStore` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from msgspec.structs import replace

from penstock.ports.namespaces import Namespace
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW

TEAM = Namespace("main", "company.team", "The team", {"a": {"b": 1}}, [{"type": "x", "values": {"y": 1}}], NOW, NOW)


class NamespaceStoreContract:
    """What holds for every store of namespaces. A subclass gives the fixture `store`."""

    async def test_namespace_saved_is_found_as_it_was(self, store: StorePorts) -> None:
        await store.namespaces.save(TEAM)
        assert await store.namespaces.find("main", ["company.team", "company"]) == [TEAM]
        assert await store.namespaces.find("other", ["company.team"]) == []

    async def test_namespace_saved_again_keeps_its_creation(self, store: StorePorts) -> None:
        await store.namespaces.save(TEAM)
        await store.namespaces.save(replace(TEAM, description=None, created=NOW + 5, updated=NOW + 5))
        assert await store.namespaces.all("main") == [replace(TEAM, description=None, updated=NOW + 5)]

    async def test_namespaces_come_by_name_and_tenant(self, store: StorePorts) -> None:
        for tenant, name in (("main", "b"), ("main", "a"), ("other", "c")):
            await store.namespaces.save(replace(TEAM, tenant=tenant, id=name))
        assert [one.id for one in await store.namespaces.all("main")] == ["a", "b"]
        assert {one.tenant for one in await store.namespaces.all()} == {"main", "other"}

    async def test_namespace_deleted_is_gone(self, store: StorePorts) -> None:
        await store.namespaces.save(TEAM)
        assert await store.namespaces.delete("main", "company.team")
        assert not await store.namespaces.delete("main", "company.team")
        assert await store.namespaces.all("main") == []
