"""The contracts every `KeyValueStore` and every `SettingsStore` keep."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from penstock.base.errors import ConflictError, InvalidRequestError
from penstock.ports.keyvalue import KeyValue
from penstock.ports.queries import Filter, PageRequest
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW

PAIR = KeyValue("company.team", "key", "STRING", "value", 0, NOW, NOW)
LATER = NOW + 10


class KeyValueStoreContract:
    """What holds for every key-value store. A subclass gives the fixture `store`."""

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("STRING", "text with \x00 and ü"),
            ("NUMBER", 1.5),
            ("NUMBER", 12345678901234567890),
            ("BOOLEAN", False),
            ("DATETIME", "2026-01-01T00:00:00Z"),
            ("JSON", {"a": [1, None, {"b": "c"}]}),
            ("JSON", None),
        ],
    )
    async def test_put_keeps_values_of_every_kind(self, store: StorePorts, kind: str, value: Any) -> None:
        pair = replace(PAIR, type=kind, value=value, description="what it is", expires=LATER)
        assert await store.key_values.put("main", pair) == replace(pair, version=1)
        assert await store.key_values.get("main", "company.team", "key", NOW) == replace(pair, version=1)

    async def test_put_again_counts_versions_and_keeps_the_creation(self, store: StorePorts) -> None:
        await store.key_values.put("main", PAIR)
        again = await store.key_values.put("main", replace(PAIR, value="new", created=LATER, updated=LATER))
        assert (again.version, again.created, again.updated) == (2, NOW, LATER)
        assert await store.key_values.get("main", "company.team", "key", NOW) == again

    async def test_put_without_overwriting_is_refused_when_the_key_exists(self, store: StorePorts) -> None:
        await store.key_values.put("main", PAIR, overwrite=False)
        with pytest.raises(ConflictError, match="key"):
            await store.key_values.put("main", replace(PAIR, value="new"), overwrite=False)
        found = await store.key_values.get("main", "company.team", "key", NOW)
        assert found is not None
        assert found.value == "value"

    async def test_put_without_overwriting_by_many_at_once_lets_one_through(self, store: StorePorts) -> None:
        puts = (store.key_values.put("main", replace(PAIR, value=n), overwrite=False) for n in range(6))
        outcomes = await asyncio.gather(*puts, return_exceptions=True)
        (winner,) = [one for one in outcomes if isinstance(one, KeyValue)]
        assert await store.key_values.get("main", "company.team", "key", NOW) == winner
        assert sum(isinstance(one, ConflictError) for one in outcomes) == 5

    async def test_pair_that_expired_is_absent_and_may_be_put_again(self, store: StorePorts) -> None:
        await store.key_values.put("main", replace(PAIR, expires=LATER))
        assert await store.key_values.get("main", "company.team", "key", LATER - 1) is not None
        assert await store.key_values.get("main", "company.team", "key", LATER) is None
        assert await store.key_values.list("main", "company.team", LATER) == []
        anew = replace(PAIR, created=LATER, updated=LATER)
        assert await store.key_values.put("main", anew, overwrite=False) == replace(anew, version=2)

    async def test_list_returns_pairs_sorted_without_values(self, store: StorePorts) -> None:
        for namespace, key in (("b", "x"), ("a", "prefix_2"), ("a", "prefix_1"), ("a", "Other")):
            await store.key_values.put("main", replace(PAIR, namespace=namespace, key=key))
        everything = await store.key_values.list("main", None, NOW)
        assert [(one.namespace, one.key, one.value) for one in everything] == [
            ("a", "Other", None),
            ("a", "prefix_1", None),
            ("a", "prefix_2", None),
            ("b", "x", None),
        ]
        narrowed = await store.key_values.list("main", "a", NOW, "prefix")
        assert [one.key for one in narrowed] == ["prefix_1", "prefix_2"]
        assert await store.key_values.list("other", None, NOW) == []

    async def test_delete_removes_a_pair_once(self, store: StorePorts) -> None:
        await store.key_values.put("main", PAIR)
        assert await store.key_values.delete("main", "company.team", "key", NOW) is True
        assert await store.key_values.delete("main", "company.team", "key", NOW) is False
        assert await store.key_values.get("main", "company.team", "key", NOW) is None

    async def test_delete_of_a_pair_that_expired_removes_nothing_anybody_saw(self, store: StorePorts) -> None:
        await store.key_values.put("main", replace(PAIR, expires=LATER))
        assert await store.key_values.delete("main", "company.team", "key", LATER) is False

    async def test_search_filters_sorts_and_pages(self, store: StorePorts) -> None:
        """API-008, API-010."""
        for number, namespace in enumerate(("a", "a.b", "ab", "c")):
            pair = replace(PAIR, namespace=namespace, key=f"Key{number}", updated=NOW + number, description="what")
            await store.key_values.put("main", pair)
        await store.key_values.put("main", replace(PAIR, namespace="a", key="old", expires=LATER))
        first = await store.key_values.search("main", [], PageRequest(1, 2, (("updateDate", False),)), LATER)
        assert (first.total, [one.key for one in first.results]) == (4, ["Key3", "Key2"])
        below = [Filter("namespace", "PREFIX", "a")]
        found = await store.key_values.search("main", below, PageRequest(), LATER)
        assert [(one.namespace, one.value, one.description) for one in found.results] == [
            ("a", None, "what"),
            ("a.b", None, "what"),
        ]
        named = await store.key_values.search("main", [Filter("q", "EQUALS", "key2")], PageRequest(), LATER)
        assert [one.key for one in named.results] == ["Key2"]
        with pytest.raises(InvalidRequestError, match="colour"):
            await store.key_values.search("main", [Filter("colour", "EQUALS", "red")], PageRequest(), LATER)

    async def test_purge_removes_what_expired_where_it_is_told_to(self, store: StorePorts) -> None:
        """OPS-166."""
        for namespace in ("a", "a.b", "ab", "c"):
            await store.key_values.put("main", replace(PAIR, namespace=namespace, key="kept"))
            await store.key_values.put("main", replace(PAIR, namespace=namespace, key="old", expires=LATER))
        assert await store.key_values.purge("main", [], NOW) == 0
        assert await store.key_values.purge("other", [], LATER) == 0
        assert await store.key_values.purge("main", ["a"], LATER, children=False) == 1
        assert await store.key_values.purge("main", ["a"], LATER) == 1
        assert await store.key_values.purge("main", [], LATER, limit=1) == 1
        assert [await store.key_values.purge("main", [], LATER) for _ in range(2)] == [1, 0]
        assert await store.key_values.purge("main", ["c"], LATER, expired_only=False) == 1
        assert [one.namespace for one in await store.key_values.list("main", None, NOW)] == ["a", "a.b", "ab"]


class SettingsStoreContract:
    """What holds for every store of settings. A subclass gives the fixture `store`."""

    async def test_put_keeps_a_value_until_it_is_replaced_or_deleted(self, store: StorePorts) -> None:
        assert await store.settings.get("login") is None
        await store.settings.put("login", {"user": "a", "n": [1, 2]})
        assert await store.settings.get("login") == {"user": "a", "n": [1, 2]}
        await store.settings.put("login", "other")
        assert await store.settings.get("login") == "other"
        assert await store.settings.delete("login") is True
        assert await store.settings.delete("login") is False
        assert await store.settings.get("login") is None

    async def test_keep_gives_the_first_value_to_all_who_ask(self, store: StorePorts) -> None:
        assert await asyncio.gather(*(store.settings.keep("secret", number) for number in (1, 1))) == [1, 1]
        assert await store.settings.keep("secret", 2) == 1
