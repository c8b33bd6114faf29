"""What users chose for themselves: settings that the interface reads, and the pages they starred."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.base.clock import Clock
from penstock.base.codec import to_json_text
from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.base.ids import new_id
from penstock.ports.preferences import Bookmark, PreferenceStore

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,99}")
_MOST = 200
_LONGEST = 64 * 1024
"""How long a value may be, as JSON."""
_LONGEST_TEXT = 2_000


class Preferences:
    """Settings and bookmarks by user. Implements the storage of UI-020 to UI-023, UI-010 and UI-160.

    What settings there are is the interface's business: a name and any JSON do.

    Args:
        store: Where they are kept.
        clock: Dates bookmarks.
    """

    def __init__(self, store: PreferenceStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of_user(self, username: str) -> Mapping[str, Any]:
        """Return what a user set, by name."""
        return await self._store.of_user(username)

    async def change(self, username: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Set some settings of a user, forget those that become None, and return all of them.

        Raises:
            InvalidRequestError: A name or a value cannot be kept, or there would be too many.
        """
        for name, value in values.items():
            if not _NAME.fullmatch(name):
                raise InvalidRequestError(f"`{name}` is no name of a setting", hint="use up to 100 letters and digits")
            if len(to_json_text(value)) > _LONGEST:
                raise InvalidRequestError(f"the value of `{name}` is too long", hint="64 KiB of JSON are the most")
        if len((await self._store.of_user(username)).keys() | values.keys()) > _MOST:
            raise InvalidRequestError(f"a user has at most {_MOST} settings", hint="set those to null that are unused")
        await self._store.change(username, values)
        return await self._store.of_user(username)

    async def clear(self, username: str) -> None:
        """Forget everything a user set and starred."""
        await self._store.clear(username)

    async def bookmarks(self, username: str) -> Sequence[Bookmark]:
        """Return the bookmarks of a user, the oldest first."""
        return await self._store.bookmarks(username)

    async def star(self, username: str, name: str, path: str) -> Bookmark:
        """Add a bookmark.

        Raises:
            ConflictError: There is one that leads there.
            InvalidRequestError: The address is none of this instance, or the name is empty.
        """
        if not path.startswith("/") or path.startswith("//") or len(path) > _LONGEST_TEXT:
            raise InvalidRequestError(
                f"`{path[:100]}` is no address of a page", hint="begin with / as in /main/flows?namespace=team"
            )
        bookmark = Bookmark(new_id(), username, _named(name), path, self._clock.now())
        if len(await self._store.bookmarks(username)) >= _MOST:
            raise InvalidRequestError(f"a user has at most {_MOST} bookmarks", hint="remove some of them first")
        await self._store.add_bookmark(bookmark)
        return bookmark

    async def rename(self, username: str, bookmark_id: str, name: str) -> Bookmark:
        """Give a bookmark another name.

        Raises:
            InvalidRequestError: The name is empty.
            NotFoundError: The user has none of that id.
        """
        found = await self._store.rename_bookmark(username, bookmark_id, _named(name))
        if found is None:
            raise _unknown(bookmark_id)
        return found

    async def unstar(self, username: str, bookmark_id: str) -> None:
        """Remove a bookmark.

        Raises:
            NotFoundError: The user has none of that id.
        """
        if not await self._store.remove_bookmark(username, bookmark_id):
            raise _unknown(bookmark_id)


def _named(name: str) -> str:
    if not name.strip() or len(name) > _LONGEST_TEXT:
        raise InvalidRequestError("a bookmark needs a name", hint=f"of up to {_LONGEST_TEXT} characters")
    return name.strip()


def _unknown(bookmark_id: str) -> NotFoundError:
    return NotFoundError(f"there is no bookmark {bookmark_id}", hint="it may have been removed on another device")
