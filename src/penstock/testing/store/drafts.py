"""The contract of every `DraftStore`."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.base.errors import ConflictError, InvalidRequestError
from penstock.ports.drafts import Draft
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW

ADA, BOB = "ada@example.com", "bob@example.com"
ONE = Draft(ADA, "main:team:flow", "v1", "id: flow", 3, NOW)
MOST = 2


class DraftStoreContract:
    """What holds for every store of drafts. A subclass gives the fixture `store`."""

    async def test_draft_is_its_users_alone_and_found_by_name(self, store: StorePorts) -> None:
        theirs = replace(ONE, username=BOB, source="id: other", revision=None)
        new = replace(ONE, name="main:new")
        for draft in (ONE, new, theirs):
            assert await store.drafts.put(draft, None, MOST) == draft
        assert await store.drafts.of_user(ADA) == [new, ONE]
        assert await store.drafts.of_user(ADA, ONE.name) == [ONE]
        assert await store.drafts.of_user(BOB) == [theirs]

    async def test_draft_is_changed_by_whoever_has_seen_it_last(self, store: StorePorts) -> None:
        await store.drafts.put(ONE, None, MOST)
        two = replace(ONE, version="v2", source="id: two", updated=NOW + 1)
        for seen in (None, "v0"):
            with pytest.raises(ConflictError, match="elsewhere"):
                await store.drafts.put(two, seen, MOST)
        assert await store.drafts.put(two, "v1", MOST) == two
        assert await store.drafts.put(replace(two, version="v3"), None, MOST) == two
        assert await store.drafts.of_user(ADA) == [two]

    async def test_draft_is_removed_by_whoever_has_seen_it_last(self, store: StorePorts) -> None:
        await store.drafts.put(ONE, None, MOST)
        with pytest.raises(ConflictError, match="elsewhere"):
            await store.drafts.remove(ADA, ONE.name, "v0")
        for _ in range(2):
            await store.drafts.remove(ADA, ONE.name, "v1")
        assert await store.drafts.of_user(ADA) == []
        assert await store.drafts.put(replace(ONE, version="v2"), "v1", MOST) == replace(ONE, version="v2")

    async def test_drafts_of_a_user_are_bounded(self, store: StorePorts) -> None:
        for name in ("a", "b"):
            await store.drafts.put(replace(ONE, name=name), None, MOST)
        with pytest.raises(InvalidRequestError, match="at most 2"):
            await store.drafts.put(replace(ONE, name="c"), None, MOST)
        changed = replace(ONE, name="a", version="v2", source="id: x")
        assert await store.drafts.put(changed, "v1", MOST) == changed
