"""The contract every `SecretStore` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from dataclasses import replace

from penstock.ports.queries import Filter
from penstock.ports.secrets import NamespaceSecret
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW

ONE = NamespaceSecret("company", "TOKEN", "sealed", "For the shop", (("owner", "ops"), ("tier", "1")), NOW, NOW)
BELOW = replace(ONE, namespace="company.team", sealed="other")


class SecretStoreContract:
    """What holds for every store of secrets. A subclass gives the fixture `store`."""

    async def test_secret_of_the_nearest_namespace_is_found(self, store: StorePorts) -> None:
        for one in (ONE, BELOW):
            await store.secrets.put("main", one)
        assert await store.secrets.nearest("main", ["company.team", "company"], "TOKEN") == BELOW
        assert await store.secrets.nearest("main", ["company.other", "company"], "TOKEN") == ONE
        assert await store.secrets.nearest("main", ["company.team", "company"], "token") is None
        assert await store.secrets.nearest("other", ["company"], "TOKEN") is None

    async def test_secret_replaced_keeps_the_date_of_its_creation(self, store: StorePorts) -> None:
        await store.secrets.put("main", ONE)
        later = replace(ONE, sealed="new", description=None, tags=(), created=NOW + 5, updated=NOW + 5)
        await store.secrets.put("main", later)
        assert await store.secrets.list("main") == [replace(later, created=NOW)]

    async def test_secrets_are_listed_by_namespace_and_key(self, store: StorePorts) -> None:
        for one in (BELOW, replace(ONE, key="Z"), replace(ONE, key="A", description="of the bank"), ONE):
            await store.secrets.put("main", one)
        listed = [(one.namespace, one.key) for one in await store.secrets.list("main")]
        assert listed == [("company", "A"), ("company", "TOKEN"), ("company", "Z"), ("company.team", "TOKEN")]
        for given, keys in (
            (Filter("namespace", "EQUALS", "company"), ["A", "TOKEN", "Z"]),
            (Filter("q", "EQUALS", "BANK"), ["A"]),
            (Filter("id", "EQUALS", "Z"), ["Z"]),
        ):
            assert [one.key for one in await store.secrets.list("main", [given])] == keys

    async def test_secret_deleted_is_gone(self, store: StorePorts) -> None:
        await store.secrets.put("main", ONE)
        assert not await store.secrets.delete("main", "company.team", "TOKEN")
        assert await store.secrets.delete("main", "company", "TOKEN")
        assert not await store.secrets.delete("main", "company", "TOKEN")
