"""The contract of every `TokenStore`."""
# ruff: noqa: D102  # names of contract tests are sentences

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.base.errors import ConflictError
from penstock.ports.tokens import ApiToken
from penstock.testing.store.ports import StorePorts
from penstock.testing.store.records import NOW

ONE = ApiToken("id1", "ada@example.com", "ci", None, "pst_abcd", "digest1", NOW)


class TokenStoreContract:
    """What holds for every store of API tokens. A subclass gives the fixture `store`."""

    async def test_token_is_found_by_its_digest_and_among_those_of_its_owner(self, store: StorePorts) -> None:
        two = ApiToken("id2", "ada@example.com", "a", "why", "pst_efgh", "digest2", NOW, 5, NOW + 5, True, NOW + 1)
        for one in (ONE, two, replace(ONE, id="id3", username="bob@example.com", digest="digest3")):
            await store.tokens.add(one)
        assert await store.tokens.by_digest("digest2") == two
        assert await store.tokens.by_digest("digest4") is None
        assert await store.tokens.of_user("ada@example.com") == [two, ONE]

    async def test_token_of_a_name_its_owner_has_is_refused(self, store: StorePorts) -> None:
        await store.tokens.add(ONE)
        with pytest.raises(ConflictError):
            await store.tokens.add(replace(ONE, id="id2", digest="digest2"))
        assert await store.tokens.of_user("ada@example.com") == [ONE]

    async def test_use_of_a_token_is_noted(self, store: StorePorts) -> None:
        await store.tokens.add(ONE)
        await store.tokens.used("id1", NOW + 7, NOW + 9)
        assert await store.tokens.by_digest("digest1") == replace(ONE, last_used=NOW + 7, expires=NOW + 9)

    async def test_token_is_removed_by_its_owner_alone(self, store: StorePorts) -> None:
        await store.tokens.add(ONE)
        assert not await store.tokens.delete("bob@example.com", "id1")
        assert await store.tokens.delete("ada@example.com", "id1")
        assert not await store.tokens.delete("ada@example.com", "id1")
        assert await store.tokens.by_digest("digest1") is None

    async def test_tokens_of_a_user_are_removed_together_or_as_they_have_expired(self, store: StorePorts) -> None:
        old = replace(ONE, id="id2", name="old", digest="digest2", max_age=5, expires=NOW + 5)
        for one in (ONE, old, replace(ONE, id="id3", username="bob@example.com", digest="digest3")):
            await store.tokens.add(one)
        await store.tokens.delete_all("ada@example.com", NOW + 4)
        assert await store.tokens.of_user("ada@example.com") == [ONE, old]
        await store.tokens.delete_all("ada@example.com", NOW + 5)
        assert await store.tokens.of_user("ada@example.com") == [ONE]
        await store.tokens.delete_all("ada@example.com")
        assert await store.tokens.of_user("ada@example.com") == []
        assert await store.tokens.by_digest("digest3") is not None
