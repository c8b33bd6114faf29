"""API tokens: what programs log in with instead of a password.

A token is as good as its owner's login, is shown once when it is made, and is kept as its digest alone. It is random
enough that guessing is hopeless, so a fast digest does. One that was looked up is trusted for a few seconds; revoking
takes effect at once on the server that does it, and after those seconds on the others.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from penstock.base.clock import SECOND, Clock, Instant, Micros
from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.base.ids import new_id
from penstock.base.recent import Recent
from penstock.ports.tokens import ApiToken, TokenStore

_MARK = "pst_"
"""What all tokens begin with, so that scanners of sources find those that leaked."""
_SHOWN = len(_MARK) + 4
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,61}[A-Za-z0-9])?")
_TRUSTED: Micros = 10 * SECOND
_NOTED: Micros = 60 * SECOND
"""How exact the date of the last use is: a write for each request would cost too much."""
_MOST_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is to be."""

    name: str
    description: str | None = None
    max_age: Micros | None = None
    extended: bool = False


class Tokens:
    """The tokens of users. Implements GOV-075, GOV-076, and ENG-286 in part.

    Args:
        store: Where they are kept.
        clock: Dates them.
    """

    def __init__(self, store: TokenStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: Recent[str, tuple[ApiToken, Instant]] = Recent(_MOST_REMEMBERED)

    async def create(self, username: str, wanted: NewToken) -> tuple[ApiToken, str]:
        """Make a token and return it with its value, which nobody can find out afterwards.

        Raises:
            ConflictError: The user has one of that name.
            InvalidRequestError: The name or the age cannot be used.
        """
        if not _NAME.fullmatch(wanted.name):
            raise InvalidRequestError(
                f"`{wanted.name}` is no name of an API token",
                hint="use up to 63 letters, digits, dots, hyphens, underscores and blanks",
            )
        if wanted.max_age is not None and wanted.max_age <= 0:
            raise InvalidRequestError("an API token must live for some time", hint="write `maxAge` such as P30D")
        if wanted.extended and wanted.max_age is None:
            raise InvalidRequestError("an API token that lives for ever is not extended", hint="give `maxAge` too")
        now, value = self._clock.now(), _MARK + secrets.token_urlsafe(32)
        token = ApiToken(
            new_id(),
            username,
            wanted.name,
            wanted.description or None,
            value[:_SHOWN],
            _digest(value),
            now,
            wanted.max_age,
            None if wanted.max_age is None else now + wanted.max_age,
            wanted.extended,
        )
        await self._store.add(token)
        return token, value

    async def of_user(self, username: str) -> Sequence[ApiToken]:
        """Return the tokens of a user, by name."""
        return await self._store.of_user(username)

    async def revoke(self, username: str, token_id: str) -> None:
        """Make a token worthless.

        Raises:
            NotFoundError: The user has none of that id.
        """
        was_there = await self._store.delete(username, token_id)
        self._known.clear()  # they are looked up again: less to do than to remember which one it was
        if not was_there:
            raise NotFoundError(f"there is no API token {token_id}", hint="it may have been revoked already")

    async def revoke_value(self, username: str, value: str) -> None:
        """Make a token of a user worthless, if there is one of that value."""
        digest = _digest(value)
        token = await self._store.by_digest(digest)
        if token is not None and await self._store.delete(username, token.id):
            self._known.forget(digest)

    async def revoke_all(self, username: str, *, only_expired: bool = False) -> None:
        """Make the tokens of a user worthless, or forget those that are so by their age."""
        await self._store.delete_all(username, self._clock.now() if only_expired else None)
        if not only_expired:
            self._known.clear()

    async def owner(self, value: str) -> str | None:
        """Return whom a token stands for; None when it is unknown or has expired."""
        if not value.startswith(_MARK):
            return None
        now, digest = self._clock.now(), _digest(value)
        token, looked = self._known.get(digest) or (None, 0)
        if token is None or now - looked > _TRUSTED:
            token = await self._look(digest, now)
        if token is None or (token.expires is not None and token.expires <= now):
            return None
        return token.username

    async def _look(self, digest: str, now: Instant) -> ApiToken | None:
        token = await self._store.by_digest(digest)
        if token is None:
            self._known.forget(digest)
            return None
        is_alive = token.expires is None or token.expires > now
        if is_alive and (token.last_used is None or now - token.last_used >= _NOTED):
            expires = now + token.max_age if token.extended and token.max_age is not None else token.expires
            token = replace(token, last_used=now, expires=expires)
            await self._store.used(token.id, now, expires)
        self._known.put(digest, (token, now))
        return token


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
