"""Sessions: how they begin and end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock.base.clock import SystemClock
from penstock.services.auth import Account, NewToken, Tokens
from penstock.services.auth.sessions import LIFETIME, Sessions
from penstock.store import Store, open_store

ADA = Account("ada@example.com", "hash")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = SystemClock().now()

    def now(self) -> int:
        return self.time


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(f"sqlite:///{tmp_path / 'test.db'}", SystemClock())
    yield store
    await store.close()


async def test_session_ends_with_its_lifetime_and_is_forgotten_at_the_next_login(store: Store) -> None:
    clock = Clock()
    tokens = Tokens(store.tokens, clock)
    sessions = Sessions(tokens)
    cookie = await sessions.begin(ADA)
    clock.time += LIFETIME - 1
    assert await sessions.is_of(ADA, cookie)
    clock.time += 1
    assert not await sessions.is_of(ADA, cookie)
    owner = await tokens.owner(await sessions.begin(ADA))
    assert owner is not None
    assert len(await tokens.of_user(owner)) == 1


async def test_session_ends_when_the_password_changes_whoever_has_not_heard(store: Store) -> None:
    sessions = Sessions(Tokens(store.tokens, SystemClock()))
    changed = Account(ADA.username, "other hash")
    cookie = await sessions.begin(ADA)
    await sessions.end_all(ADA)
    late = await sessions.begin(ADA)
    assert not await sessions.is_of(ADA, cookie)
    assert not await sessions.is_of(changed, late)


async def test_logout_ends_one_session_alone_also_for_another_server(store: Store) -> None:
    clock = Clock()
    here, there = (Sessions(Tokens(store.tokens, clock)) for _ in range(2))
    ended, other = await here.begin(ADA), await here.begin(ADA)
    assert await there.is_of(ADA, ended)
    await here.end(ADA, ended)
    assert not await here.is_of(ADA, ended)
    clock.time += 11_000_000  # what was looked up is trusted for ten seconds
    assert not await there.is_of(ADA, ended)
    assert await there.is_of(ADA, other)


async def test_session_and_api_token_do_not_open_what_the_other_does(store: Store) -> None:
    tokens = Tokens(store.tokens, SystemClock())
    sessions = Sessions(tokens)
    _, token = await tokens.create(ADA.username, NewToken("ci"))
    assert not await sessions.is_of(ADA, token)
    await sessions.end(ADA, token)
    assert await tokens.owner(token) == ADA.username
    assert await tokens.owner(await sessions.begin(ADA)) != ADA.username


@pytest.mark.parametrize("cookie", ["", ".", "a.b.c", "pst_", "pst_forged", "99999999999.YWRh.x"])
async def test_session_that_is_forged_is_nobody(store: Store, cookie: str) -> None:
    assert not await Sessions(Tokens(store.tokens, SystemClock())).is_of(ADA, cookie)
