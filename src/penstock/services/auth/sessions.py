"""Sessions of browsers: begun by a login, ended by a logout, by time and by a new password.

A session is a token whose owner is no user's name: neither opens what the other does, its value is kept as a digest
alone, and every server on one database accepts the sessions of the others. The owner is told by the name and the hash
of the password, so that a session begun with an old one, even by a server that has not heard yet, stands for nobody.
"""

from __future__ import annotations

import hashlib

from penstock.base.clock import SECOND, Micros
from penstock.base.ids import new_id
from penstock.services.auth.credentials import Account
from penstock.services.auth.tokens import NewToken, Tokens

LIFETIME: Micros = 14 * 24 * 3600 * SECOND


class Sessions:
    """The sessions of accounts. A server hears of an end on another one as late as of a revoked token.

    Args:
        tokens: Where they are kept.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def begin(self, account: Account) -> str:
        """Return the cookie of a new session, and forget those of the account that are over."""
        owner = _owner(account)
        await self._tokens.revoke_all(owner, only_expired=True)
        _, cookie = await self._tokens.create(owner, NewToken(new_id(), max_age=LIFETIME))
        return cookie

    async def is_of(self, account: Account, cookie: str) -> bool:
        """Return whether a cookie is that of a session of the account which has not ended."""
        return await self._tokens.owner(cookie) == _owner(account)

    async def end(self, account: Account, cookie: str) -> None:
        """End the session of a cookie, if it is one of the account."""
        await self._tokens.revoke_value(_owner(account), cookie)

    async def end_all(self, account: Account) -> None:
        """End all sessions of an account, which has another password now."""
        await self._tokens.revoke_all(_owner(account))


def _owner(account: Account) -> str:
    password = hashlib.sha256(account.password_hash.encode()).hexdigest()[:16]
    return f"session/{password}/{account.username}"
