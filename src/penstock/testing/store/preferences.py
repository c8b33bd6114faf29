"""The contract of every `PreferenceStore`."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.base.errors import ConflictError
from penstock.ports.preferences import Bookmark
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW

ADA, BOB = "ada@example.com", "bob@example.com"
ONE = Bookmark("id1", ADA, "Broken", "/main/executions?state=FAILED", NOW)


class PreferenceStoreContract:
    """What holds for every store of preferences. A subclass gives the fixture `store`."""

    async def test_settings_are_changed_one_by_one_and_are_their_users_alone(self, store: StorePorts) -> None:
        await store.preferences.change(ADA, {"theme": "dark", "pageSize": 50, "columns": ["a", "b"]})
        await store.preferences.change(BOB, {"theme": "light"})
        await store.preferences.change(ADA, {"pageSize": 100, "columns": None, "unknown": None})
        assert await store.preferences.of_user(ADA) == {"theme": "dark", "pageSize": 100}
        assert await store.preferences.of_user(BOB) == {"theme": "light"}

    async def test_address_is_starred_once_by_each_user(self, store: StorePorts) -> None:
        await store.preferences.add_bookmark(ONE)
        with pytest.raises(ConflictError, match="Broken"):
            await store.preferences.add_bookmark(replace(ONE, id="id2", name="again"))
        two = replace(ONE, id="id3", path="/main/flows", created=NOW - 1)
        await store.preferences.add_bookmark(two)
        await store.preferences.add_bookmark(replace(ONE, id="id4", username=BOB))
        assert await store.preferences.bookmarks(ADA) == [two, ONE]

    async def test_bookmark_is_renamed_and_removed_by_its_user_alone(self, store: StorePorts) -> None:
        await store.preferences.add_bookmark(ONE)
        assert await store.preferences.rename_bookmark(BOB, "id1", "mine") is None
        assert await store.preferences.rename_bookmark(ADA, "id1", "Failed") == replace(ONE, name="Failed")
        assert not await store.preferences.remove_bookmark(BOB, "id1")
        assert await store.preferences.remove_bookmark(ADA, "id1")
        assert await store.preferences.bookmarks(ADA) == []

    async def test_everything_of_a_user_is_forgotten_at_once(self, store: StorePorts) -> None:
        await store.preferences.change(ADA, {"theme": "dark"})
        await store.preferences.change(BOB, {"theme": "dark"})
        await store.preferences.add_bookmark(ONE)
        await store.preferences.clear(ADA)
        assert await store.preferences.of_user(ADA) == {}
        assert await store.preferences.bookmarks(ADA) == []
        assert await store.preferences.of_user(BOB) == {"theme": "dark"}
