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
