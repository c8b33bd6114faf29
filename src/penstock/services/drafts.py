"""Texts that users have not saved yet: kept for them on the server, apart from what is saved."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.base.ids import new_id
from penstock.ports.drafts import Draft, DraftStore

_MOST = 200
_LONGEST = 1024 * 1024
_LONGEST_NAME = 1_000


class Drafts:
    """Drafts by user. Implements BEY-043 (drafts live on the server per user, apart from revisions).

    Whoever changes a draft says which version they have seen, so that two windows do not overwrite each other unseen.

    Args:
        store: Where they are kept.
        clock: Dates them.
    """

    def __init__(self, store: DraftStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of_user(self, username: str, name: str | None = None) -> Sequence[Draft]:
        """Return the drafts of a user, or the one of a name."""
        return await self._store.of_user(username, name)

    async def put(self, username: str, name: str, source: str, revision: int | None, seen: str | None) -> Draft:
        """Keep a text in place of the version that was seen, and return what is kept now.

        Raises:
            ConflictError: It was changed elsewhere since that version.
            InvalidRequestError: It cannot be kept, or there would be too many.
        """
        if len(name) > _LONGEST_NAME or len(source) > _LONGEST:
            raise InvalidRequestError("the draft or its name is too long", hint="1 MiB of text are the most")
        draft = Draft(username, name, new_id(), source, revision, self._clock.now())
        return await self._store.put(draft, seen, _MOST)

    async def discard(self, username: str, name: str, seen: str) -> None:
        """Forget a draft; one that is gone already is no error.

        Raises:
            ConflictError: It was changed elsewhere since that version.
        """
        await self._store.remove(username, name, seen)
