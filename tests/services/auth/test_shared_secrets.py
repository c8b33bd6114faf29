"""Servers that are started at once for the first time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from penstock.base.clock import SystemClock
from penstock.services.auth import AuthService, ServiceAccounts, Tokens
from penstock.store import Store, open_store
from tests.support.live import QUICK_HASHER, USER


def service(store: Store) -> AuthService:
    clock = SystemClock()
    tokens = Tokens(store.tokens, clock)
    accounts = ServiceAccounts(store.documents, tokens, clock)
    return AuthService(store.settings, tokens, accounts, clock, configured=USER, hasher=QUICK_HASHER)


async def test_session_begun_at_one_of_them_holds_at_the_other(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'shared.db'}", SystemClock())
    one, other = service(store), service(store)
    await asyncio.gather(one.open(), other.open())
    cookie = await one.login(USER, "127.0.0.1")
    assert (await other.by_cookie(cookie, "127.0.0.1")).username == USER.username
    await store.close()
