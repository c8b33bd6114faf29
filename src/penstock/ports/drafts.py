"""Texts that users have not saved yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from penstock.base.clock import Instant


@dataclass(frozen=True, slots=True)
class Draft:
    """A text on its way, apart from what is saved."""

    username: str
    name: str
    """What it is a text of; the client's own choice, one draft each."""
    version: str
    """Another one with every change."""
    source: str
    revision: int | None
    """The revision it began with; None for what was never saved."""
    updated: Instant


class DraftStore(Protocol):
    """Drafts by user."""

    async def of_user(self, username: str, name: str | None = None) -> Sequence[Draft]:
        """Return the drafts of a user, or the one of a name, by name."""
        ...

    async def put(self, draft: Draft, seen: str | None, most: int) -> Draft:
        """Keep a draft in place of the version that was seen, and return what is kept now.

        The same text again changes nothing. What is gone meanwhile is in nobody's way.

        Raises:
            ConflictError: There is another version with another text.
            InvalidRequestError: The user has as many drafts as can be.
        """
        ...

    async def remove(self, username: str, name: str, seen: str) -> None:
        """Forget a draft, if there is one.

        Raises:
            ConflictError: There is another version than the one that was seen.
        """
        ...
