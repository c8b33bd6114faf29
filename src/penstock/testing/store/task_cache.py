"""The contract every `TaskCache` keeps."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.ports.task_cache import CacheKey
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW

KEY = CacheKey("main", "company.team", "flow", "task", "digest")
LATER = NOW + 10


class TaskCacheContract:
    """What holds for every task cache (ENG-326, ENG-327). A subclass gives the fixture `store`."""

    async def test_put_keeps_outputs_for_their_key(self, store: StorePorts) -> None:
        outputs = {"value": "ü\x00", "rows": [1, None, {"a": 1.5}]}
        await store.task_cache.put(KEY, outputs, NOW, None)
        assert await store.task_cache.get(KEY, 0, LATER) == outputs

    @pytest.mark.parametrize("field", ["tenant", "namespace", "flow_id", "task_id", "digest"])
    async def test_get_for_another_key_finds_nothing(self, store: StorePorts, field: str) -> None:
        await store.task_cache.put(KEY, {"value": 1}, NOW, None)
        assert await store.task_cache.get(replace(KEY, **{field: "other"}), 0, NOW) is None

    async def test_put_again_replaces_outputs_and_date(self, store: StorePorts) -> None:
        await store.task_cache.put(KEY, {"value": 1}, NOW, NOW + 1)
        await store.task_cache.put(KEY, {"value": 2}, LATER, None)
        assert await store.task_cache.get(KEY, LATER, LATER) == {"value": 2}

    async def test_get_of_what_is_older_than_wanted_finds_nothing(self, store: StorePorts) -> None:
        await store.task_cache.put(KEY, {"value": 1}, NOW, None)
        assert await store.task_cache.get(KEY, NOW + 1, LATER) is None
        assert await store.task_cache.get(KEY, NOW, LATER) == {"value": 1}

    async def test_entry_that_has_expired_is_absent(self, store: StorePorts) -> None:
        await store.task_cache.put(KEY, {"value": 1}, NOW, LATER)
        assert await store.task_cache.get(KEY, 0, LATER - 1) == {"value": 1}
        assert await store.task_cache.get(KEY, 0, LATER) is None

    async def test_put_removes_what_has_expired(self, store: StorePorts) -> None:
        await store.task_cache.put(KEY, {"value": 1}, NOW, LATER)
        await store.task_cache.put(replace(KEY, digest="other"), {"value": 2}, LATER, None)
        assert await store.task_cache.get(KEY, 0, NOW) is None
