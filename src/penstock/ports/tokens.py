"""Where API tokens are kept: who they stand for and until when, never what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from penstock.base.clock import Instant, Micros


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as it is kept.

    Attributes:
        id: Its id.
        username: Whom it stands for.
        name: What its owner calls it; each of an owner's has another name.
        description: What it is for.
        prefix: How it begins, so that its owner knows it again.
        digest: The digest it is found by.
        created: When it was made.
        max_age: How long it lives; for ever when None.
        expires: When it ends; never when None.
        extended: Whether each use lets it live for `max_age` from then on.
        last_used: When it was used last, give or take a minute.
    """

    id: str
    username: str
    name: str
    description: str | None
    prefix: str
    digest: str = field(repr=False)
    created: Instant
    max_age: Micros | None = None
    expires: Instant | None = None
    extended: bool = False
    last_used: Instant | None = None


class TokenStore(Protocol):
    """Tokens of all users."""

    async def add(self, token: ApiToken) -> None:
        """Keep a new token.

        Raises:
            ConflictError: Its owner has one of that name.
        """
        ...

    async def of_user(self, username: str) -> Sequence[ApiToken]:
        """Return the tokens of a user, by name."""
        ...

    async def by_digest(self, digest: str) -> ApiToken | None:
        """Return the token with a digest; None when there is none."""
        ...

    async def used(self, token_id: str, at: Instant, expires: Instant | None) -> None:
        """Take note of a use, and of when the token ends from now on."""
        ...

    async def delete(self, username: str, token_id: str) -> bool:
        """Remove a token of a user; False when there was none."""
        ...

    async def delete_all(self, username: str, expired_by: Instant | None = None) -> None:
        """Remove the tokens of a user: all of them, or those that have expired by a time."""
        ...
